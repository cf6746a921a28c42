"""A row is due anew when, and only when, a member came, went or changed."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.extract.headers import HeaderExtractor
from dicom_assets.extract.rollups import SERIES
from dicom_assets.pipeline.rollup import due
from dicom_assets.pipeline.rollup.due import due_rows, members_of, starts_of

SCHEMA = pa.schema(
    [
        ("prefix", pa.string()),
        ("SeriesInstanceUID", pa.string()),
        ("relative_path", pa.string()),
        ("fingerprint", pa.string()),
        ("extractor_version", pa.string()),
        ("removed_at", pa.timestamp("us", tz="UTC")),
    ]
)
files = st.fixed_dictionaries(
    {
        "prefix": st.sampled_from(["a", "b", "ü"]),
        "SeriesInstanceUID": st.sampled_from([None, "1", "1.2", "x\0y", "'; --"]),
        "relative_path": st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        "fingerprint": st.sampled_from(["1", "2"]),
        "extractor_version": st.sampled_from(["v", "w"]),
        "removed_at": st.sampled_from([None, None, 1]),
    }
)
catalogs = st.lists(files, max_size=30, unique_by=lambda file: (file["prefix"], file["relative_path"]))


def versions(catalog: list[dict]) -> dict[tuple[str, str], tuple[str, int]]:
    rows = due_rows(members_of(pa.Table.from_pylist(catalog, SCHEMA), "SeriesInstanceUID"), SERIES).to_pylist()
    found = {(row["prefix"], row["SeriesInstanceUID"]): (row["extractor_version"], row["files"]) for row in rows}
    assert len(found) == len(rows)
    return found


def members(catalog: list[dict]) -> dict[tuple[str, str], set[tuple]]:
    found: dict[tuple[str, str], set[tuple]] = {}
    for file in catalog:
        if file["SeriesInstanceUID"] is not None and file["removed_at"] is None:
            version = (file["relative_path"], file["fingerprint"], file["extractor_version"])
            found.setdefault((file["prefix"], file["SeriesInstanceUID"]), set()).add(version)
    return found


@given(catalogs, st.randoms())
def test_the_order_of_rows_does_not_matter_and_every_entity_is_there(catalog, luck):
    found = versions(catalog)
    assert {key: count for key, (_, count) in found.items()} == {k: len(v) for k, v in members(catalog).items()}
    luck.shuffle(catalog)
    assert versions(catalog) == found


@given(catalogs, catalogs)
def test_versions_are_equal_where_members_are(before, after):
    old, new = versions(before), versions(after)
    for key in old.keys() & new.keys():
        assert (old[key] == new[key]) == (members(before)[key] == members(after)[key])


@given(catalogs)
def test_a_batch_that_ends_within_an_entity_changes_nothing(catalog):
    whole = versions(catalog)
    with pytest.MonkeyPatch.context() as patch:
        for size in (1, 2, 3):
            patch.setattr(due, "_ROWS_AT_ONCE", size)
            assert versions(catalog) == whole


def test_columns_of_ones_own_make_nothing_due():
    def of(headers, rest):
        file = {"prefix": "a", "SeriesInstanceUID": "1", "relative_path": "a/1", "fingerprint": "1", "removed_at": None}
        return versions([{**file, "extractor_version": f"catalog-1 {headers}{rest}"}])

    plain = HeaderExtractor().version
    wide = [HeaderExtractor((column,)).version for column in ("PatientWeight", "PatientSize")]
    for rest in ("", " thumbnails-1", "? thumbnails-1 removed"):
        assert {str(of(version, rest)) for version in (plain, *wide)} == {str(of(plain, rest))}
    assert of(wide[0], "") != of(wide[0], "?")
    assert of(wide[0], "") != of(wide[0].replace("headers-", "headers-9"), "")
    assert of(wide[0], "") != of("other-" + wide[0], "")


def test_groups_begin_where_any_of_the_columns_changes():
    rows = pa.table({"a": ["x", "x", "x", "y"], "b": ["1", "1", "2", "2"]})
    assert starts_of(rows, "a", "b").tolist() == [0, 2, 3]
    assert starts_of(rows.slice(0, 0), "a").tolist() == []
