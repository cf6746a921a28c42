"""The command line, ``dicom-assets``."""

from dicom_assets.cli.main import main

__all__ = ["main"]
