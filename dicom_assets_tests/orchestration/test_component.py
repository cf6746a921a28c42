"""``DicomCatalogComponent`` in a project of an empty folder: scaffolded, checked, launched, and from the browser."""

import os
import shutil
import signal
import subprocess
import time
import tomllib
import urllib.error

import dagster as dg
import pytest
import yaml
from dagster import ScaffoldRequest
from dagster.components.testing import create_defs_folder_sandbox

import dicom_assets
from dicom_assets import DicomCatalogComponent
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.orchestration.describe import attribute_rows, component_page
from dicom_assets.orchestration.scaffold import DicomCatalogScaffolder, ScaffoldParams
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.project import CHECKOUT, TYPE, Project, is_registered
from dicom_assets_tests.support.ui import Ui

NAMES = ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm")
PAGE = CHECKOUT / "docs" / "component.md"
PLACES = {"source": "archive", "lake": "lake"}

needs_registration = pytest.mark.skipif(
    not is_registered(), reason="dg does not know the package yet: install it again (make install)"
)


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "imaging")
    for prefix in ("a", "b"):
        folder = project.root / "archive" / prefix
        folder.mkdir(parents=True)
        for name in NAMES:
            shutil.copy(PYDICOM_FILES / name, folder)
    return project


def cataloged(project, name):
    rows = dicom_assets.open_catalog(str(project.root / "lake"), schema=name).sql(
        "SELECT relative_path, status FROM object_catalog ORDER BY relative_path"
    )
    return rows.fetchall()


def block(mark, language):
    """Return the block of the page that follows a mark."""
    rest = PAGE.read_text(encoding="utf-8").partition(mark)[2]
    return rest.partition(f"```{language}\n")[2].partition("```")[0]


def transcript():
    """Return the commands that the page shows."""
    return block("<!-- transcript -->", "bash")


def test_the_package_says_where_dg_finds_the_component():
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert settings["dagster_dg_cli.registry_modules"] == {"dicom_assets": "dicom_assets"}
    assert "DicomCatalogComponent" in dir(dicom_assets)


@needs_registration
def test_the_transcript_of_the_page_in_an_empty_project(project):
    commands = transcript()
    assert commands.count("\n") >= 6
    done = project.all_of(commands)
    assert done.returncode == 0, done.stdout
    assert "All component YAML validated successfully." in done.stdout
    assert "All definitions loaded successfully." in done.stdout
    assert cataloged(project, "ct") == [(f"a/{name}", "ok") for name in sorted(NAMES)]


@needs_registration
@pytest.mark.slow
def test_the_same_by_one_process_a_command(project):
    for line in transcript().splitlines():
        done = project.dg(*line.split()[1:])
        assert done.returncode == 0, f"{line}: {done.stdout}"
    assert cataloged(project, "ct") == [(f"a/{name}", "ok") for name in sorted(NAMES)]


@needs_registration
@pytest.mark.slow
def test_dg_dev_serves_two_catalogs_and_the_browser_materializes_a_partition(project):
    for name in ("ct", "mr"):
        project.write(name, f"  name: {name}\n  source: archive\n  lake: lake\n  sensor:\n    running: false\n")
    (port,) = free_ports(1)
    with (project.root / "log").open("w") as log:
        server = project.start("dg", "dev", "--port", str(port), "--host", "127.0.0.1", log=log)
        try:
            page = Ui(port)
            page.wait_until_it_answers(server)
            assert materialized(page, "ct") == "SUCCESS"
        finally:
            os.killpg(server.pid, signal.SIGINT)
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
    assert cataloged(project, "ct") == [(f"a/{name}", "ok") for name in sorted(NAMES)]
    assert not (project.root / "lake" / "mr").exists()


def materialized(page, name):
    """Materialize all tables of a catalog for a prefix; returns how the run ended."""
    for _ in range(120):  # the page answers before the code location is loaded
        try:
            added = page.add_partition("imaging", f"{name}_prefix", "a")
        except (urllib.error.HTTPError, TypeError):
            added = "not yet"
        if added == "AddDynamicPartitionSuccess":
            break
        time.sleep(1)
    return page.materialize("imaging", [[name, table.name] for table in DEFAULT_MODEL.tables], "a")


def loaded(*attributes):
    """Return the definitions of a project with a component for each set of attributes."""
    with create_defs_folder_sandbox() as sandbox:
        for number, given in enumerate(attributes):
            sandbox.scaffold_component(
                DicomCatalogComponent,
                defs_path=f"catalog_{number}",
                defs_yaml_contents={"type": TYPE, "attributes": {**PLACES, **given}},
            )
        with sandbox.build_all_defs() as definitions:
            return definitions, sandbox.project_root


def refusal(*attributes):
    """Return the chain of messages with which a project is refused."""
    try:
        loaded(*attributes)
    except Exception as caught:  # noqa: BLE001  # what Dagster makes of it is of several classes
        error: BaseException | None = caught
    else:
        pytest.fail("it was taken")
    messages = []
    while error is not None:
        messages.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(messages)


def test_columns_and_pixel_hashes_reach_the_tables():
    definitions, _ = loaded({"columns": ["Weight=PatientWeight:number"], "pixel_hash": True})
    specs = {spec.key.path[-1]: spec for spec in definitions.resolve_all_asset_specs()}
    assert "pixel_hashes" in specs
    assert specs["dicom_headers"].code_version.startswith("headers-")
    for table in ("dicom_headers", "object_catalog"):
        assert "Weight" in [column.name for column in specs[table].metadata["dagster/column_schema"].columns]


def test_a_column_that_is_none_is_refused_with_what_is_near():
    assert "PatientWeight" in refusal({"columns": ["PatientWieght"]})


def test_attributes_reach_what_they_are_about(monkeypatch):
    monkeypatch.setenv("CT_ARCHIVE", "s3://bucket/ct")
    definitions, root = loaded(
        {
            "name": "ct",
            "source": "{{ env.CT_ARCHIVE }}",
            "source_options": {"region": "eu-central-1"},
            "lake": "lakes/ct",
            "schema_name": "shown",
            "prefix_depth": 2,
            "sha256": True,
            "thumbnails": {"longest_side": 128},
            "sensor": {"running": False, "interval_seconds": 120, "mode": "append"},
            "maintenance_cron": "0 1 * * 0",
            "checks": {"newest_file_hours": 24},
            "spark": {"config": {"spark.master": "local[1]", "spark.ui.enabled": False}, "small_files": 0},
        }
    )
    resources = definitions.resources
    archive, lake, spark = (resources[f"ct_{key}"] for key in ("archive", "lake", "spark"))
    assert (archive.source, archive.prefix_depth) == ("s3://bucket/ct", 2)
    assert archive.storage_options == {"region": "eu-central-1"}
    assert (lake.root_uri, lake.schema_name) == (str(root / "lakes" / "ct"), "shown")
    assert (spark.spark_config["spark.ui.enabled"], spark.small_files) == ("false", 0)
    versions = {spec.key.path[-1]: spec.code_version for spec in definitions.resolve_all_asset_specs()}
    assert versions["file_metadata"] == "metadata-2+sha256"
    assert "longest_side=128" in versions["thumbnails"] or "128" in versions["thumbnails"]
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("ct_archive_sensor")
    assert sensor.minimum_interval_seconds == 120
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    assert "newest_file" in " ".join(key.name for key in repository.asset_graph.asset_check_keys)
    assert repository.get_schedule_def("ct_nightly_maintenance").cron_schedule == "0 1 * * 0"


def test_an_empty_name_gives_the_names_of_build_definitions():
    definitions, _ = loaded({"name": ""})
    assert dg.AssetKey("object_catalog") in {spec.key for spec in definitions.resolve_all_asset_specs()}
    assert definitions.resources["lake"].schema_name == "dicom"


def test_a_project_with_an_executor_of_its_own_keeps_it():
    definitions, _ = loaded({"in_process": False})
    assert definitions.executor is None


def test_extractors_by_dotted_path():
    definitions, _ = loaded({"extractors": ["dicom_assets_tests.support.misbehaving.Misbehaving"]})
    keys = {spec.key for spec in definitions.resolve_all_asset_specs()}
    assert dg.AssetKey(["dicom", "misbehaving"]) in keys


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"source": "{{ env.NOT_SET_ANYWHERE }}"}, "nothing is given: write a folder or a bucket URI"),
        ({"lake": " "}, "nothing is given: write a folder or a bucket URI"),
        ({"name": "c t"}, "a catalog cannot be called 'c t'"),
        ({"schema_name": "../x"}, "schema"),
        ({"prefix_depth": -1}, "-1 is too small: take 0 or more"),
        ({"sensor": {"tick_seconds": 90}}, "take seconds above 0 and below 60"),
        ({"sensor": {"interval_seconds": 0}}, "take 1 or more"),
        ({"sensor": {"mode": "overwrite"}}, "'sync' or 'append'"),
        ({"thumbnails": {"jpeg_quality": 100}}, "take 1 to 95"),
        ({"lake_options": {"region": "x"}}, "lake_options need a `provider`, one of azure, gcs, local, s3"),
        ({"lake_options": {"provider": "s3", "regoin": "x"}}, "know no regoin; there are"),
        ({"extractors": ["nothing"]}, "there is no extractor 'nothing'"),
        ({"extractors": ["no_module.Here"]}, "cannot be loaded: ModuleNotFoundError"),
        ({"extractors": ["os.path.join"]}, "cannot be loaded|is no Extractor"),
        ({"checks": {"errors": 2}}, "give a number from 0 to 1"),
        ({"maintenance_cron": "daily"}, "cron"),
        ({"sources": "x"}, "sources"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_in_words_that_help(attributes, said):
    import re

    assert re.search(said, refusal(attributes))


def test_a_secret_from_the_environment_is_kept_from_dagster(monkeypatch):
    monkeypatch.setenv("STORE_SECRET", "not for the eyes of others")
    options = {"secret_access_key": "{{ env.STORE_SECRET }}", "region": "eu-central-1"}
    definitions, _ = loaded(
        {"source": "s3://bucket/ct", "source_options": options, "lake_options": {"provider": "s3", **options}}
    )
    archive, lake = (definitions.resources[f"dicom_{key}"] for key in ("archive", "lake"))
    assert archive.storage_options["secret_access_key"] == dg.EnvVar("STORE_SECRET")
    assert lake.storage_options.secret_access_key == dg.EnvVar("STORE_SECRET")


def test_a_refusal_shows_no_secret(monkeypatch):
    monkeypatch.setenv("STORE_SECRET", "not for the eyes of others")
    said = refusal({"lake_options": {"secret_access_key": "{{ env.STORE_SECRET }}"}})
    assert "lake_options need a `provider`" in said
    assert "eyes of others" not in said


def scaffolded(tmp_path, folder="ct", scaffold_format="yaml", append=False, **params):
    target = tmp_path / folder
    target.mkdir(exist_ok=True)
    request = ScaffoldRequest(
        TYPE, target / "defs.yaml" if append else target, scaffold_format, tmp_path, ScaffoldParams(**params), append
    )
    DicomCatalogScaffolder().scaffold(request)
    return target


def test_what_is_scaffolded_takes_its_places_from_the_environment_unless_they_are_given(tmp_path):
    text = (scaffolded(tmp_path, "chest-ct 2") / "defs.yaml").read_text()
    assert yaml.safe_load(text)["attributes"] == {
        "name": "chest_ct_2",
        "source": "{{ env.DICOM_ASSETS_SOURCE }}",
        "lake": "{{ env.DICOM_ASSETS_LAKE }}",
        "prefix_depth": 1,
    }
    odd = '/data/it\'s "1: #2" ü'
    text = (scaffolded(tmp_path, source=odd, lake="s3://lake", prefix_depth=2) / "defs.yaml").read_text()
    assert yaml.safe_load(text)["attributes"] == {"name": "ct", "source": odd, "lake": "s3://lake", "prefix_depth": 2}


def test_one_more_catalog_is_scaffolded_into_the_same_file(tmp_path):
    scaffolded(tmp_path)
    target = scaffolded(tmp_path, append=True, name="mr", source="mr")
    both = list(yaml.safe_load_all((target / "defs.yaml").read_text()))
    assert [one["attributes"]["name"] for one in both] == ["ct", "mr"]
    assert {one["type"] for one in both} == {TYPE}


@pytest.mark.parametrize("params", [{}, {"source": "archive", "lake": "lake"}])
def test_a_component_is_scaffolded_in_python_too(tmp_path, monkeypatch, params):
    monkeypatch.setenv("DICOM_ASSETS_SOURCE", "archive")
    monkeypatch.setenv("DICOM_ASSETS_LAKE", "lake")
    code = (scaffolded(tmp_path, scaffold_format="python", **params) / "component.py").read_text()
    names: dict = {}
    exec(compile(code, "component.py", "exec"), names)
    component = names["load"].load_fn(None) if hasattr(names["load"], "load_fn") else names["load"](None)
    assert (component.name, component.source, component.lake) == ("ct", "archive", "lake")


def test_two_catalogs_of_one_name_or_of_the_same_tables_are_refused():
    assert "two catalogs of this project are called 'ct'" in refusal({"name": "ct"}, {"name": "ct"})
    shared = refusal({"name": "ct", "schema_name": "x"}, {"name": "mr", "schema_name": "x"})
    assert "would share the tables in 'x' of one lake" in shared
    definitions, _ = loaded({"name": "ct"}, {"name": "mr"})
    keys = {spec.key for spec in definitions.resolve_all_asset_specs()}
    assert {dg.AssetKey([name, table.name]) for name in ("ct", "mr") for table in DEFAULT_MODEL.tables} <= keys
    assert {key.path[0] for key in keys} == {"ct", "mr"}


def test_the_page_is_as_the_code_says():
    page = PAGE.read_text(encoding="utf-8")
    assert page == component_page(page), "write it anew: make reference"


def test_the_page_shows_what_is_scaffolded(tmp_path):
    shown = block("<!-- scaffolded -->", "yaml")
    assert (scaffolded(tmp_path, source="archive", lake="lake") / "defs.yaml").read_text() == shown


def test_the_python_of_the_page_loads(tmp_path):
    blocks = [part.partition("```")[0] for part in PAGE.read_text(encoding="utf-8").split("```python\n")[1:]]
    on_top, merged = (next(one for one in blocks if word in one) for word in ("thin_ct", "Definitions.merge"))
    names: dict = {}
    exec(merged, names)
    exec(on_top, names)
    both = dg.Definitions.merge(names["defs"], dg.Definitions(assets=[names["thin_ct"]]))
    both.get_repository_def().load_all_definitions()


def test_every_attribute_is_described():
    for model in (
        DicomCatalogComponent,
        *(DicomCatalogComponent.model_fields[name].annotation for name in ("checks", "sensor", "spark", "thumbnails")),
    ):
        assert all(field.description for field in model.model_fields.values())
    assert "`sensor.tick_seconds`" in "\n".join(attribute_rows())
