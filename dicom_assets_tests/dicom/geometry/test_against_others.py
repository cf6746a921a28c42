"""Real series: our verdict against highdicom's volume positions and dcm2niix's images.

``python -m benchmarks.geometry`` does the same over any folders, and makes the table of ``docs/geometry.md``.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

from dicom_assets_tests.support.corpus import CORPUS, PYDICOM_FILES
from dicom_assets_tests.support.dicom.volumes import (
    by_dcm2niix,
    by_highdicom,
    dcm2niix_program,
    differences,
    series_below,
)

EXPLAINED = {
    # Its function for positions does not look at Rows and Columns.
    "sizes_differ": [
        "highdicom with repeated positions: 1 mm rather than no volume",
        "highdicom with missing positions: 1 mm rather than no volume",
    ],
    # Four slices of 182: for us a grid has more slices than gaps.
    "not_uniform": ["highdicom with missing positions: 1.25 mm rather than no volume"],
}


def pydicom_series():
    more = find_spec("data_store")
    roots = [PYDICOM_FILES, *(map(Path, more.submodule_search_locations) if more else [])]
    return series_below(*roots)


@pytest.fixture(scope="module")
def real():
    return pydicom_series()


def test_series_of_pydicom_against_highdicom(real):
    asked = [(series, found) for series in real if (found := by_highdicom(series)) is not None]
    assert len(asked) >= 15
    told = {series.verdict: told for series, found in asked if (told := differences(series, found, None))}
    assert told == EXPLAINED


def test_series_of_pydicom_against_dcm2niix(real):
    program = dcm2niix_program()
    if program is None:
        pytest.skip("dcm2niix is not installed")
    several = [series for series in real if len(series.frames) > 1 and series.modality in {"CT", "MR", "PT"}]
    assert several
    told = {
        series.uid: found for series in several if (found := differences(series, None, by_dcm2niix(series, program)))
    }
    assert told == {}


def test_a_series_of_192_slices():
    folder = CORPUS / "FNNDSC+SAG-anon"
    if not folder.is_dir():
        pytest.skip(f"no corpus at {CORPUS}")
    (series,) = series_below(folder)
    geometry = series.geometry
    assert (geometry.slices, geometry.orientation, geometry.is_volume) == (192, "sagittal", True)
    program = dcm2niix_program()
    found = differences(series, by_highdicom(series), by_dcm2niix(series, program) if program else None)
    assert found == []
