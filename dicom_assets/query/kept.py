"""Columns of a table in memory, carried on from version to version: only data files that are new are read.

Lists and counts look at a few narrow columns of all files. A table has a data file for each prefix at least, and to
open a thousand of them takes longer than to read what is asked for. Texts that many rows share are kept once a block.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from dicom_assets.query.errors import CatalogError

_BLOCK_ROWS = 65_536
"""Of a block: so many that their number costs nothing, and so few that to make one anew costs nothing."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows of some data files, one after the other.

    Attributes
    ----------
    files
        Path of each, and how many rows it has.
    rows
        Theirs.

    """

    files: tuple[tuple[str, int], ...]
    rows: pa.Table

    def parts(self, wanted: Collection[str]) -> Iterator[tuple[str, pa.Table]]:
        """Yield the rows of those files that are wanted."""
        start = 0
        for path, count in self.files:
            if path in wanted:
                yield path, self.rows.slice(start, count)
            start += count


class TooLargeError(CatalogError):
    """The columns take more memory than they may: who asks reads them from the data files."""


class Kept:
    """All rows of some columns of one version of a table.

    Parameters
    ----------
    blocks
        Of rows; none for a beginning.

    """

    def __init__(self, blocks: Sequence[_Block] = ()) -> None:
        self._blocks = tuple(blocks)

    @property
    def files(self) -> frozenset[str]:
        """Paths of the data files."""
        return frozenset(path for block in self._blocks for path, _ in block.files)

    @property
    def rows(self) -> pa.Table | None:
        """All rows; ``None`` where there is no data file."""
        return pa.concat_tables([block.rows for block in self._blocks]) if self._blocks else None

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return sum(int(block.rows.nbytes) for block in self._blocks)

    def followed(
        self,
        files: Mapping[str, object],
        read: Callable[[Sequence[str]], Iterable[pa.Table]],
        repeated: Collection[str] = (),
        most_bytes: int | None = None,
    ) -> "Kept":
        """Return another version.

        Parameters
        ----------
        files
            Its data files, by path.
        read
            Reads some of them, in their order.
        repeated
            Columns of texts that many rows share.
        most_bytes
            That it may take.

        Raises
        ------
        TooLargeError
            It takes more.

        """
        whole = [block for block in self._blocks if _is_whole(block, files)]
        loose = [part for block in self._blocks if not _is_whole(block, files) for part in block.parts(files)]
        known = self.files
        new = [path for path in files if path not in known]
        made, size = list(whole), sum(int(block.rows.nbytes) for block in whole)
        for block in _packed(loose, zip(new, read(new), strict=True), repeated):
            made.append(block)
            size += int(block.rows.nbytes)
            if most_bytes is not None and size > most_bytes:
                raise TooLargeError
        return Kept(made)


def _is_whole(block: _Block, files: Collection[str]) -> bool:
    """Return whether a block is of a good size, and all its data files are still there."""
    return block.rows.num_rows * 2 >= _BLOCK_ROWS and all(path in files for path, _ in block.files)


def _packed(
    loose: Iterable[tuple[str, pa.Table]], new: Iterable[tuple[str, pa.Table]], repeated: Collection[str]
) -> Iterator[_Block]:
    """Yield blocks of the rows of data files."""
    held, rows = list[tuple[str, pa.Table]](), 0
    for parts in (loose, new):
        for path, part in parts:
            held.append((path, part))
            rows += part.num_rows
            if rows >= _BLOCK_ROWS:
                yield _block(held, repeated)
                held, rows = [], 0
    if held:
        yield _block(held, repeated)


def _block(parts: Sequence[tuple[str, pa.Table]], repeated: Collection[str]) -> _Block:
    plain = pa.concat_tables([_decoded(part) for _, part in parts]).combine_chunks()
    columns = [
        column.dictionary_encode() if name in repeated else column
        for name, column in zip(plain.column_names, plain.columns, strict=True)
    ]
    rows = pa.Table.from_arrays(columns, names=plain.column_names)
    return _Block(tuple((path, part.num_rows) for path, part in parts), rows)


def _decoded(part: pa.Table) -> pa.Table:
    """Return rows with all texts in full: dictionaries of different blocks are of different texts."""
    columns = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in part.columns
    ]
    return pa.Table.from_arrays(columns, names=part.column_names)
