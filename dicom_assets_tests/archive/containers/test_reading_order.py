"""In which order files are read, and which stay together: members as they stand in their container."""

import pyarrow as pa

from dicom_assets.archive.containers.reading_order import reading_order, streams_of
from dicom_assets.pipeline.cutting import cut_files
from dicom_assets.pipeline.engine import from_piece


class Four:
    parallelism = 4


def files(*rows):
    paths, versions = zip(*rows, strict=True)
    return pa.table(
        {"prefix": ["p"] * len(rows), "path": paths, "source_version": pa.array(versions, pa.string())},
    )


def member(offset, kind="tgz", steps=""):
    return f"{steps}{kind}:{offset}:1:s:1@9@1-2-3-4"


def test_members_are_read_in_the_order_of_their_container_and_files_in_that_of_paths():
    given = files(
        ("/a/x.tgz!/one", member(900)),
        ("/a/x.tgz!/three", member(5)),
        ("/a/x.tgz!/two", member(1000)),
        ("/a/x.tgz", "1-2-3-4 members=3"),
        ("/a/b", "1-2-3-4"),
        ("/a/z", None),
        ("/a/o.zip!/i.tar!/2", member(1, "tar", "zip:5:1:s:1/")),
        ("/a/o.zip!/i.tar!/1", member(2, "tar", "zip:5:1:s:1/")),
        ("/a/o.zip!/0", member(3, "zip")),
    )
    assert reading_order(given)["path"].to_pylist() == [
        "/a/b",
        "/a/o.zip!/0",
        "/a/o.zip!/i.tar!/2",
        "/a/o.zip!/i.tar!/1",
        "/a/x.tgz!/three",
        "/a/x.tgz!/one",
        "/a/x.tgz!/two",
        "/a/x.tgz",
        "/a/z",
    ]


def test_only_compressed_tars_have_to_be_read_from_their_beginning():
    given = files(
        ("/a/x.tgz!/one", member(900)),
        ("/a/y.tar.zst!/d/1", member(900, "tzst")),
        ("/a/y.zip!/d/1", member(900, "zip")),
        ("/a/z.tar!/d/1", member(900, "tar")),
        ("/a/b", None),
    )
    assert streams_of(given).to_pylist() == ["/a/x.tgz", "/a/y.tar.zst", None, None, None]
    assert streams_of(given.slice(2)).null_count == 3


def test_a_compressed_tar_is_not_cut_into_pieces():
    rows = [(f"/a/{number:04d}", "1-2-3-4") for number in range(100)]
    rows += [(f"/b.tgz!/{number:04d}", member(number)) for number in range(500)]
    rows += [(f"/c.tgz!/{number:04d}", member(number)) for number in range(10)]
    rows += [(f"/d/{number:04d}", "1-2-3-4") for number in range(400)]
    work = reading_order(files(*rows))
    work = work.append_column("size", pa.array([1 << 20] * work.num_rows, pa.int64()))
    pieces = [from_piece(piece)["path"].to_pylist() for piece in cut_files(work, Four(), streams_of(work))]
    assert sorted(path for piece in pieces for path in piece) == work["path"].to_pylist(), "each file once"
    for container in ("/b.tgz!", "/c.tgz!"):
        assert sum(any(path.startswith(container) for path in piece) for piece in pieces) == 1
    assert len(pieces) > 4, "and other files are"
