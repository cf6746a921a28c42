"""The errors of this package, and the kinds that matter to whoever catches one.

Every exception that the package defines is one of the kinds. Where it stands in for a builtin exception it is that
too: an archive that is out of reach is an :class:`OSError`, an impossible prefix a :class:`ValueError`.

Belongs here: what is common to all errors. The errors themselves are defined beside the code that raises them.
"""

from collections.abc import Iterator


class DicomAssetsError(Exception):
    """Base of all errors of this package. The message is one line that can be shown to the user as it is."""


class UserError(DicomAssetsError):
    """Something that the user has to mend: a path, an option, a query, a mismatch. Trying again changes nothing."""


class InfrastructureError(DicomAssetsError):
    """Something that time or an operator may heal: a store out of reach, a full disk, a lost race. Worth a retry."""


class DataError(DicomAssetsError):
    """What one file holds cannot be read, or what is made of it cannot be kept.

    Cataloging makes a row of it, whose status and ``error`` say so; raised only to who asks for that one file.
    """


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it came of, what that came of, and so on: each once, for such chains may be rings."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        yield following
        seen.add(id(following))
        following = following.__cause__ or following.__context__
