"""The worked examples of docs/extractors.md, from outside of the package, as a user would have them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from dicom_assets.delta.lake import Lake
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.database import Catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.corpus import PYDICOM_FILES

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "extractors.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (\w+\.py) -->\n```python\n(.*?)```", PAGE, re.DOTALL))
CLASSES = {"pdf_text": "PdfText", "intensity": "MeanIntensity"}
IMAGES = ("CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm")


def pdf(text: str) -> bytes:
    """Return a document of one page."""
    stream = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(out),
    )


def put_document(path: Path, content: bytes) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, EncapsulatedPDFStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3.1"
    document = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    document.SOPClassUID, document.SOPInstanceUID = EncapsulatedPDFStorage, "1.2.3.1"
    document.Modality, document.MIMETypeOfEncapsulatedDocument = "DOC", "application/pdf"
    document.EncapsulatedDocument = content + b" " * (len(content) % 2)
    document.save_as(path, enforce_file_format=True)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source" / "a"
    folder.mkdir(parents=True)
    for name in IMAGES:
        (folder / name).write_bytes((PYDICOM_FILES / name).read_bytes())
    put_document(folder / "report.dcm", pdf("No acute findings."))
    put_document(folder / "broken.dcm", b"%PDF-1.4 and no more of it")
    (folder / "notes.txt").write_text("no DICOM")
    return tmp_path / "source"


@pytest.fixture
def site(tmp_path):
    """A folder of installed packages: the examples, and the entry points that offer them."""
    folder = tmp_path / "site"
    metadata = folder / "examples-1.0.dist-info"
    metadata.mkdir(parents=True)
    for name, code in EXAMPLES.items():
        (folder / name).write_text(code, encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: examples\nVersion: 1.0\n")
    offers = "".join(f"{name} = {name}:{made}\n" for name, made in CLASSES.items())
    (metadata / "entry_points.txt").write_text(f"[dicom_assets.extractors]\n{offers}")
    return folder


def command(site: Path, *arguments: str) -> str:
    """Run the command line with the examples installed, and return what it printed."""
    path = os.pathsep.join([str(site), str(PROJECT)])
    done = subprocess.run(
        [sys.executable, "-c", "from dicom_assets.cli import main; main()", *arguments],
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(lake: str, query: str) -> list[tuple]:
    return Catalog(Lake(lake)).sql(query).fetchall()


def test_each_example_has_under_twenty_lines_of_its_own():
    assert set(EXAMPLES) == {f"{name}.py" for name in CLASSES}
    for name, code in EXAMPLES.items():
        own = [line for line in code.splitlines() if line.strip() and not re.match(r"(from|import) ", line)]
        print(name, len(own), "lines")
        assert len(own) < 20


def test_installed_examples_are_extracted_joined_checked_and_incremental(source, site, tmp_path):
    lake = str(tmp_path / "lake")
    command(site, "catalog", str(source), "--lake", lake)
    texts = dict(rows(lake, "SELECT file_name, pdf_text FROM object_catalog WHERE pdf_text_status = 'ok'"))
    assert texts == {"report.dcm": "No acute findings."}
    (broken,) = rows(lake, "SELECT pdf_text_status, status FROM object_catalog WHERE file_name = 'broken.dcm'")
    assert broken == ("error", "issues")
    ((error,),) = rows(lake, "SELECT error FROM pdf_text WHERE status = 'error'")
    assert error.startswith("the call failed: ")
    means = dict(rows(lake, "SELECT file_name, mean_intensity FROM object_catalog WHERE intensity_status = 'ok'"))
    for name in IMAGES:
        assert np.isclose(means.pop(name), pydicom.dcmread(PYDICOM_FILES / name).pixel_array.mean()), name
    assert means == {}
    assert "Nothing was changed" in command(site, "catalog", str(source), "--lake", lake)


@pytest.mark.slow
def test_a_new_version_makes_exactly_its_rows_anew(source, site, tmp_path):
    lake = str(tmp_path / "lake")
    command(site, "catalog", str(source), "--lake", lake)
    before = {name: Lake(lake).location(table).open().version() for name, table in tables().items()}
    code = (site / "intensity.py").read_text().replace("intensity-1", "intensity-2").replace("mean()", "max()")
    (site / "intensity.py").write_text(code)
    command(site, "catalog", str(source), "--lake", lake)
    after = {name: Lake(lake).location(table).open().version() for name, table in tables().items()}
    assert {name for name in before if after[name] != before[name]} == {"intensity", "object_catalog"}
    ((largest,),) = rows(lake, "SELECT mean_intensity FROM object_catalog WHERE file_name = 'CT_small.dcm'")
    assert largest == pydicom.dcmread(PYDICOM_FILES / "CT_small.dcm").pixel_array.max()


def tables():
    """Return all tables by name, as a model with tables of these names has them."""
    from dicom_assets.tables import Table

    names = ("file_index", "file_metadata", "dicom_headers", "thumbnails", "pdf_text", "intensity", "object_catalog")
    return {name: Table(name, "", ()) for name in names}


@pytest.mark.slow
def test_an_existing_catalog_gets_the_table_and_keeps_the_others(source, site, tmp_path):
    lake = str(tmp_path / "lake")
    plain = tmp_path / "nothing"
    plain.mkdir()
    update_catalog(str(source), lake, engine=InProcess())
    before = {name: Lake(lake).location(tables()[name]).open().version() for name in ("dicom_headers", "thumbnails")}
    command(site, "catalog", str(source), "--lake", lake)
    after = {name: Lake(lake).location(tables()[name]).open().version() for name in before}
    assert after == before
    assert rows(lake, "SELECT count(*) FROM object_catalog WHERE pdf_text_status = 'ok'") == [(1,)]
    command(plain, "catalog", str(source), "--lake", lake)
    assert rows(lake, "SELECT count(*) FROM object_catalog WHERE pdf_text_status IS NOT NULL") == [(0,)]
    assert "Nothing was changed" in command(plain, "catalog", str(source), "--lake", lake)


IN_DAGSTER = """
import sys
import dagster as dg
from dicom_assets import build_definitions
from dicom_assets.extract import DEFAULT_EXTRACTORS
from dicom_assets.orchestration.partitions import register_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from intensity import MeanIntensity
from pdf_text import PdfText

source, lake = sys.argv[1:]
definitions = build_definitions(
    ArchiveResource(source=source),
    LakeResource(root_uri=lake),
    extractors=[*DEFAULT_EXTRACTORS, PdfText(), MeanIntensity()],
)
with dg.DagsterInstance.ephemeral() as instance:
    register_prefixes(instance, ["a"])
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, partition_key="a"
    )
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    evaluations = [check for check in result.get_asset_check_evaluations() if check.passed]
    checked = {f"{check.asset_key.to_user_string()}/{check.check_name}" for check in evaluations}
    print(sorted(made))
    print(sorted(name for name in checked if name.startswith(("pdf_text", "intensity"))))
"""


def test_in_dagster_each_is_an_asset_with_checks(source, site, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(IN_DAGSTER)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(source), str(tmp_path / "lake")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(PROJECT)])},
        capture_output=True,
        text=True,
        check=True,
    )
    made, checked = done.stdout.strip().splitlines()[-2:]
    assert all(f"'{name}'" in made for name in tables())
    for name in CLASSES:
        for check in ("key_is_unique", "one_row_per_indexed_file", "schema_is_as_declared"):
            assert f"'{name}/{check}'" in checked
