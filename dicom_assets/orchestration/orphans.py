"""Runs whose process is gone: killed together with all that could have told the instance.

A code server tells when the process of a run dies. When the machine loses power, or all is killed at once, nobody
does: the run stays *started*, holds its prefixes, its place in the queue and in the pool, and automation stands still
until somebody cancels it. Dagster's run monitoring cannot ask for the health of local processes, so this does.
"""

import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord, RunsFilter

from dicom_assets.orchestration.dagster_internals import GRPC_INFO_TAG, SqliteRunStorage

_PROCESS = re.compile(r"\(pid: (\d+)\)")
_PATIENCE = 5.0
_SLACK = 60.0
_UNDER_WAY = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
_MESSAGE = (
    "The process of this run is gone, and so is the code server that started it: the machine was restarted, or both "
    "were killed. The tables are as their last commit left them; the archive sensor asks again for what is left."
)


def end_orphans(instance: DagsterInstance) -> list[str]:
    """Mark the runs of this machine as failed whose process is gone; return their ids.

    Only of an instance in local files: of one in a database that machines share, a run may belong to another machine.
    """
    if not isinstance(instance.run_storage, SqliteRunStorage):
        return []
    gone = []
    for record in instance.get_run_records(RunsFilter(statuses=_UNDER_WAY)):
        run = record.dagster_run
        if _server_is_gone(run) and not any(_is_alive(pid, record) for pid in _processes(instance, run)):
            instance.report_run_failed(run, _MESSAGE)
            gone.append(run.run_id)
    return gone


def _server_is_gone(run: DagsterRun) -> bool:
    """Return whether a local code server started the run, and nobody listens at its socket any more."""
    try:
        address = json.loads(run.tags.get(GRPC_INFO_TAG, "{}")).get("socket")
    except (ValueError, AttributeError):
        return False
    if not address or not hasattr(socket, "AF_UNIX"):
        return False
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as asked:
        asked.settimeout(_PATIENCE)
        try:
            asked.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return True
        except OSError:
            return False
    return False


def _processes(instance: DagsterInstance, run: DagsterRun) -> Iterator[int]:
    """Yield the processes that said they execute a run."""
    for record in instance.get_records_for_run(run.run_id).records:
        found = _PROCESS.search(record.event_log_entry.user_message or "")
        event = record.event_log_entry.dagster_event
        found = found or (_PROCESS.search(event.message or "") if event else None)
        if found:
            yield int(found[1])


def _is_alive(process: int, record: RunRecord) -> bool:
    """Return whether a process is there that may be the one of a run: one that began later has its number by chance."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    began = _began(process)
    return began is None or record.start_time is None or began <= record.start_time + _SLACK


def _began(process: int) -> float | None:
    """Return when a process began, in seconds of the epoch; ``None`` where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        boot = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(encoding="ascii"), re.MULTILINE)
        ticks = int(status.rpartition(")")[2].split()[19])
        return int(boot[1]) + ticks / os.sysconf("SC_CLK_TCK") if boot else None
    except (OSError, ValueError, IndexError):
        return None
