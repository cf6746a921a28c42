"""Our verdict on real series against highdicom's volume positions and the images that dcm2niix makes.

    python -m benchmarks.geometry FOLDER... [--without-dcm2niix]

Writes a table in Markdown of how verdicts agree, and below it each series on which one of the others says something
else. What either is asked, and when it agrees, is in ``dicom_assets_tests/support/dicom/volumes.py``.
"""

import argparse
import logging
import time
import warnings
from collections import Counter
from pathlib import Path

from dicom_assets.dicom.geometry import describe_volume
from dicom_assets_tests.support.dicom.volumes import (
    Series,
    by_dcm2niix,
    by_highdicom,
    dcm2niix_program,
    differences,
    series_below,
)


def described(series: Series) -> str:
    """Return what our geometry says of a series, in one line."""
    found = series.geometry
    spacing = "" if found.spacing is None else f", {found.spacing:.4g} mm ± {found.spacing_deviation:.2g}"
    stacks = f", {found.stacks} stacks by {found.stacks_by}" if found.stacks_by else ""
    tilt = f", tilt {found.tilt:.1f}°" if found.tilt and found.tilt > 0.05 else ""
    return f"{series.verdict}: {found.orientation}, {found.slices} slices{spacing}{stacks}{tilt}"


def compare(series: Series, program: str | None) -> tuple[dict[str, str], list[str]]:
    """Return for each of the others whether it agrees, and where it does not."""
    highdicom = by_highdicom(series)
    niftis = by_dcm2niix(series, program) if program and len(series.frames) > 1 else None
    found = differences(series, highdicom, niftis)
    asked = {"highdicom": highdicom is not None, "dcm2niix": niftis is not None}
    agree = {
        name: ("differs" if any(line.startswith(name) for line in found) else "agrees") if is_asked else "not asked"
        for name, is_asked in asked.items()
    }
    return agree, [*found, *(f"dcm2niix warns: {line:.150}" for line in (niftis.warnings if niftis else ()) if found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--without-dcm2niix", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    program = None if options.without_dcm2niix else dcm2niix_program()
    counts: Counter[tuple[str, str, str]] = Counter()
    frames, seconds, lines = 0, 0.0, []
    for series in series_below(*options.folders):
        begin = time.process_time()
        describe_volume(series.frames)
        seconds += time.process_time() - begin
        frames += len(series.frames)
        agree, found = compare(series, program)
        counts.update((series.verdict, name, answer) for name, answer in agree.items())
        if found:
            lines.append(f"- {series.name} ({series.modality}, {len(series.frames)} frames): {described(series)}")
            lines.extend(f"    - {line}" for line in found)
    answers = ("agrees", "differs", "not asked")
    print("| verdict | series |" + "".join(f" {name} {a} |" for name in ("highdicom", "dcm2niix") for a in answers))
    print("|---|---|" + "---|" * 6)
    for verdict in sorted({verdict for verdict, _, _ in counts}):
        row = [counts[verdict, name, answer] for name in ("highdicom", "dcm2niix") for answer in answers]
        print(f"| `{verdict}` | {sum(row[:3])} | " + " | ".join(map(str, row)) + " |")
    print(f"\n{frames} frames described in {seconds:.3f} s\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
