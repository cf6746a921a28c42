"""What an archive of a million real files on disk takes: cataloged, looked at again, changed a little, swept.

Run: ``python -m benchmarks.size [--files 1000000] [--home FOLDER] [--from FOLDER ...]``

Small public DICOM files, repeated by hard links, 1,000 in a folder, a folder a prefix. Each step is the command in a
process of its own, measured with all processes that it starts; figures are printed as a table and kept as JSON. What is
there already in the home is used: a step that was interrupted goes on.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.linked_files import FILES_PER_FOLDER, first_file, link_files, small_images
from benchmarks.processes import Usage, run

_COMMAND = "from dicom_assets.cli import main; main()"
_SWEEP = """\
import sys
from dicom_assets.archive.opening import open_archive
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.delta.lake import Lake
from dicom_assets.pipeline.lag import find_lag
lake = Lake(sys.argv[2])
lag = find_lag(lake, open_archive(sys.argv[1], PrefixCut(), lake=lake.root))
print(f"{lag.prefixes} prefixes, {len(lag.behind)} behind: {lag.new} new, {lag.changed} changed, {lag.gone} gone")
"""
_CHANGED = 1_000


def step(title: str, code: str, *arguments: str) -> Usage:
    """Run Python in a process of its own, and print what that took."""
    environment = {**os.environ, "DAGSTER_DISABLE_TELEMETRY": "1"}
    usage = run([sys.executable, "-W", "ignore", "-c", code, *arguments], environment)
    print(
        f"| {title} | {usage.seconds:,.1f} | {usage.resident_bytes >> 20:,} | {usage.own_bytes >> 20:,} "
        f"| {usage.peak_bytes >> 20:,} | {os.getloadavg()[2]:.1f} |",
        flush=True,
    )
    return usage


def change(folders: Sequence[Path], sources: Sequence[Path], count: int) -> None:
    """Write other files over some of those that are no links, in as many folders as there are changes."""
    for number, folder in enumerate(folders[:count]):
        first_file(folder).write_bytes(sources[(number * 7 + 5) % len(sources)].read_bytes())


def sizes(lake: Path) -> dict[str, tuple[int, int, int]]:
    """Return bytes and number of data files, and bytes of the log, of each table."""
    found = {}
    for table in sorted(path for path in (lake / "dicom").iterdir() if path.is_dir()):
        data = [path.stat().st_size for path in table.rglob("*.parquet") if "_delta_log" not in path.parts]
        log = sum(path.stat().st_size for path in (table / "_delta_log").rglob("*") if path.is_file())
        found[table.name] = sum(data), len(data), log
    return found


def main() -> None:
    """Make the archive where it is missing, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, default=Path("/tmp/dicom-assets-size"))
    parser.add_argument("--from", dest="folders", type=Path, nargs="*", default=[])
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    archive, lake = options.home / "archive", options.home / "lake"
    sources = small_images(options.folders)
    link_files(archive, sources, range(options.files // FILES_PER_FOLDER))
    folders = sorted(archive.iterdir())
    places = [str(archive), "--lake", str(lake)]
    print(f"{len(folders) * FILES_PER_FOLDER:,} files, {len(sources)} different ones\n")
    print("| step | seconds | driver RSS, MiB | driver PSS, MiB | all processes PSS, MiB | load |")
    print("|---|---:|---:|---:|---:|---:|")
    done = {"cataloged": step("cataloged", _COMMAND, "catalog", *places)}
    done["nothing changed"] = step("nothing changed", _COMMAND, "catalog", *places)
    done["sweep"] = step("sweep", _SWEEP, str(archive), str(lake))
    change(folders, sources, _CHANGED)
    done["changed"] = step(f"{min(len(folders), _CHANGED):,} files changed", _COMMAND, "catalog", *places)
    print("\n| table | data files | bytes | bytes of the log |\n|---|---:|---:|---:|")
    for name, (size, count, log) in sizes(lake).items():
        print(f"| `{name}` | {count:,} | {size:,} | {log:,} |")
    databases = sum(path.stat().st_size for path in (lake / ".dagster").rglob("*.db"))
    print(f"\nDagster's databases: {databases:,} bytes")
    report = {name: asdict(one) for name, one in done.items()}
    (options.home / "size.json").write_text(json.dumps(report, indent=1))
    if not options.keep:
        shutil.rmtree(options.home)


if __name__ == "__main__":
    main()
