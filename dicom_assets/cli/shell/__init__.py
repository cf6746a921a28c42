"""``dicom-assets shell``: queries one after the other, in a terminal or from a pipe.

Belongs here: what is typed and what is shown. ``command`` is the command with its options, ``session`` carries out one
statement or dot command, ``prompt`` is the terminal with its history, ``completer`` what Tab offers, ``interruption``
what Ctrl-C does. How queries are answered belongs in :mod:`dicom_assets.query`.
"""

from dicom_assets.cli.shell.command import shell

__all__ = ["shell"]
