"""What users build: assets that take data frames of the catalog and return some, on a real instance and real tables."""

import datetime as dt
from operator import itemgetter

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from dagster_deltalake import LocalConfig
from dagster_deltalake_pandas import DeltaLakePandasIOManager
from deltalake import DeltaTable

from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.frames import FrameError
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.user_tables import UserTableError
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.orchestration.assets.object_catalog import build_object_catalog
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.partitions import PREFIXES
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.storage.addresses import without_secrets

KEYS = ["2024/01", "50% off", "a%2Fb", "it's"]
SINGLE_RUN = dg.BackfillPolicy.single_run()


def catalog_rows():
    """Two files of every prefix; of the first prefix, whole numbers are missing."""
    return [
        {
            "prefix": key,
            "path": f"/archive/{key}/{name}.dcm",
            "modified_at": dt.datetime(2024, 1, 31, 12, 0, 0, 123456, tzinfo=dt.UTC),
            "is_dicom": None if key == KEYS[0] else True,
            "Modality": modality,
            "StudyDate": None if key == KEYS[0] else dt.date(2024, 1, 31),
            "PixelSpacing": [] if key == KEYS[0] else [0.5, 0.25],
            "ImageType": None if key == KEYS[0] else ["ORIGINAL", "PRIMARY"],
            "InstanceNumber": None if name == "ct" else 7,
            "issues": [{"path": "00100030", "vr": "DA", "code": "format", "raw": "x"}],
            "thumbnail": b"\xff\xd8\x00" if name == "ct" else None,
        }
        for key in KEYS
        for name, modality in (("ct", "CT"), ("mr", "MR"))
    ]


@pytest.fixture
def lake(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    lake.ensure([OBJECT_CATALOG])
    location = lake.location(OBJECT_CATALOG)
    rows = pa.Table.from_pylist(catalog_rows(), OBJECT_CATALOG.schema)
    adds = write_batches(location.filesystem(), OBJECT_CATALOG, rows.to_batches())
    commit(location, Change(adds, [], dict.fromkeys(KEYS, 0)))
    return lake


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("prefix", KEYS)
        yield instance


@pytest.fixture
def run(lake, instance):
    """Materialize assets beside the definitions of the catalog, for some neighbouring partitions or without any."""
    catalog = build_definitions(lake=LakeResource(root_uri=lake.root))

    def materialize(*assets, keys=None, upstream=()):
        tags = None
        if keys and len(keys) > 1:
            tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        return dg.materialize(
            [build_object_catalog(DEFAULT_MODEL), *upstream, *assets],
            instance=instance,
            selection=list(assets),
            partition_key=keys[0] if keys and len(keys) == 1 else None,
            tags=tags,
            resources=catalog.resources,
        )

    return materialize


def stored(lake, name="cohort", order=("prefix", "path")):
    """Return the rows of a user's table."""
    rows = pa.table(DeltaTable(f"{lake.root}/dicom/{name}").scan()).to_pylist()
    return sorted(rows, key=itemgetter(*order))


def prefixes_stored(lake, name="cohort"):
    return sorted(row["prefix"] for row in pa.table(DeltaTable(f"{lake.root}/dicom/{name}").scan()).to_pylist())


def metadata_of(result, name="cohort"):
    """Return the metadata of each materialization of an asset by its partition."""
    return {
        event.partition: event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(name)
    }


def partitioned(body, name="cohort", **options):
    """Return an asset with the partitions of the catalog that makes a frame of the rows of its prefixes."""

    @dg.asset(name=name, partitions_def=PREFIXES, backfill_policy=SINGLE_RUN, **options)
    def made(object_catalog: pd.DataFrame) -> pd.DataFrame:
        return body(object_catalog)

    return made


COHORT = partitioned(lambda catalog: catalog[catalog["Modality"] == "CT"])


@pytest.mark.parametrize("keys", [[key] for key in KEYS] + [KEYS[:2], KEYS[1:], KEYS])
def test_one_prefix_several_and_all_are_read_and_written(lake, run, keys):
    result = run(COHORT, keys=keys)
    assert [row["path"] for row in stored(lake)] == sorted(f"/archive/{key}/ct.dcm" for key in keys)
    metadata = metadata_of(result)
    assert {key: entry["dagster/row_count"].value for key, entry in metadata.items()} == dict.fromkeys(keys, 1)


def test_materializing_some_prefixes_replaces_their_rows_alone(lake, run):
    run(COHORT, keys=KEYS)
    run(partitioned(lambda catalog: catalog), keys=KEYS[:2])
    assert prefixes_stored(lake) == sorted([*KEYS[:2], *KEYS])
    run(COHORT, keys=KEYS[1:3])
    assert prefixes_stored(lake) == sorted([KEYS[0], *KEYS])
    assert DeltaTable(f"{lake.root}/dicom/cohort").version() == 3


def test_a_frame_from_which_no_table_can_be_made_is_told(run):
    @dg.asset
    def nothing() -> pd.DataFrame:
        return pd.DataFrame({"score": []})

    with pytest.raises(UserTableError, match="no column has a value or a type"):
        run(nothing)


def test_an_asset_without_partitions_takes_all_and_is_replaced_as_a_whole(lake, run):
    @dg.asset
    def by_modality(object_catalog: pd.DataFrame) -> pd.DataFrame:
        return object_catalog.groupby("Modality").agg(files=("path", "size"))

    for _ in range(2):
        result = run(by_modality)
    assert stored(lake, "by_modality", ["Modality"]) == [{"Modality": "CT", "files": 4}, {"Modality": "MR", "files": 4}]
    assert metadata_of(result, "by_modality")[None]["dagster/row_count"].value == 2


def test_the_type_of_a_column_may_change_with_the_whole_table(lake, run):
    @dg.asset(name="roll_up")
    def numbers() -> pd.DataFrame:
        return pd.DataFrame({"a": [1]})

    @dg.asset(name="roll_up")
    def words() -> pd.DataFrame:
        return pd.DataFrame({"a": ["x"], "b": [1.5]})

    run(numbers)
    run(words)
    assert stored(lake, "roll_up", ["a"]) == [{"a": "x", "b": 1.5}]


def test_a_partitioned_asset_may_take_all_partitions(lake, run):
    @dg.asset(
        partitions_def=PREFIXES,
        ins={"object_catalog": dg.AssetIn(partition_mapping=dg.AllPartitionMapping())},
    )
    def share(context: dg.AssetExecutionContext, object_catalog: pd.DataFrame) -> pd.DataFrame:
        own = object_catalog["prefix"] == context.partition_key
        return pd.DataFrame({"share": [own.mean()]})

    run(share, keys=[KEYS[3]])
    assert stored(lake, "share", ["prefix"]) == [{"prefix": KEYS[3], "share": 0.25}]


def test_assets_are_chained_through_their_tables(lake, run):
    @dg.asset
    def size_of_cohort(cohort: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"files": [len(cohort)]})

    run(COHORT, keys=KEYS)
    run(size_of_cohort, upstream=[COHORT])
    assert stored(lake, "size_of_cohort", ["files"]) == [{"files": 4}]


@pytest.mark.parametrize("keys", [KEYS[:1], KEYS])
def test_every_column_of_the_catalog_survives_the_round_trip(lake, run, keys):
    run(partitioned(lambda catalog: catalog), keys=keys)
    copy = DeltaTable(f"{lake.root}/dicom/cohort")
    types = {field.name: field.type for field in pa.schema(copy.schema().to_arrow())}
    assert types == {field.name: field.type for field in OBJECT_CATALOG.schema}
    expected = pa.Table.from_pylist([row for row in catalog_rows() if row["prefix"] in keys], OBJECT_CATALOG.schema)
    assert stored(lake) == sorted(expected.to_pylist(), key=itemgetter("prefix", "path"))


def test_frames_have_the_types_that_users_expect(run):
    seen = {}

    @dg.asset
    def look(object_catalog: pd.DataFrame) -> None:
        seen.update(
            object_catalog.dtypes.astype(str), rows=len(object_catalog), thumbnail=object_catalog["thumbnail"][0]
        )

    run(look)
    assert seen["InstanceNumber"] == "Int32"
    assert seen["is_dicom"] == "boolean"
    assert seen["modified_at"] == "datetime64[us, UTC]"
    assert seen["Modality"] == "object"
    assert seen["rows"] == 8


def test_columns_are_selected_by_the_metadata_of_the_input(run):
    seen = []

    @dg.asset(ins={"object_catalog": dg.AssetIn(metadata={"columns": ["Modality", "path"]})})
    def look(object_catalog: pd.DataFrame) -> None:
        seen.extend(object_catalog.columns)

    run(look)
    assert seen == ["Modality", "path"]


def test_a_column_that_is_not_there_is_told(run):
    @dg.asset(ins={"object_catalog": dg.AssetIn(metadata={"columns": ["Modalty"]})})
    def look(object_catalog: pd.DataFrame) -> None: ...

    with pytest.raises(UserTableError, match="has no column Modalty"):
        run(look)


def test_a_frame_without_rows_empties_its_prefix(lake, run):
    run(COHORT, keys=KEYS)
    result = run(partitioned(lambda catalog: catalog.iloc[:0]), keys=KEYS[:1])
    assert prefixes_stored(lake) == sorted(KEYS[1:])
    assert metadata_of(result)[KEYS[0]]["dagster/row_count"].value == 0
    run(partitioned(lambda _: pd.DataFrame()), keys=KEYS[1:])
    assert stored(lake) == []


def test_the_prefix_is_filled_in_for_one_partition_and_asked_for_with_several(lake, run):
    made = partitioned(lambda _: pd.DataFrame({"path": ["p"], "score": [1.0]}))
    run(made, keys=KEYS[3:])
    assert stored(lake) == [{"prefix": KEYS[3], "path": "p", "score": 1.0}]
    with pytest.raises(UserTableError, match="rows for 4 partitions need the column prefix to tell them apart"):
        run(made, keys=KEYS)
    assert len(stored(lake)) == 1


@pytest.mark.parametrize("first", [{"path": [], "score": []}, {}])
def test_the_first_frame_may_be_empty(lake, run, first):
    run(partitioned(lambda _: pd.DataFrame(first)), keys=KEYS[:1])
    assert stored(lake) == []
    run(partitioned(lambda _: pd.DataFrame({"path": ["p"], "score": [0.5]})), keys=KEYS[:1])
    assert stored(lake) == [{"prefix": KEYS[0], "path": "p", "score": 0.5}]


def test_rows_of_other_prefixes_are_refused(lake, run):
    run(COHORT, keys=KEYS)
    stranger = partitioned(lambda _: pd.DataFrame({"prefix": [KEYS[0], KEYS[3]], "path": ["x", "y"]}))
    with pytest.raises(UserTableError, match=f"rows of other partitions than those of this run: {KEYS[3]} "):
        run(stranger, keys=KEYS[:1])
    nowhere = partitioned(lambda _: pd.DataFrame({"prefix": [KEYS[0], None], "path": ["x", "y"]}))
    with pytest.raises(UserTableError, match="belong to no partition"):
        run(nowhere, keys=KEYS[:1])
    assert prefixes_stored(lake) == sorted(KEYS)


def test_a_column_added_later_is_null_before_and_one_left_out_is_null_after(lake, run):
    run(COHORT, keys=KEYS[:2])
    run(partitioned(lambda catalog: catalog[["prefix", "path"]].assign(score=1)), keys=KEYS[1:2])
    rows = {row["path"]: row for row in stored(lake)}
    assert rows[f"/archive/{KEYS[0]}/ct.dcm"]["score"] is None
    assert rows[f"/archive/{KEYS[0]}/ct.dcm"]["Modality"] == "CT"
    assert rows[f"/archive/{KEYS[1]}/ct.dcm"]["score"] == 1
    assert rows[f"/archive/{KEYS[1]}/ct.dcm"]["Modality"] is None


def test_values_that_do_not_fit_a_column_are_refused(lake, run):
    def score(value):
        return partitioned(lambda _: pd.DataFrame({"path": ["p"], "score": [value]}))

    run(score(1), keys=KEYS[:1])
    run(score(2.0), keys=KEYS[1:2])
    with pytest.raises(FrameError, match=r"column score: .*truncated"):
        run(score(1.5), keys=KEYS[:1])
    with pytest.raises(FrameError, match="column score: the table holds int64, the data frame string"):
        run(score("x"), keys=KEYS[:1])
    assert [row["score"] for row in stored(lake)] == [1, 2]


def test_metadata_shows_the_columns_and_the_place(lake, run):
    metadata = metadata_of(run(COHORT, keys=KEYS[:2]))[KEYS[0]]
    columns = {column.name: column.type for column in metadata["dagster/column_schema"].value.columns}
    assert columns["thumbnail"] == "binary"
    assert metadata["dagster/uri"].value == f"{lake.root}/dicom/cohort"
    assert metadata["dagster/table_name"].value == "dicom.cohort"
    assert metadata["delta_version"].value == 1


def test_keys_of_several_parts_and_schemas_have_tables_of_their_own(lake, run):
    @dg.asset(key_prefix="study", name="file_index")
    def own() -> pd.DataFrame:
        return pd.DataFrame({"a": [1]})

    @dg.asset(metadata={"schema": "research"})
    def elsewhere() -> pd.DataFrame:
        return pd.DataFrame({"a": [1]})

    run(own)
    run(elsewhere)
    assert len(stored(lake, "study__file_index", ["a"])) == 1
    assert len(pa.table(DeltaTable(f"{lake.root}/research/elsewhere").scan())) == 1


def test_an_input_that_was_never_materialized_is_told(run):
    @dg.asset
    def base() -> pd.DataFrame: ...

    @dg.asset
    def above(base: pd.DataFrame) -> None: ...

    with pytest.raises(UserTableError, match="materialize its asset first"):
        run(above, upstream=[base])


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("/data/lake/dicom/cohort", "/data/lake/dicom/cohort"),
        ("s3://bucket/lake", "s3://bucket/lake"),
        ("s3://key:secret@bucket/lake?sig=secret#x", "s3://bucket/lake"),
    ],
)
def test_places_are_shown_without_secrets(uri, shown):
    assert without_secrets(uri) == shown


class TestStockIOManager:
    """Why there is an IO manager of our own: when one of these fails, upstream has fixed it."""

    @pytest.fixture
    def materialize(self, tmp_path, instance):
        @dg.asset(partitions_def=PREFIXES, backfill_policy=SINGLE_RUN, metadata={"partition_expr": "prefix"})
        def cohort(context: dg.AssetExecutionContext) -> pd.DataFrame:
            return pd.DataFrame({"prefix": context.partition_keys, "n": 1})

        manager = DeltaLakePandasIOManager(root_uri=str(tmp_path), schema="dicom", storage_options=LocalConfig())

        def run(*keys):
            tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
            selected = {"tags": tags} if len(keys) > 1 else {"partition_key": keys[0]}
            return dg.materialize([cohort], instance=instance, resources={"io_manager": manager}, **selected)

        return run

    def test_a_run_over_several_keys_overwrites_the_whole_table(self, materialize, tmp_path):
        for key in KEYS:
            materialize(key)
        assert prefixes_stored(Lake(str(tmp_path))) == sorted(KEYS)
        materialize(*KEYS[:2])
        assert prefixes_stored(Lake(str(tmp_path))) == sorted(KEYS[:2])

    def test_row_counts_are_never_shown(self, materialize):
        metadata = metadata_of(materialize(KEYS[0]))[KEYS[0]]
        assert "num_rows" not in metadata
        assert "size_bytes" not in metadata
