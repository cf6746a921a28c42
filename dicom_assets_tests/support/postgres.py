"""A Postgres server of its own, on the loopback interface, for instances that machines share."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam

import pytest

from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.waiting import until_it_answers

_PATIENCE = 60.0
_NOBODY = "nobody"


@cache
def _programs() -> Path | None:
    """Return the folder of Postgres' programs; Debian keeps them out of the path."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return installed[-1] if installed else None


needs_driver = pytest.mark.skipif(
    find_spec("dagster_postgres") is None, reason="dagster-postgres is not installed: pip install '.[postgres]'"
)
needs_postgres = pytest.mark.skipif(_programs() is None, reason="Postgres is not installed: apt-get install postgresql")


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server with one database until the block ends; yields its URL, password included."""
    programs = _programs()
    assert programs is not None
    # Postgres does not run as root, and the folders of tests are root's alone.
    account = {"user": _NOBODY, "group": getpwnam(_NOBODY).pw_gid, "extra_groups": ()} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    (port,) = free_ports(1)
    password = secrets.token_hex(8)
    (folder / "password").write_text(password)
    if account:
        for path in (folder, folder / "password"):
            shutil.chown(path, _NOBODY)
    data, log = folder / "data", (folder / "log").open("w")
    quiet = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **account}
    server = None
    try:
        made = ["-D", data, "-U", "dagster", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
        subprocess.run([programs / "initdb", *made, "--encoding=UTF8", "--locale=C"], check=True, **quiet)
        listens = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        server = subprocess.Popen([programs / "postgres", "-D", data, "-p", str(port), *listens], **quiet)
        where = f"//dagster:{password}@127.0.0.1:{port}"
        until_it_answers(lambda: _create_database(f"postgresql:{where}/postgres"), server, _PATIENCE)
        yield f"postgresql+psycopg2:{where}/dagster"
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)
            server.wait(_PATIENCE)
        log.close()
        shutil.rmtree(folder)


def _create_database(url: str) -> None:
    import psycopg2

    try:
        connection = psycopg2.connect(url)
    except psycopg2.OperationalError as error:
        raise ConnectionError(str(error)) from error
    connection.autocommit = True  # a database is not created in a transaction
    connection.cursor().execute("CREATE DATABASE dagster")
    connection.close()
