"""Every command and every snippet of README and docs, run in its order, page by page."""

import json
import shutil
import tomllib
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import dagster as dg
import obstore
import pytest
import yaml
from obstore.store import from_url

from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.opening import open_catalog
from dicom_assets.spark.work import InProcess
from dicom_assets.storage.addresses import is_remote
from dicom_assets_tests.support.corpus import PYDICOM_FILES, copy_files
from dicom_assets_tests.support.object_server import BUCKET
from dicom_assets_tests.support.snippets import NOT_RUN, PAGES, PROJECT, Block, Shell, blocks_of

ARCHIVE = {
    "ct": ("CT_small.dcm", "JPEG2000.dcm"),
    "mr": ("MR_small.dcm", "MR_truncated.dcm"),
    "rt": ("rtplan.dcm", "rtplan_truncated.dcm", "README.txt"),
}
RUN_BY = {
    "transcript": "orchestration/test_component.py",
    "scaffolded": "orchestration/test_component.py",
    "notebook": "docs/test_notebook.py",
    "processes": "support/deployment.py",
}
"""Marks of blocks that another test runs."""
MARKS = {"file", "serves", NOT_RUN, "example", *RUN_BY}
LONG = {
    "bucket",
    "cohorts",
    "columns",
    "containers",
    "operations",
    "own-assets",
    "prefixes",
    "shell",
    "tutorial",
    "upgrade",
}
"""Pages whose commands take half a minute or more, and that others cover in part: the README the tutorial."""
NOT_RUN_AT_MOST = 9
ON_A_BUCKET = "bucket.md"


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """An archive and a lake with its catalog."""
    folder = tmp_path_factory.mktemp("data")
    update_catalog(str(copy_files(folder / "dicom", ARCHIVE)), str(folder / "lake"), engine=InProcess())
    return folder


@pytest.fixture(scope="session")
def bucket(made, object_server, tmp_path_factory):
    """A bucket of a real server, with the archive in it, and what stands for it in the documentation."""
    root = f"s3://{BUCKET}/{uuid.uuid4().hex}"
    _upload(object_server.environment, made / "dicom", f"{root}/dicom")
    return Shell(tmp_path_factory.mktemp("bucket"), {"s3://imaging": root}, object_server.environment)


def _upload(environment: Mapping[str, str], folder: Path, root: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        store = from_url(root)
        for path in sorted(folder.rglob("*.*")):
            obstore.put(store, path.relative_to(folder).as_posix(), path.read_bytes())


@pytest.fixture
def shell(made, tmp_path):
    """The folder of a page: the archive, a lake of its own, and a few files that pages name."""
    shutil.copytree(made / "lake", tmp_path / "data" / "lake")
    shutil.copytree(made / "dicom", tmp_path / "data" / "moved")
    shutil.copytree(made / "lake" / "dicom", tmp_path / "lake" / "ct")
    for name in ("scan.dcm", "image.dcm"):
        shutil.copy(PYDICOM_FILES / "CT_small.dcm", tmp_path / name)
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort" / "ids.csv").write_text("PatientID\n1CT1\n")
    return Shell(tmp_path, {"/data/dicom": str(made / "dicom"), "/data/": f"{tmp_path / 'data'}/"})


def test_every_block_says_what_it_is():
    blocks = [block for page in PAGES for block in blocks_of(page)]
    assert len(blocks) > 60
    for block in blocks:
        assert block.language in RUN, f"{block}: give it a language that is run, or `text`"
        assert set(block.marks) <= MARKS, f"{block}: {block.marks}"
    for mark, test in RUN_BY.items():
        assert f"<!-- {mark} -->" in (PROJECT / "dicom_assets_tests" / test).read_text(encoding="utf-8")
    left_out = [f"{block}: {block.marks[NOT_RUN]}" for block in blocks if NOT_RUN in block.marks]
    assert all(len(line.partition("): ")[2]) > 10 for line in left_out), left_out
    print(*left_out, sep="\n")
    assert len(left_out) <= NOT_RUN_AT_MOST, left_out


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] if page.stem in LONG else []) for page in PAGES],
    ids=lambda page: page.stem,
)
def test_blocks_of_a_page_run_in_their_order(page, request, tmp_path):
    blocks = [block for block in blocks_of(page) if not {NOT_RUN, *RUN_BY} & set(block.marks)]
    if not blocks:
        return
    if page.name == "tutorial.md":
        shell = Shell(tmp_path)
    else:
        shell = request.getfixturevalue("bucket" if page.name == ON_A_BUCKET else "shell")
    for block in blocks:
        try:
            RUN[block.language](block, shell)
        except Exception as error:
            error.add_note(f"in {block}")
            raise


def _python(block: Block, shell: Shell) -> None:
    name = block.marks.get("file") or block.marks.get("example")
    if name:
        (shell.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shell.folder / name).write_text(shell.here(block.code), encoding="utf-8")
        shell.run(f"python -W ignore {name}")
    else:
        shell.run_python(block.code)


def _sh(block: Block, shell: Shell) -> None:
    if "serves" in block.marks:
        shell.serve(block.code, block.marks["serves"] or "/server_info")
    else:
        # Credentials of the documentation are made up; those of the server are there.
        shell.run("\n".join(line for line in block.code.splitlines() if not line.startswith("export AWS_")))


def _console(block: Block, shell: Shell) -> None:
    shell.transcript(block.code)


def _sql(block: Block, shell: Shell) -> None:
    code = block.code if "SELECT" in block.code else f"SELECT {block.code} FROM object_catalog"
    lake = shell.here("/data/lake")
    assert not is_remote(lake)
    open_catalog(lake).sql(code).fetchall()


def _yaml(block: Block, shell: Shell) -> None:
    content = yaml.safe_load(block.code)
    name = block.marks.get("file")
    if name:
        (shell.folder / name).write_text(shell.here(block.code), encoding="utf-8")
    if name == "dagster.yaml":
        content.pop("storage", None)  # a database that is not here
        folder = shell.folder / uuid.uuid4().hex
        folder.mkdir()
        (folder / "dagster.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            assert instance.is_persistent
    elif name is None:
        assert set(content) == {"ops"}, "say which file it is, or make it run config"
        definitions = build_definitions(ArchiveResource(source="/a"), LakeResource(root_uri="/l"))
        for job in ("__ASSET_JOB", "maintenance"):
            known = {node.name for node in definitions.resolve_job_def(job).nodes}
            if set(content["ops"]) <= known:
                assert dg.validate_run_config(definitions.resolve_job_def(job), content)
                return
        pytest.fail(f"no job has the ops {set(content['ops'])}")


def _toml(block: Block, _: Shell) -> None:
    tomllib.loads(block.code)


def _json(block: Block, _: Shell) -> None:
    json.loads(block.code)


def _text(_: Block, __: Shell) -> None:
    """Nothing to run: a drawing."""


RUN: Mapping[str, Callable[[Block, Shell], None]] = {
    "bash": _sh,
    "console": _console,
    "json": _json,
    "python": _python,
    "sh": _sh,
    "sql": _sql,
    "text": _text,
    "toml": _toml,
    "yaml": _yaml,
}


def test_pages_are_found():
    assert PROJECT / "docs" / "tutorial.md" in PAGES
