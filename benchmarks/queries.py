"""What queries cost on a catalog of a million rows: ten selections as researchers make them, in an open process.

Run: ``python -m benchmarks.queries [--patients 1000] [--repeat 5] [--lake FOLDER]``

The archive is made up (:mod:`benchmarks.study_archive`); the lake is made by the real pipeline, without thumbnails. A
lake that is there already is taken as it is. For each query: the time of the first call and the median of the others,
the rows that came back, and the peak memory of the process while it ran.
"""

import argparse
import statistics
import time
from pathlib import Path

import dicom_assets
from benchmarks.memory import forget_peak, peak
from benchmarks.study_archive import patient_id, sop_instance_uid, study_archive
from dicom_assets.extract.headers import HeaderExtractor
from dicom_assets.extract.metadata import MetadataExtractor

_EXTRACTORS = (MetadataExtractor(), HeaderExtractor())


def queries(patients: int) -> dict[str, str]:
    """Return the selections by what they are for."""
    patient = patients // 2
    return {
        "an instance by its UID": f"""
            SELECT path, Modality, Rows, Columns FROM object_catalog
            WHERE SOPInstanceUID = '{sop_instance_uid(patient, 500)}'""",
        "the series of a patient": f"""
            SELECT SeriesNumber, SeriesDescription, instances, slices, slice_spacing FROM all_series
            WHERE PatientID = '{patient_id(patient)}' ORDER BY SeriesNumber""",
        "a cohort by modality, body part and date": """
            SELECT path, fingerprint, PatientID FROM object_catalog
            WHERE Modality = 'CT' AND BodyPartExamined = 'CHEST' AND StudyDate >= DATE '2022-01-01'""",
        "a keyword without a column, over all rows": """
            SELECT count(*), avg(dicom_number(header, 'PatientWeight')) FROM dicom_headers
            WHERE dicom_number(header, 'PatientWeight') > 100""",
        "counts by month and modality": """
            SELECT date_trunc('month', StudyDate) AS month, Modality, count(*) FROM object_catalog GROUP BY ALL""",
        "series by geometry": """
            SELECT SeriesInstanceUID FROM series
            WHERE is_volume AND slices > 200 AND slice_spacing <= 2.5 AND orientation = 'axial'""",
        "files that share a UID": "SELECT * FROM duplicates",
        "studies, the newest first": "SELECT * FROM all_studies ORDER BY StudyDate DESC LIMIT 100",
        "files that are not well": "SELECT path, reason FROM problems",
        "the number of files": "SELECT count(*) FROM object_catalog",
    }


def make(lake: str, patients: int) -> None:
    """Catalog the archive."""
    started = time.perf_counter()
    done = dicom_assets.update_catalog(study_archive(patients), lake, extractors=_EXTRACTORS)
    print(f"cataloged {done.files:,} files in {time.perf_counter() - started:.0f} s", flush=True)


def measure(catalog, query: str, repeat: int) -> tuple[list[float], int, int]:
    """Return the seconds of each call, the number of rows, and the peak memory in bytes."""
    forget_peak()
    seconds = []
    for _ in range(repeat + 1):
        started = time.perf_counter()
        rows = len(catalog.sql(query).fetchall())
        seconds.append(time.perf_counter() - started)
    return seconds, rows, peak()


def main() -> None:
    """Make the lake where it is missing, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--lake", default="/tmp/dicom-assets-queries")
    options = parser.parse_args()
    if not Path(options.lake).exists():
        make(options.lake, options.patients)
    catalog = dicom_assets.open_catalog(options.lake)
    print(f"{'':45} {'first':>8} {'median':>8} {'rows':>10} {'peak MiB':>9}")
    for title, query in queries(options.patients).items():
        seconds, rows, peak = measure(catalog, query, options.repeat)
        print(
            f"{title:45} {seconds[0]:8.3f} {statistics.median(seconds[1:]):8.3f} {rows:10,} {peak >> 20:9,}",
            flush=True,
        )


if __name__ == "__main__":
    main()
