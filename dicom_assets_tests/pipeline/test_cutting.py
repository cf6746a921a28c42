"""Work is cut so that no task is much longer than another, as far as files allow it."""

from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.pipeline.cutting import cut_files, cut_rows
from dicom_assets.pipeline.engine import from_piece
from dicom_assets.spark.work import InProcess

MIB = 1 << 20


@dataclass(frozen=True)
class Cores(InProcess):
    """As many tasks side by side as one likes."""

    parallelism: int = 8


def _files(sizes):
    return pa.table({"number": pa.array(range(len(sizes)), pa.int64()), "size": pa.array(sizes, pa.int64())})


def _sizes(pieces):
    return [from_piece(piece)["size"].to_pylist() for piece in pieces]


def test_a_large_file_shares_its_task_with_none_and_begins_first():
    small = [500_000] * 5000
    pieces = _sizes(cut_files(_files([*small[:2500], 2 << 30, *small[2500:]]), Cores()))
    assert pieces[0] == [2 << 30]
    assert all((2 << 30) not in piece for piece in pieces[1:])
    assert sum(map(len, pieces)) == 5001


def test_files_of_one_size_make_a_few_pieces_for_each_core():
    pieces = _sizes(cut_files(_files([MIB] * 3200), Cores()))
    assert [len(piece) for piece in pieces] == [100] * 32


def test_pieces_follow_bytes_where_sizes_differ():
    """The first half of the files are a hundred times as large: by number alone they would be half of the pieces."""
    pieces = _sizes(cut_files(_files([50 * MIB] * 320 + [MIB // 2] * 320), Cores()))
    large = sum(1 for piece in pieces if 50 * MIB in piece)
    assert large >= 32
    assert len(pieces) - large <= 2


def test_few_small_files_are_not_scattered():
    assert len(cut_files(_files([1000] * 31), Cores())) == 1


def test_one_process_takes_all_at_once():
    assert len(cut_files(_files([MIB, 3 << 30, MIB]), InProcess())) == 1


def test_no_piece_is_of_more_than_five_thousand_files():
    assert max(map(len, _sizes(cut_files(_files([0] * 12_000), InProcess())))) == 5000
    assert [from_piece(piece).num_rows for piece in cut_rows(_files([0] * 12_000), InProcess())] == [4000] * 3


def test_sizes_that_are_not_known_count_as_none():
    assert _sizes(cut_files(_files([None] * 40), Cores(parallelism=1))) == [[None] * 40]


def test_nothing_is_nothing():
    assert cut_files(_files([]), Cores()) == []
    assert cut_rows(_files([]), Cores()) == []


@given(
    sizes=st.lists(st.one_of(st.none(), st.integers(0, 1 << 40), st.integers(0, MIB)), max_size=400),
    cores=st.integers(1, 64),
)
def test_every_file_is_in_one_piece_beside_its_neighbours_and_no_piece_is_out_of_proportion(sizes, cores):
    work = _files(sizes)
    pieces = [from_piece(piece) for piece in cut_files(work, Cores(parallelism=cores))]
    numbers = [piece["number"].to_pylist() for piece in pieces]
    assert sorted(chain.from_iterable(numbers)) == list(range(len(sizes)))
    assert all(part == list(range(part[0], part[-1] + 1)) for part in numbers)
    costs = [sum((size or 0) + (256 << 10) for size in piece["size"].to_pylist()) for piece in pieces]
    assert costs == sorted(costs, reverse=True)
    fair = max(sum(costs) / (1 if cores == 1 else 4 * cores), 32 * (256 << 10))
    assert all(piece.num_rows == 1 or cost <= fair * (1 + 1e-9) + 1 for cost, piece in zip(costs, pieces, strict=True))


@given(
    groups=st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 1 << 34), min_size=1, max_size=60)), max_size=30),
    cores=st.integers(1, 16),
)
def test_what_has_to_stay_together_does(groups, cores):
    sizes = [size for _, group in groups for size in group]
    units = pa.array(
        [f"u{n}" if whole else None for n, (whole, group) in enumerate(groups) for _ in group], pa.string()
    )
    pieces = [from_piece(piece) for piece in cut_files(_files(sizes), Cores(parallelism=cores), units)]
    numbers = [piece["number"].to_pylist() for piece in pieces]
    assert sorted(chain.from_iterable(numbers)) == list(range(len(sizes)))
    home = {number: place for place, part in enumerate(numbers) for number in part}
    for name in set(filter(None, units.to_pylist())):
        assert len({home[row] for row, unit in enumerate(units.to_pylist()) if unit == name}) == 1
    # Where nothing has to stay together, nothing is cut otherwise.
    if not any(whole for whole, _ in groups):
        assert pieces == [from_piece(piece) for piece in cut_files(_files(sizes), Cores(parallelism=cores))]
