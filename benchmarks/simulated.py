"""What grows with an archive of 10 or 100 million files, without the files: real tables, log, planning, Dagster.

Run: ``python -m benchmarks.simulated [--files 10000000] [--lake FOLDER]``

A few prefixes of 1,000 made-up files are cataloged by the real pipeline. All others are in the logs alone:
their data files are named, with the bounds and counts of a real one, and are not there. So what reads the log does what
it would do, and what reads rows does so in the prefixes that have them. Each figure is of a process of its own.
"""

import argparse
import json
import multiprocessing
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction, Transaction

from benchmarks.memory import forget_peak, peak
from benchmarks.study_archive import FILES_PER_PREFIX, patient_id, study_archive
from dicom_assets import update_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.snapshot import transaction_id
from dicom_assets.extract.headers import HeaderExtractor
from dicom_assets.extract.metadata import MetadataExtractor
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.partitions import register_prefixes, registered_prefixes
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.pending import find_pending
from dicom_assets.tables import FILE_INDEX, PARTITION

_MODEL = CatalogModel((MetadataExtractor(), HeaderExtractor()))
_REAL = 4
"""Prefixes that have rows."""
_RUN = 50
"""Prefixes that a run takes."""
_NAMED_AT_ONCE = 5_000


@dataclass(frozen=True)
class Cost:
    """Seconds that something took, and bytes that it held more than before."""

    seconds: float
    memory: int
    found: Any

    def __str__(self) -> str:
        """Return both."""
        return f"{self.seconds:7.2f} s {self.memory >> 20:6,} MiB"


def cost(function: Callable[..., Any], *arguments: Any) -> Cost:
    """Call a function in a process of its own, and return what it took there."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_timed, function, arguments).result()


def _timed(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Cost:
    forget_peak()
    before, started = peak(), time.perf_counter()
    found = function(*arguments)
    return Cost(time.perf_counter() - started, peak() - before, found)


def make(lake: Lake, prefixes: int) -> None:
    """Catalog the real prefixes, and name the data files of all others in the logs."""
    update_catalog(study_archive(_REAL), lake, extractors=_MODEL.extractors)
    for table in _MODEL.tables:
        location = lake.location(table)
        template = _an_add(location.uri)
        for start in range(_REAL, prefixes, _NAMED_AT_ONCE):
            some = range(start, min(start + _NAMED_AT_ONCE, prefixes))
            _name(location.open(), template, [patient_id(number) for number in some])


def _an_add(uri: str) -> dict[str, Any]:
    """Return the action that added a real data file."""
    for path in sorted(Path(uri, "_delta_log").glob("*.json")):
        for line in path.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                return action["add"]
    raise RuntimeError(f"no data file in the log of {uri}")


def _name(delta: DeltaTable, template: dict[str, Any], prefixes: list[str]) -> None:
    """Add data files that are not there, one for each prefix."""
    known, now = template["partitionValues"][PARTITION], int(time.time() * 1000)
    adds = [
        AddAction(
            template["path"].replace(known, prefix),
            template["size"],
            {PARTITION: prefix},
            now,
            data_change=True,
            stats=template["stats"].replace(known, prefix),
        )
        for prefix in prefixes
    ]
    delta.create_write_transaction(
        adds,
        mode="append",
        schema=delta.schema(),
        partition_by=[PARTITION],
        commit_properties=CommitProperties(
            app_transactions=[Transaction(transaction_id(prefix), 1, now) for prefix in prefixes]
        ),
    )
    delta.update_incremental()
    delta.create_checkpoint()


def log_sizes(lake: Lake) -> Iterator[str]:
    """Yield, for each table, the bytes of its last checkpoint."""
    for table in _MODEL.tables:
        log = Path(lake.location(table).uri, "_delta_log")
        checkpoints = sorted(log.glob("*.checkpoint*.parquet"))
        version = re.match(r"\d+", checkpoints[-1].name)
        last = [path for path in checkpoints if version and path.name.startswith(version[0])]
        yield f"{table.name:16} {sum(path.stat().st_size for path in last):>12,}"


def open_table(lake: Lake, name: str) -> int:
    """Read the log of a table."""
    return lake.location(_MODEL.table(name)).open().version()


def snapshot(lake: Lake, name: str) -> int:
    """Take the snapshot that a run plans from."""
    return len(lake.snapshot(_MODEL.table(name), [patient_id(number) for number in range(_RUN)]).files)


def state(lake: Lake) -> int:
    """Take the state of all tables, as the sensor does in each tick, and the command once."""
    return len(CatalogState(lake, _MODEL).prefixes)


def look(lake: Lake) -> int:
    """Look at the real prefixes, all of which are settled."""
    names = [patient_id(number) for number in range(_REAL)]
    return len(find_pending(lake, study_archive(_REAL), _MODEL, names, UpdateMode.SYNC, None))


def run(lake: Lake) -> int:
    """Make all rows of a prefix of 1,000 files anew, in five commits."""
    done = update_catalog(
        study_archive(_REAL), lake, prefixes=[patient_id(1)], extractors=_MODEL.extractors, mode=UpdateMode.OVERWRITE
    )
    return done.files


def register(folder: str, prefixes: int) -> int:
    """Register all prefixes as partitions of a new instance; returns the bytes of its database."""
    with dg.DagsterInstance.local_temp(folder) as instance:
        register_prefixes(instance, [patient_id(number) for number in range(prefixes)])
    return sum(path.stat().st_size for path in Path(folder).rglob("*.db"))


def read_registered(folder: str) -> int:
    """Read the partitions, as each tick of the sensor does."""
    with dg.DagsterInstance.local_temp(folder) as instance:
        return len(registered_prefixes(instance))


def main() -> None:
    """Make the tables where they are missing, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000_000)
    parser.add_argument("--lake", type=Path)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="dicom-assets-simulated-"))
    lake, prefixes = Lake(str(options.lake or home / "lake")), options.files // FILES_PER_PREFIX
    if not lake.location(FILE_INDEX).exists():
        make(lake, prefixes)
    print(f"{options.files:,} files in {prefixes:,} prefixes; bytes of the last checkpoint:")
    print("\n".join(log_sizes(lake)))
    for name in (FILE_INDEX.name, _MODEL.catalog.name):
        print(f"{cost(open_table, lake, name)}  reading the log of {name}", flush=True)
        print(f"{cost(snapshot, lake, name)}  its snapshot for a run of {_RUN} prefixes", flush=True)
    print(f"{cost(state, lake)}  the state of all tables, once a tick and once a command", flush=True)
    print(f"{cost(look, lake)}  a look at {_REAL} settled prefixes, that state included", flush=True)
    print(f"{cost(run, lake)}  a run over one prefix of {FILES_PER_PREFIX:,} files", flush=True)
    folder = str(home / "instance")
    Path(folder).mkdir()
    registered = cost(register, folder, prefixes)
    print(f"{registered}  registering all partitions; {registered.found:,} bytes of Dagster's databases", flush=True)
    print(f"{cost(read_registered, folder)}  reading them", flush=True)
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
