"""Views of references, segments and regions, on a catalog of an archive of real objects."""

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from dicom_assets.checks import Severity, check_catalog, dangling
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query import QueryError
from dicom_assets.query.opening import open_catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.dicom import derived
from dicom_assets_tests.support.dicom.derived import CT_SERIES, DERIVED, STUDY, save
from dicom_assets_tests.support.dicom.walked import walked
from dicom_assets_tests.support.whole import put

IMAGES = derived.ct_series()
MISSING = IMAGES[3].SOPInstanceUID
OLD_LAKE = Path(__file__).parents[1] / "data" / "lake-0.1.0.tar.xz"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Images of which one is missing in one prefix, what is derived from all of them in another."""
    root = tmp_path_factory.mktemp("built")
    for number, image in enumerate(IMAGES[:3]):
        save(image, root / "archive" / "ct" / f"{number}.dcm")
    save(IMAGES[0], root / "archive" / "ct" / "copy.dcm")
    for make in DERIVED:
        save(make(IMAGES), root / "archive" / "derived" / f"{make.__name__}.dcm")
    put(root / "archive" / "other" / "1.dcm", 1)
    update_catalog(str(root / "archive"), str(root / "lake"), engine=InProcess())
    return root


@pytest.fixture
def root(built, tmp_path):
    """A copy of archive and lake, to be changed; the lake keeps the name of its archive."""
    shutil.copytree(built / "archive", tmp_path / "archive")
    update_catalog(str(tmp_path / "archive"), str(tmp_path / "lake"), engine=InProcess())
    return tmp_path


def ask(root, query):
    return open_catalog(str(root / "lake")).sql(query).fetchall()


def references_check(root, prefixes=None):
    """Return what the check found, which its SQL lists, whether it looked for few instances or for many."""
    found = []
    for few in (0, dangling._LISTED):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dangling, "_LISTED", few)
            (outcome,) = [o for o in check_catalog(str(root / "lake"), prefixes) if o.check.name == "references"]
        found.append(outcome.measured)
    assert found[0] == found[1]
    assert found[0].found is None or found[0].found == len(ask(root, outcome.sql))
    return outcome


@pytest.mark.parametrize("make", DERIVED)
def test_what_the_table_says_is_what_is_in_the_file(built, make):
    found = ask(
        built,
        "SELECT sequence, referenced_sop_class_uid, referenced_instance_uid, mentions FROM derived_references "
        f"WHERE path LIKE '%/{make.__name__}.dcm'",
    )
    assert {tuple(row[:3]): row[3] for row in found} == walked(make(IMAGES))


def test_dangling_are_the_references_to_instances_that_no_file_is(built):
    missing = ask(built, "SELECT DISTINCT referenced_instance_uid FROM derived_references WHERE dangling")
    assert missing == [(MISSING,)]
    whole = ask(built, "SELECT DISTINCT level FROM derived_references WHERE dangling IS NULL")
    assert whole == [("study",)]
    places = ask(
        built,
        "SELECT DISTINCT referenced_instance_uid, parse_filename(referenced_path) FROM derived_references "
        "WHERE NOT dangling ORDER BY ALL",
    )
    assert places == [(IMAGES[n].SOPInstanceUID, name) for n, name in enumerate(("0.dcm", "1.dcm", "2.dcm"))]


def test_a_copy_of_an_image_does_not_double_what_refers_to_it(built):
    ((rows, different),) = ask(
        built,
        "SELECT count(*), count(DISTINCT (path, sequence, purpose, referenced_instance_uid)) FROM derived_references",
    )
    assert rows == different > 0


def test_an_entry_has_the_object_that_it_is_from(built):
    (row,) = ask(
        built,
        "SELECT DISTINCT prefix, PatientID, StudyInstanceUID, SOPInstanceUID, Modality, referenced_study_uid, "
        "referenced_series_uid, purpose.meaning FROM derived_references "
        "WHERE prefix = 'derived' AND Modality = 'SR' AND sequence = 'ContentSequence.ReferencedSOPSequence'",
    )
    assert row[:5] == ("derived", "P1", STUDY, "1.2.826.0.1.1.3.1", "SR")
    assert row[5:] == (STUDY, CT_SERIES, "Source image for segmentation")


def test_segments_and_regions(built):
    segments = ask(
        built,
        "SELECT SOPInstanceUID, number, label, type.meaning, algorithm_type, tracking_id, frames FROM segments "
        "ORDER BY number",
    )
    assert segments == [
        ("1.2.826.0.1.1.2.1", 1, "Liver", "Liver", "AUTOMATIC", None, 4),
        ("1.2.826.0.1.1.2.1", 2, "Lesion", "Neoplasm", "MANUAL", "lesion 1", 2),
    ]
    regions = ask(built, "SELECT path, number, name, interpreted_type, contours, geometric_types FROM rois ORDER BY 2")
    assert [row[1:] for row in regions] == [
        (1, "PTV", "PTV", 2, ["CLOSED_PLANAR"]),
        (2, "Heart", "ORGAN", 2, ["POINT"]),
        (7, "empty", None, 0, []),
    ]
    assert all(row[0].endswith("structure_set.dcm") for row in regions)


def test_ordinary_objects_cost_no_column(built):
    ((rows,),) = ask(
        built,
        "SELECT count(*) FROM dicom_headers "
        "WHERE prefix <> 'derived' AND (\"references\" IS NOT NULL OR segments IS NOT NULL OR rois IS NOT NULL)",
    )
    assert rows == 0


def test_the_check_counts_what_dangles_and_lists_it(built):
    outcome = references_check(built)
    listed_rows = ask(built, outcome.sql)
    assert not outcome.passed
    assert outcome.severity is Severity.WARN
    assert outcome.measured.found == len(listed_rows) > 0
    assert outcome.measured.prefixes == ["derived"]
    assert sum(outcome.measured.kinds.values()) == len(listed_rows)
    assert {"SEG", "KO", "PR", "RTSTRUCT"} <= set(outcome.measured.kinds)
    assert "SR" not in outcome.measured.kinds, "it refers to an image that is there"
    assert references_check(built, ["ct"]).measured.found == 0
    assert not references_check(built, ["derived"]).passed


def test_in_a_large_catalog_a_run_leaves_open_what_is_in_no_prefix_of_its_own(built, monkeypatch):
    def measured(prefixes=None):
        (outcome,) = [o for o in check_catalog(str(built / "lake"), prefixes) if o.check.name == "references"]
        return outcome.measured

    whole, apart = measured(), measured(["derived"])
    assert apart.found > 0
    monkeypatch.setattr(dangling, "_SEARCHED", 0)
    alone, together = measured(["derived"]), measured(["ct", "derived"])
    assert (alone.found, together.found) == (0, 0)
    assert alone.looked_at < together.looked_at == whole.looked_at - whole.found, "what is near was looked at"
    assert measured() == whole, "a look at all prefixes is not bounded"


def test_a_report_dangles_when_its_image_goes_and_no_longer_when_it_comes_back(root):
    for name in ("0.dcm", "copy.dcm"):
        (root / "archive" / "ct" / name).unlink()
    update_catalog(str(root / "archive"), str(root / "lake"), engine=InProcess())
    rows = "SELECT sequence FROM derived_references WHERE dangling AND Modality = 'SR' ORDER BY ALL"
    assert [path.partition(".")[0] for (path,) in ask(root, rows)] == [
        "ContentSequence",
        "CurrentRequestedProcedureEvidenceSequence",
    ]
    assert references_check(root).measured.kinds["SR"] == 2
    save(IMAGES[0], root / "archive" / "elsewhere" / "back.dcm")
    update_catalog(str(root / "archive"), str(root / "lake"), engine=InProcess())
    assert ask(root, rows) == []


def test_rows_that_are_kept_of_removed_files_neither_refer_nor_are_referred_to(root):
    for path in ("derived/segmentation.dcm", "ct/1.dcm"):
        (root / "archive" / path).unlink()
    update_catalog(str(root / "archive"), str(root / "lake"), mode=UpdateMode.APPEND, engine=InProcess())
    assert ask(root, "SELECT count(*) FROM object_catalog WHERE removed_at IS NOT NULL") == [(2,)]
    assert ask(root, "SELECT count(*) FROM segments") == [(0,)]
    assert ask(root, "SELECT count(*) FROM derived_references WHERE Modality = 'SEG'") == [(0,)]
    missing = ask(root, "SELECT DISTINCT referenced_instance_uid FROM derived_references WHERE dangling ORDER BY 1")
    assert missing == [(IMAGES[1].SOPInstanceUID,), (MISSING,)]
    assert "SEG" not in references_check(root).measured.kinds


def test_all_that_dangles_is_mended_by_the_missing_file(root):
    save(IMAGES[3], root / "archive" / "late" / "3.dcm")
    update_catalog(str(root / "archive"), str(root / "lake"), engine=InProcess())
    outcome = references_check(root)
    assert outcome.passed
    assert (outcome.measured.found, outcome.measured.looked_at > 0) == (0, True)


def test_a_lake_of_an_earlier_release_says_what_to_do(tmp_path):
    with tarfile.open(OLD_LAKE) as tar:
        tar.extractall(tmp_path, filter="data")
    for view in ("derived_references", "segments", "rois"):
        with pytest.raises(QueryError, match="dicom-assets catalog"):
            ask(tmp_path, f"SELECT * FROM {view}")
    assert references_check(tmp_path).measured.found is None


def test_hostile_text_is_data(tmp_path):
    made = derived.structure_set(IMAGES)
    made.StructureSetROISequence[0].ROIName = "'); DROP TABLE x; --"
    made.StructureSetROISequence[1].ROIName = "\N{BLACK HEART SUIT}" * 3
    made.SpecificCharacterSet = "ISO_IR 192"
    sink = io.BytesIO()
    made.save_as(sink, enforce_file_format=True)
    (tmp_path / "archive" / "it's").mkdir(parents=True)
    (tmp_path / "archive" / "it's" / "1.dcm").write_bytes(sink.getvalue())
    update_catalog(str(tmp_path / "archive"), str(tmp_path / "lake"), engine=InProcess())
    names = ask(tmp_path, "SELECT name FROM rois WHERE prefix = 'it''s' ORDER BY number")
    assert names == [("'); DROP TABLE x; --",), ("\N{BLACK HEART SUIT}" * 3,), ("empty",)]
    assert not references_check(tmp_path, ["it's"]).passed
