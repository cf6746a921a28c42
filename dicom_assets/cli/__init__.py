"""The command line, ``dicom-assets``: one module for each command that does more than call another room.

Belongs here: options, what is shown while a command runs and at its end, exit codes. Does not: the work itself, and
Dagster, which is reached through :mod:`dicom_assets.orchestration` only. Exit codes: 0 when all is done, 1 when a part
failed or was left out, 2 when nothing was done.
"""

from dicom_assets.cli.main import main

__all__ = ["main"]
