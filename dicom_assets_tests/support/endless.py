"""An archive without disk: any number of files that are made when they are read, and what a run over it cost."""

from collections.abc import Callable, Collection, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pyarrow as pa

from dicom_assets.archive.base import Prefixes
from dicom_assets.archive.listing import ListedFile, to_table
from dicom_assets.archive.prefetch import ONE_BY_ONE, Prefetch
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.archive.versions import Listed
from dicom_assets.delta.files import DataFile
from dicom_assets.delta.lake import Lake
from dicom_assets.dicom.source import BytesSource
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets_tests.support.whole import tiny_dicom

_IMAGE = tiny_dicom(1)
_WHEN = datetime(2024, 5, 6, tzinfo=UTC)


def one_image(_prefix: str, _number: int) -> bytes:
    """Return the bytes of any file."""
    return _IMAGE


@dataclass(frozen=True)
class EndlessArchive:
    """Numbered files in prefixes, by default one small image each; their size is only what the listing says."""

    files: Mapping[str, Collection[int]]
    content: Callable[[str, int], bytes] = one_image
    size: int = len(_IMAGE)
    root: str = "/endless"
    cut: PrefixCut = field(default_factory=PrefixCut)
    prefetch: Prefetch = ONE_BY_ONE

    def check(self) -> None:
        """Do nothing: it cannot be out of reach."""

    def at(self, root: str):
        return replace(self, root=root)

    def folder(self, prefix: str | None = None) -> None:
        """Return nothing: there are no folders."""

    def exists(self, path: str) -> bool:
        prefix, number = self._place(path)
        return number in self.files.get(prefix, ())

    def prefixes(self):
        return Prefixes(sorted(self.files))

    def list(self, prefix: str) -> pa.Table:
        names = [f"{prefix}/IM{number:08d}.dcm" for number in sorted(self.files.get(prefix, ()))]
        mark = f"{self.size}-1"
        return to_table(
            prefix, (ListedFile(f"{self.root}/{name}", name, self.size, _WHEN, None, mark) for name in names)
        )

    @contextmanager
    def open(self, path: str, listed: Listed | None = None):
        yield BytesSource(self.content(*self._place(path)))

    def _place(self, path: str) -> tuple[str, int]:
        """Return the prefix and the number of a file."""
        prefix, name = path.removeprefix(f"{self.root}/").split("/")
        return prefix, int(name[2:-4])


Files = Mapping[str, Mapping[str, DataFile]]


def live(lake: Lake) -> Files:
    """Return the data files of all tables, by table and path."""
    return {table.name: {file.path: file for file in lake.snapshot(table).files} for table in DEFAULT_MODEL.tables}


@dataclass(frozen=True)
class Cost:
    """What a run did to the data files of one table."""

    rows: int
    size: int
    added: int
    removed: int


def costs(before: Files, after: Files) -> dict[str, Cost]:
    """Return what was written between two moments, by table."""
    found = {}
    for name, files in after.items():
        new = [files[path] for path in files.keys() - before[name].keys()]
        gone = len(before[name].keys() - files.keys())
        found[name] = Cost(sum(file.rows or 0 for file in new), sum(file.size for file in new), len(new), gone)
    return found
