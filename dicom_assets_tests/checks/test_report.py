"""Each check passes on a sound catalog, and fails on a lake that was changed to break its promise."""

import datetime as dt
import shutil
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa
import pytest
from deltalake import Field
from deltalake.schema import PrimitiveType

from dicom_assets.archive.prefixes import PrefixError
from dicom_assets.checks import Bounds, CheckOptions, CheckOptionsError, Severity, check_catalog, checks_of
from dicom_assets.checks.check import Scope
from dicom_assets.checks.look import look
from dicom_assets.checks.parents import BEHIND, OTHER_STATE
from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.metadata import FILE_METADATA
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL, OBJECT_CATALOG, CatalogModel
from dicom_assets.extract.status import CHANGED
from dicom_assets.extract.thumbnails import THUMBNAILS
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query import Catalog, NoCatalogError
from dicom_assets.tables import FILE_INDEX, Column
from dicom_assets_tests.query.conftest import jpeg
from dicom_assets_tests.support.whole import put

PREFIXES = ("a", "it's b")
NO_CASES = ("schema_is_as_declared", "newest_file_is_recent")
"""Checks whose SQL shows what there is, not what is wrong."""


@dataclass(frozen=True)
class Mine(Extractor):
    """A table whose name is a word of SQL's."""

    table = ExtractedTable("order", "What somebody wants to know.", (Column("number", pa.int64(), "A number."),))
    version = "1"
    limits = None

    def extract(self, file):
        return {"number": file.key.listed.size}


MODEL = CatalogModel((*DEFAULT_EXTRACTORS, Mine()))
CATALOG = MODEL.catalog


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("built")
    for number in range(6):
        put(root / "source" / PREFIXES[number % 2] / f"{number}.dcm", number)
    (root / "source" / "a" / "notes.txt").write_text("no image")
    update_catalog(str(root / "source"), str(root / "lake"), extractors=MODEL.extractors)
    return root


@pytest.fixture
def lake(built, tmp_path):
    """A copy of a catalog as the pipeline makes it, to be changed."""
    shutil.copytree(built / "lake", tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


def look_at(lake, options, prefixes, model, only):
    """Return the outcomes of all checks, or of those of one table as its asset looks at it."""
    if only is None:
        return check_catalog(lake, prefixes, model, options)
    return look([check for check in checks_of(model, options) if check.table == only], Scope.of(lake, model, prefixes))


def failed(lake, options=None, prefixes=None, model=MODEL, only=None):
    """Return the checks that fail; the SQL of all that found something is run, and lists what was counted."""
    found = {}
    for outcome in look_at(lake, options, prefixes, model, only):
        if outcome.passed and not outcome.measured.found:
            continue
        rows = Catalog(lake).sql(outcome.sql).to_arrow_table()
        if outcome.check.name not in (*NO_CASES, "few_flat_thumbnails"):
            assert rows.num_rows == outcome.measured.found, outcome.sql
            assert set(rows["prefix"].to_pylist()) <= set(outcome.measured.prefixes)
        if not outcome.passed:
            found[outcome.check.table.name, outcome.check.name] = outcome
    return found


def change(lake, table, **columns):
    """Give columns of all rows of a table other values, by a commit; a function gets the rows."""
    snapshot = lake.snapshot(table, PREFIXES)
    rows = whole(lake, table)
    for name, values in columns.items():
        made = values(rows) if callable(values) else values
        made = made if isinstance(made, list) else [made] * rows.num_rows
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, rows.schema.field(name), pa.array(made, rows.schema.field(name).type))
    write(lake, table, rows, snapshot.files)


def write(lake, table, rows, instead_of=()):
    snapshot = lake.snapshot(table, PREFIXES)
    ordered = rows.sort_by([(name, "ascending") for name in table.identity])
    adds = write_batches(snapshot.location.filesystem(), table, ordered.to_batches())
    commit(snapshot.location, Change(adds, list(instead_of), snapshot.writes))


def whole(lake, table):
    batches = [batch for _, batch in lake.snapshot(table, PREFIXES).rows(table.schema.names)]
    return pa.Table.from_batches(batches, table.schema)


def test_a_sound_catalog_passes_all(lake):
    options = CheckOptions(newest_file=timedelta(days=1))
    assert failed(lake, options) == {}
    assert failed(lake, options, [PREFIXES[1]]) == {}
    outcomes = check_catalog(lake, None, MODEL, options)
    assert len(outcomes) == 36 + 4, "those of the user's table as well"
    for outcome in outcomes:
        rows = Catalog(lake).sql(outcome.sql).fetchall()
        assert (len(rows) > 0) is (outcome.check.name in NO_CASES), outcome.sql


@pytest.mark.parametrize("table", MODEL.tables, ids=lambda table: table.name)
def test_a_key_that_stands_twice(lake, table):
    write(lake, table, whole(lake, table).slice(0, 2))
    outcome = failed(lake, only=table)[table.name, "key_is_unique"]
    assert (outcome.measured.found, outcome.severity, outcome.check.blocking) == (2, Severity.ERROR, True)


@pytest.mark.parametrize("table", MODEL.tables, ids=lambda table: table.name)
def test_a_column_that_is_not_declared(lake, table):
    lake.location(table).open().alter.add_columns([Field("owner", PrimitiveType("string"))])
    found = failed(lake)
    assert list(found) == [(table.name, "schema_is_as_declared")]
    assert found[table.name, "schema_is_as_declared"].measured.differences == ["owner is not declared"]


@pytest.mark.parametrize("table", [*MODEL.extracted, CATALOG], ids=lambda table: table.name)
def test_a_row_that_is_missing_and_one_without_a_file(lake, table):
    change(lake, table, path=lambda rows: ["/gone", *rows["path"].to_pylist()[1:]])
    outcome = failed(lake, only=table)[table.name, "one_row_per_indexed_file"]
    assert outcome.measured.kinds == {"files without a row": 1, "rows without a file": 1}
    assert outcome.measured.prefixes == ["a"]
    assert outcome.severity is Severity.WARN


@pytest.mark.parametrize("table", MODEL.extracted, ids=lambda table: table.name)
def test_too_many_errors(lake, table):
    change(lake, table, status=lambda rows: ["error", *rows["status"].to_pylist()[1:]])
    outcome = failed(lake, only=table)[table.name, "few_errors"]
    assert (outcome.measured.found, outcome.measured.looked_at) == (1, 7)
    assert outcome.found_text == "1 of 7 (14.29%)"
    assert (table.name, "few_errors") not in failed(
        lake, CheckOptions(of_table={table.name: Bounds(errors=0.2)}), only=table
    )


@pytest.mark.parametrize(("table", "state"), [(DICOM_HEADERS, "truncated"), (THUMBNAILS, "partial")])
def test_too_many_damaged_files(lake, table, state):
    change(lake, table, status=lambda rows: [state, *rows["status"].to_pylist()[1:]])
    assert failed(lake, only=table)[table.name, "few_damaged"].measured.found == 1
    assert (table.name, "few_damaged") not in failed(lake, CheckOptions(Bounds(damaged=0.2)), only=table)


def test_files_that_share_a_sop_instance_uid_and_how_they_differ(lake):
    change(
        lake,
        CATALOG,
        SOPInstanceUID=["1", "1", "2", "2", "3", "3", None],
        size=[7, 7, 7, 7, 7, 8, 7],
        sha256=["a", "a", "a", "b", "a", "a", "a"],
    )
    outcome = failed(lake, only=CATALOG)["object_catalog", "instance_is_unique"]
    assert outcome.measured.kinds == {"same_bytes": 2, "unknown": 4}
    assert outcome.severity is Severity.WARN


@pytest.mark.parametrize(
    ("name", "entity", "attribute", "values"),
    [
        ("study_agrees", "StudyInstanceUID", "PatientID", ["P1", "P2"]),
        ("study_agrees", "StudyInstanceUID", "StudyDate", [dt.date(2024, 1, 1), dt.date(2024, 1, 2)]),
        ("series_agrees", "SeriesInstanceUID", "Modality", ["CT", "PT"]),
        ("series_agrees", "SeriesInstanceUID", "StudyInstanceUID", ["1", "2"]),
        ("series_agrees", "SeriesInstanceUID", "FrameOfReferenceUID", ["1", "2"]),
    ],
)
def test_attributes_that_should_agree(lake, name, entity, attribute, values):
    alike = {"PatientID": ["P"] * 7, "StudyInstanceUID": ["8"] * 7, entity: ["9"] * 7}
    change(lake, CATALOG, **(alike | {attribute: [values[0]] * 6 + [None]}))
    assert ("object_catalog", name) not in failed(lake, only=CATALOG), "an absent value disagrees with none"
    change(lake, CATALOG, **{attribute: [values[0]] * 6 + [values[1]]})
    outcome = failed(lake, only=CATALOG)["object_catalog", name]
    assert outcome.measured.kinds == {attribute: 1}
    assert outcome.measured.prefixes == list(PREFIXES), "the study has files in both"


def test_thumbnails_of_one_grey_level(lake):
    change(lake, THUMBNAILS, status="ok", thumbnail=lambda rows: [jpeg(0), jpeg(0), *rows["thumbnail"].to_pylist()[2:]])
    outcome = failed(lake, only=THUMBNAILS)["thumbnails", "few_flat_thumbnails"]
    assert outcome.measured.found == 2
    assert outcome.measured.looked_at == 6, "the text file has none"
    assert outcome.measured.prefixes == ["a"]
    assert len(Catalog(lake).sql(outcome.sql).fetchall()) == 2
    assert ("thumbnails", "few_flat_thumbnails") not in failed(lake, CheckOptions(flat_thumbnails=0.5), only=THUMBNAILS)


def test_thumbnails_that_are_no_image(lake):
    change(lake, THUMBNAILS, status="ok", thumbnail=b"no image")
    assert failed(lake, only=THUMBNAILS)["thumbnails", "few_flat_thumbnails"].measured.found == 7


def test_a_sample_of_the_thumbnails_is_bounded_and_sql_finds_the_others(lake):
    change(lake, THUMBNAILS, status="ok", thumbnail=jpeg(0))
    outcome = failed(lake, CheckOptions(thumbnails_per_prefix=1), only=THUMBNAILS)["thumbnails", "few_flat_thumbnails"]
    assert (outcome.measured.found, outcome.measured.looked_at) == (2, 2)
    assert len(Catalog(lake).sql(outcome.sql).fetchall()) == 7


@pytest.mark.parametrize("table", MODEL.extracted, ids=lambda table: table.name)
@pytest.mark.parametrize(
    "columns",
    [{"extractor_version": "another"}, {"fingerprint": "another"}, {"fingerprint": None, "status": "error"}],
    ids=["version", "fingerprint", "unread"],
)
def test_a_catalog_that_is_behind_its_parents(lake, table, columns):
    change(lake, table, **columns)
    outcome = failed(lake, only=CATALOG)["object_catalog", "equals_its_parents"]
    assert outcome.measured.kinds == {BEHIND: 7, OTHER_STATE: 0}
    assert outcome.severity is Severity.WARN


@pytest.mark.parametrize("column", ["status", *(table.status_column for table in MODEL.extracted)])
@pytest.mark.parametrize("state", ["error", None])
def test_a_catalog_with_other_statuses_than_its_parents(lake, column, state):
    change(lake, CATALOG, **{column: lambda rows: [state, *rows[column].to_pylist()[1:]]})
    outcome = failed(lake, only=CATALOG)["object_catalog", "equals_its_parents"]
    assert outcome.measured.kinds == {BEHIND: 0, OTHER_STATE: 1}
    assert outcome.severity is Severity.ERROR


@pytest.mark.parametrize("mode", [UpdateMode.SYNC, UpdateMode.APPEND])
def test_a_catalog_of_whatever_happens_to_files_equals_its_parents(tmp_path, mode):
    source, lake = tmp_path / "source", Lake(str(tmp_path / "lake"))
    for number in range(8):
        put(source / PREFIXES[number % 2] / f"{number}.dcm", number)
    (source / "a" / "nowhere.dcm").symlink_to(tmp_path / "gone")
    (source / "a" / "cut.dcm").write_bytes((source / "a" / "0.dcm").read_bytes()[:200])
    (source / "a" / "empty").write_bytes(b"")
    update_catalog(str(source), lake, mode=mode)
    (source / "a" / "2.dcm").unlink()
    put(source / "a" / "4.dcm", 44)
    update_catalog(str(source), lake, mode=mode)
    told = failed(lake, model=DEFAULT_MODEL, only=OBJECT_CATALOG)
    assert ("object_catalog", "equals_its_parents") not in told
    assert ("object_catalog", "one_row_per_indexed_file") not in told
    change(lake, FILE_METADATA, error=CHANGED)
    told = failed(lake, model=DEFAULT_MODEL, only=OBJECT_CATALOG)["object_catalog", "equals_its_parents"]
    assert told.measured.kinds[OTHER_STATE] > 0, "such a row makes the catalog's pending"


def test_the_newest_file_is_too_old(lake):
    old = dt.datetime.now(dt.UTC) - timedelta(hours=48)
    change(lake, FILE_INDEX, modified_at=[old] * 7)
    hour = CheckOptions(newest_file=timedelta(hours=36))
    outcome = failed(lake, hour, only=FILE_INDEX)["file_index", "newest_file_is_recent"]
    assert outcome.found_text == "48.0 h"
    assert outcome.bound_text == "36 h"
    assert ("file_index", "newest_file_is_recent") not in failed(
        lake, CheckOptions(newest_file=timedelta(days=3)), only=FILE_INDEX
    )


def test_a_file_of_the_future_does_not_hide_that_nothing_has_arrived(lake):
    now = dt.datetime.now(dt.UTC)
    change(lake, FILE_INDEX, modified_at=[now + timedelta(days=900)] + [now - timedelta(hours=48)] * 6)
    outcome = failed(lake, CheckOptions(newest_file=timedelta(hours=36)), only=FILE_INDEX)[
        "file_index", "newest_file_is_recent"
    ]
    assert outcome.found_text == "48.0 h"


def test_only_prefixes_that_are_asked_for_are_looked_at(lake):
    change(lake, DICOM_HEADERS, path=lambda rows: ["/gone", *rows["path"].to_pylist()[1:]])
    assert failed(lake, prefixes=["it's b"]) == {}
    assert ("dicom_headers", "one_row_per_indexed_file") in failed(lake, prefixes=["a"])


def test_a_missing_table_is_said_and_what_compares_it_is_left_out(lake, tmp_path):
    shutil.rmtree(tmp_path / "lake" / "dicom" / "order")
    outcomes = check_catalog(lake, None, MODEL)
    assert {outcome.check.name for outcome in outcomes} == {"schema_is_as_declared"}
    (missing,) = [outcome for outcome in outcomes if not outcome.passed]
    assert missing.measured.differences == ["the table is missing"]


def test_what_cannot_be_meant_is_refused(lake, tmp_path):
    with pytest.raises(NoCatalogError, match="no catalog"):
        check_catalog(str(tmp_path / "nothing"))
    with pytest.raises(PrefixError, match="no row of prefix 'c'"):
        check_catalog(lake, ["c"])
    with pytest.raises(CheckOptionsError, match="bounds of 'nothing'"):
        checks_of(MODEL, CheckOptions(of_table={"nothing": Bounds()}))
    for wrong in ({"flat_thumbnails": 2}, {"thumbnails_per_prefix": 0}, {"newest_file": timedelta()}):
        with pytest.raises(CheckOptionsError, match=next(iter(wrong))):
            CheckOptions(**wrong)
    with pytest.raises(CheckOptionsError, match="errors is -1"):
        Bounds(errors=-1)
