"""Work cut into pieces, one a task: by the number of rows, and for files by their sizes too.

A task that has one video of gigabytes and five thousand slices beside it ends long after all others: a file that is
large by the measure of the whole work has a piece of its own, and the largest pieces begin first.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.pipeline.engine import Runner, to_piece

_PIECES_PER_CORE = 4
_MAX_ROWS_PER_PIECE = 5000
_MIN_ROWS_PER_PIECE = 32
"""Fewer would make many data files that hold little but their footers."""
_BYTES_PER_FILE = 256 << 10
"""What it costs to open a file, read its header and make its rows, as the bytes that are read in that time."""


def cut_rows(work: pa.Table, runner: Runner) -> list[bytes]:
    """Cut work into pieces of equally many rows: a few for each core, so that slow ones do not leave cores idle."""
    pieces = max(_wanted(runner), -(-work.num_rows // _MAX_ROWS_PER_PIECE))
    size = max(_MIN_ROWS_PER_PIECE, -(-work.num_rows // pieces))
    return [to_piece(work.slice(start, size)) for start in range(0, work.num_rows, size)]


def cut_files(work: pa.Table, runner: Runner, units: pa.Array | None = None) -> list[bytes]:
    """Cut files into pieces of about equal cost, which is that of their bytes and of their number.

    Parameters
    ----------
    work
        A row for each file, in the order of prefixes; with a column ``size``, in bytes, null where it is not known.
    runner
        That the pieces are for.
    units
        Names of what has to stay together, such as a stream that is read from its beginning, one for each row and null
        for rows that stand alone. Rows of one unit follow each other.

    Returns
    -------
    list of bytes
        The most expensive first: what begins last should be short. Rows of a piece follow each other in the work.

    """
    costs = pc.fill_null(work["size"], 0).to_numpy().astype(np.float64) + _BYTES_PER_FILE
    least = _MIN_ROWS_PER_PIECE * _BYTES_PER_FILE
    ends = np.append(_beginnings(work.num_rows, units), work.num_rows)
    parts = list(_parts(costs, ends, max(float(costs.sum()) / _wanted(runner), least)))
    parts.sort(key=lambda part: -float(costs[part].sum()))
    return [to_piece(work.slice(part.start, part.stop - part.start)) for part in parts]


def _wanted(runner: Runner) -> int:
    return 1 if runner.parallelism == 1 else runner.parallelism * _PIECES_PER_CORE


def _beginnings(rows: int, units: pa.Array | None) -> npt.NDArray[np.int64]:
    """Return the rows before which work may be cut: all but those of the unit of the row before them."""
    if rows == 0 or units is None or units.null_count == rows:
        return np.arange(rows)
    codes = pc.fill_null(units.dictionary_encode().indices, -1).to_numpy()
    return np.flatnonzero(np.concatenate([[True], (codes[1:] != codes[:-1]) | (codes[1:] < 0)]))


def _parts(costs: npt.NDArray[np.float64], ends: npt.NDArray[np.int64], most: float) -> Iterator[slice]:
    """Yield neighbours that cost no more than so much together; what cannot be cut and costs more is alone."""
    until = np.cumsum(costs)
    start = 0
    while start < len(costs):
        spent = until[start - 1] if start else 0.0
        # Half a byte: sums of floats may miss the bound that they should meet.
        fitting = int(np.searchsorted(until, spent + most + 0.5, side="right"))
        wanted = min(max(fitting, start + 1), start + _MAX_ROWS_PER_PIECE)
        # Where that is within a unit: before the unit, unless it is the first of the part, then behind it.
        place = int(np.searchsorted(ends, wanted, side="right"))
        before = int(ends[place - 1])
        end = before if before > start else int(ends[place])
        yield slice(start, end)
        start = end
