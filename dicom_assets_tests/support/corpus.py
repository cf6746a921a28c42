"""Real DICOM files that tests may read: those of pydicom, and a corpus beside the checkout where there is one."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pydicom.data

PYDICOM_FILES = Path(pydicom.data.__file__).parent / "test_files"
CHARSET_FILES = Path(pydicom.data.__file__).parent / "charset_files"

CORPUS = Path(os.environ.get("DICOM_ASSETS_TEST_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
"""A folder of real files with an ``inventory.csv``; tests that read it skip with a reason when it is absent."""


def files_below(root: Path) -> list[Path]:
    """Return every regular file below a folder, in a stable order; nothing when the folder is absent."""
    return sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def copy_files(folder: Path, prefixes: Mapping[str, Iterable[str]]) -> Path:
    """Copy files of pydicom, named by prefix, into an archive; returns its folder."""
    for prefix, names in prefixes.items():
        (folder / prefix).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy2(PYDICOM_FILES / name, folder / prefix)
    return folder


def pydicom_files() -> list[Path]:
    """Return the files that come with pydicom, sources and tables of its own package left out."""
    return [
        path
        for root in (PYDICOM_FILES, CHARSET_FILES)
        for path in files_below(root)
        if path.suffix not in {".py", ".pyc"}
    ]


def corpus_files() -> list[Path]:
    """Return the files of the corpus beside the checkout, without its own two index files."""
    return [path for path in files_below(CORPUS) if path not in (CORPUS / "README.md", CORPUS / "inventory.csv")]
