"""Make an archive, catalog it, and do beside that, in turns, what users would otherwise do.

Every side is a process that is timed from its start to its end, cold: the command with Dagster, Spark and all checks,
a script with pydicom and Pillow, the same with ``multiprocessing``, Spark by the book, Orthanc fed over HTTP. Memory is
that of all processes of a side together. The archive is made by seed: ``realistic`` has CT, MR, CR, DX, US and MG, half
of them compressed; ``ct`` are 512x512, ``mr`` small slices with long headers. ``--source`` takes a folder of your own
instead, its files repeated by hard links.

    python -m benchmarks.archive --files 10000 [--mix realistic|ct|mr] [--source FOLDER] [--sides command,script]
        [--repeat 3] [--cores N] [--json FILE] [--page docs/benchmarks.md]
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.archive.files import write_realistic_files
from benchmarks.archive.report import Measured, as_json, as_markdown, put_into
from benchmarks.archive.sides import SIDES, Run, run_side
from benchmarks.ct_files import write_ct_files
from benchmarks.linked_files import repeat_files
from benchmarks.mr_files import write_mr_files

MIXES = {"realistic": write_realistic_files, "ct": write_ct_files, "mr": write_mr_files}


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [side.name for side in SIDES]
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--mix", choices=sorted(MIXES), default="realistic")
    parser.add_argument("--source", type=Path, help="a folder of your own, in place of a mix")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sides", default=",".join(names), help="some of them, separated by commas")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; each runs every side once")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=Path, help="where archive and results go; they are removed at the end")
    parser.add_argument("--json", type=Path, help="a file for all that was measured")
    parser.add_argument("--page", type=Path, help="a page that takes the table between its comments")
    arguments = parser.parse_args(given)
    arguments.sides = arguments.sides.split(",")
    if unknown := set(arguments.sides) - set(names):
        parser.error(f"there is no side {min(unknown)}; there are {', '.join(names)}")
    if arguments.files < 1 or arguments.repeat < 1:
        parser.error("--files and --repeat begin at 1")
    return arguments


def make_archive(arguments: argparse.Namespace, folder: Path) -> list[Path]:
    """Return the paths of an archive that is made below a folder."""
    if arguments.source:
        return repeat_files(arguments.source, folder, arguments.files)
    return MIXES[arguments.mix](folder, arguments.files, arguments.seed)


def measure(arguments: argparse.Namespace, folder: Path) -> Measured:
    """Run all sides in turns, every round in another order of beginning, and return what they took."""
    source = folder / "source"
    paths = make_archive(arguments, source)
    sides = [side for side in SIDES if side.name in arguments.sides]
    skipped = {side.name: why for side in sides if (why := side.missing())}
    sides = [side for side in sides if side.name not in skipped]
    runs: dict[str, list[Run]] = {side.name: [] for side in sides}
    for number in range(arguments.repeat):
        first = number % max(1, len(sides))
        for side in (*sides[first:], *sides[:first]):
            target = folder / side.name
            runs[side.name].append(run_side(side, source, target, arguments.cores))
            shutil.rmtree(target)
            usage = runs[side.name][-1].usage
            print(f"round {number + 1}: {side.name} {usage.seconds:.1f} s, {usage.peak_bytes >> 20} MiB", flush=True)
    return Measured(
        "files of one's own" if arguments.source else arguments.mix,
        len(paths),
        sum(path.stat().st_size for path in paths),
        len({path.relative_to(source).parts[0] for path in paths}),
        arguments.cores,
        runs,
        skipped,
    )


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print the table, and write what is asked for."""
    arguments = _arguments(given)
    # Hard links need the disk of the folder that they are made of.
    near = arguments.folder or (arguments.source and arguments.source.parent)
    with tempfile.TemporaryDirectory(dir=near) as folder:
        measured = measure(arguments, Path(folder))
    table = as_markdown(measured)
    print(f"\n{table}")
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(measured), indent=2))
    if arguments.page:
        put_into(arguments.page, measured.mix, table)


if __name__ == "__main__":
    main()
