"""What is fresh stays, everything else is work or obsolete."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.pipeline.difference import difference

_EXPECTED = pa.schema([("prefix", pa.string()), ("path", pa.string()), ("_row_version", pa.string())])
_ACTUAL = _EXPECTED.append(pa.field("_file", pa.string()))

tokens = st.sampled_from(["1", "2"])
names = st.sampled_from([f"p/{n}" for n in range(6)])


def _expected(wanted):
    return pa.Table.from_pylist([{"prefix": "p", "path": p, "_row_version": t} for p, t in wanted.items()], _EXPECTED)


def _actual(held):
    return pa.Table.from_pylist(
        [{"prefix": "p", "path": path, "_row_version": token, "_file": file} for path, token, file in held], _ACTUAL
    )


@given(
    st.dictionaries(names, tokens),
    st.lists(st.tuples(names, st.one_of(st.none(), tokens), st.sampled_from(["f", "g"]))),
)
def test_taking_out_the_obsolete_and_adding_the_work_gives_what_is_expected(wanted, held):
    found = difference(_expected(wanted), _actual(held))
    obsolete = set(zip(found.obsolete["path"].to_pylist(), found.obsolete["_file"].to_pylist(), strict=True))
    left = [(path, token) for path, token, file in held if (path, file) not in obsolete]
    made = list(zip(found.work["path"].to_pylist(), found.work["_row_version"].to_pylist(), strict=True))
    assert sorted(left + made) == sorted(wanted.items()), "every key once, with its token"
    assert sum(found.kept.values()) == len(left)


def test_nothing_to_do_is_false():
    assert not difference(_expected({"p/1": "1"}), _actual([("p/1", "1", "f")]))


def test_a_row_without_a_token_is_made_anew():
    found = difference(_expected({"p/1": "1"}), _actual([("p/1", None, "f")]))
    assert found.work["path"].to_pylist() == ["p/1"]
    assert found.obsolete["path"].to_pylist() == ["p/1"]


def test_work_comes_in_the_order_of_paths():
    found = difference(_expected({"p/3": "1", "p/1": "1", "p/2": "1"}), _actual([]))
    assert found.work["path"].to_pylist() == ["p/1", "p/2", "p/3"]
