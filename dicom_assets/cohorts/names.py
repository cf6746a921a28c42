"""Where the file of each member goes in an export: names of folders and files made of what headers say.

Headers are written by anybody. A Patient ID may be ``../../etc``, 10,000 characters long, or hold line ends; so may a
UID. A name here is one part of a path, in ASCII, and says which value it is made of: what is no letter, digit, ``.``,
``_`` or ``-`` is percent-encoded (RFC 3986), and so are a first ``.``, ``_`` or ``-``. Names that begin with ``_`` are
ours.
"""

import posixpath
import re
from collections.abc import Iterator
from hashlib import sha256

import pyarrow as pa

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_LEADING = frozenset("._-")
_SAFE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
"""What is a name as it is: nearly all identifiers, of which there may be millions."""
_LONGEST = 100
"""Of a name, in characters: longer ones are cut, and end in a digest of the whole."""
_DIGEST = 16
_DICOM = ".dcm"
_PACKED = re.compile(r"\.gz\Z", re.IGNORECASE)

NO_PATIENT, NO_STUDY, NO_SERIES = "_no-patient-id", "_no-study", "_no-series"
_COLUMNS = ("split", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "relative_path")


def safe_name(value: str) -> str:
    """Return a name that can be one part of a path anywhere; different values have different names.

    Parameters
    ----------
    value
        Not empty.

    """
    if _SAFE.fullmatch(value):
        return value
    name = "".join(map(_encoded, value))
    if name[0] in _LEADING:
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if name.endswith("."):  # which some file systems drop
        name = f"{name[:-1]}%2E"
    if len(name) <= _LONGEST:
        return name
    digest = sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{name[: _LONGEST - _DIGEST - 1]}~{digest}"


def _encoded(character: str) -> str:
    if character in _PLAIN:
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def targets(rows: pa.Table) -> Iterator[str]:
    """Yield the path of each member below the folder of an export, its parts joined by ``/``; no two are equal.

    The split comes first, where there are splits; then patient, study and series; the file is called by its SOP
    Instance UID. Copies of one object in one series are told apart by ``~2``, ``~3``... in their order. Upper and
    lower case count as one, as they do on some file systems.

    Parameters
    ----------
    rows
        Of members, in the order of the cohort.

    """
    taken: dict[str, int] = {}
    for row in zip(*(rows[name].to_pylist() for name in _COLUMNS), strict=True):
        split, patient, study, series, uid, path = row
        levels = ((patient, NO_PATIENT), (study, NO_STUDY), (series, NO_SERIES))
        folder = posixpath.join(split or "", *(safe_name(value) if value else none for value, none in levels))
        stem, packed = safe_name(uid), ".gz" if _PACKED.search(path or "") else ""
        target = f"{folder}/{stem}{_DICOM}{packed}"
        number = taken[target.casefold()] = taken.get(target.casefold(), 0) + 1
        # `~` and a number is the name of no UID: there, what is encoded begins with `%`.
        yield target if number == 1 else f"{folder}/{stem}~{number}{_DICOM}{packed}"
