"""Python without this package, though it is installed: as workers of a cluster may be."""

from pathlib import Path

WITHOUT_THE_PACKAGE = '''
import sys

class Hidden:
    """Hides the package, wherever it is installed, but in an archive that was shipped."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "dicom_assets" and not any(place.endswith("shipped.zip") for place in sys.path):
            raise ModuleNotFoundError("No module named 'dicom_assets'", name="dicom_assets")

sys.meta_path.insert(0, Hidden)
'''


def hide_package(folder: Path) -> Path:
    """Make a folder that hides the package from who has it in ``PYTHONPATH``, but for one that is shipped."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT_THE_PACKAGE)
    return folder
