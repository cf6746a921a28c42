"""A Spark Connect server of one's own that stays warm between commands: one for each user of a machine.

It listens on the loopback interface, and takes nobody without the token that its state file holds, which only its user
can read. What is stopped is the process that the state file names, if it is still the one that was started: its folder
is in its command line.
"""

import hmac
import json
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Self

from filelock import FileLock
from platformdirs import user_state_path

from dicom_assets.errors import InfrastructureError, UserError
from dicom_assets.spark.code import code_digest
from dicom_assets.spark.java import java_home
from dicom_assets.spark.settings import SESSION_ID, spark_home

TOKEN = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # noqa: S105 - the name of the variable
"""By which Spark's server and its client take the token: neither a command line nor a setting shows it."""

_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
_STATE, _LOCK, _LOG, _JAVA, _PROPERTIES = "engine.json", "engine.lock", "engine.log", "java", "engine.properties"
_SESSIONS = uuid.UUID("5e5ca8b0-6f0b-4f6e-8d3c-6f1c1e0c8a11")
"""Name space of the ids of sessions."""
_READY_SECONDS, _STOP_SECONDS, _PAUSE = 120.0, 20.0, 0.2
_STORES = ("AWS_", "AZURE_", "GOOGLE_", "GCP_", "DICOM_ASSETS_STORAGE_")
"""How variables begin that lead to object stores: workers have those of the moment when the server was started."""
_NOT_INHERITED = ("SPARK_REMOTE", "SPARK_LOCAL_REMOTE", "SPARK_CONNECT_MODE_ENABLED", "SPARK_API_MODE", "MASTER")


class ServerStartError(InfrastructureError, RuntimeError):
    """The server did not start; its log says why."""


class ServerRunningError(UserError, RuntimeError):
    """There is a server already, and it is not the one that is asked for."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that was started.

    Attributes
    ----------
    pid, port
        Of its process, and where that listens on the loopback interface.
    token
        Without which it takes nobody.
    code, spark
        What workers have: the digest of this package's code, and the version of Spark.
    stores
        What tells the environment of object stores that it was started in from another; says nothing of it.
    started
        Seconds since 1970.

    """

    pid: int
    port: int
    token: str = field(repr=False)
    code: str
    spark: str
    stores: str
    started: float

    @classmethod
    def started_here(cls, pid: int, port: int, token: str) -> Self:
        """Return one that has the code and the environment of this process, and starts now."""
        spark = installed_version("pyspark")
        return cls(pid, port, token, code_digest(), spark, _stores(token), round(time.time(), 3))

    @property
    def url(self) -> str:
        """URL for clients, which take the token from the environment.

        All are of one session: a server has Python processes for each, which start in seconds.
        """
        return f"sc://localhost:{self.port}/;user_id=dicom-assets{SESSION_ID}{uuid.uuid5(_SESSIONS, self.token)}"

    @property
    def listens(self) -> bool:
        """Whether something answers on its port."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def misfit(self) -> str | None:
        """Return why this process should not have its work done there; ``None`` where nothing speaks against it."""
        here = self.started_here(self.pid, self.port, self.token)
        if (self.code, self.spark) != (here.code, here.spark):
            return "it runs other code than this command"
        if self.stores != here.stores:
            return "it was started with other variables for object stores"
        return None

    def to_json(self) -> str:
        """Return it for the state file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """Return what :meth:`to_json` wrote; ``None`` where the text is something else."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None


def server_folder() -> Path:
    """Return the folder of this user's server on this machine; a home may be shared by several machines."""
    return user_state_path("dicom-assets") / f"engine-{platform.node() or 'local'}"


def running_server() -> LocalServer | None:
    """Return the server that runs; what a dead one left is removed."""
    folder = server_folder()
    if not (folder / _STATE).exists():
        return None
    with _locked(folder):
        return _running(folder)


def start_server(settings: Mapping[str, str]) -> LocalServer:
    """Start the server of this user, or return the one that runs.

    Parameters
    ----------
    settings
        Of Spark, for all that it will do.

    Raises
    ------
    ServerRunningError
        One runs with other code, or another environment.
    ServerStartError
        It does not start.
    JavaNotFoundError
        There is no Java.

    """
    folder = server_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with _locked(folder):
        running = _running(folder)
        if running is None:
            return _start(folder, settings)
        if reason := running.misfit():
            raise ServerRunningError(f"an engine runs already, and {reason}: `dicom-assets engine stop`, then start it")
        return running


def stop_server() -> bool:
    """Stop the server of this user; returns whether there was one.

    Raises
    ------
    ServerStartError
        It does not end.

    """
    folder = server_folder()
    if not folder.exists():
        return False
    with _locked(folder):
        running = _running(folder)
        if running is not None:
            _end(folder, running.pid)
        _forget(folder)
    return running is not None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with FileLock(folder / _LOCK, mode=0o600):
        yield


def _running(folder: Path) -> LocalServer | None:
    try:
        found = LocalServer.from_json((folder / _STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if found is not None and _is_ours(folder, found.pid):
        if found.listens:
            return found
        _end(folder, found.pid)  # it hangs: nobody could use it, nor start another
    _forget(folder)
    return None


def _is_ours(folder: Path, pid: int) -> bool:
    """Return whether a process is the server of a folder, which its command line names: ids are used again."""
    return os.fsencode(folder / _JAVA) in _command_line(pid)


def _command_line(pid: int) -> bytes:
    """Return the command line of a process, empty where there is none."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return b""
    return subprocess.run(["ps", "-ww", "-p", str(pid), "-o", "command="], capture_output=True, check=False).stdout  # noqa: S603, S607


def _start(folder: Path, settings: Mapping[str, str]) -> LocalServer:
    _forget(folder)
    port, token = _free_port(), secrets.token_hex(32)
    (folder / _JAVA).mkdir()
    home = java_home(folder / _JAVA)
    _write_private(folder / _PROPERTIES, _properties({**settings, "spark.connect.grpc.binding.port": str(port)}))
    command = [
        str(spark_home() / "bin" / "spark-submit"),
        "--class",
        _CLASS,
        "--properties-file",
        str(folder / _PROPERTIES),
    ]
    _write_private(folder / _LOG, "")
    with (folder / _LOG).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - Spark's own launcher
            [*command, "spark-internal"],
            cwd=folder,
            env=_environment(home, token),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    started = LocalServer.started_here(process.pid, port, token)
    _write_private(folder / _STATE, started.to_json())
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if started.listens:
            return started
        time.sleep(_PAUSE)
    if process.poll() is None:
        process.kill()
        process.wait()
    _forget(folder)
    raise ServerStartError(f"the engine did not start; its log is {folder / _LOG}")


def _environment(home: Path, token: str) -> dict[str, str]:
    """Return the environment of the server and its workers."""
    from dicom_assets.spark.session import add_to_path

    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _NOT_INHERITED and not name.startswith(("PYSPARK_GATEWAY", "DICOM_ASSETS_SPARK_"))
    }
    python = os.environ.get("PYSPARK_PYTHON", sys.executable)
    environment = {**kept, "JAVA_HOME": str(home), "PYSPARK_PYTHON": python, TOKEN: token}
    add_to_path(environment)
    return environment


def _properties(settings: Mapping[str, str]) -> str:
    """Return Spark's file of settings: this machine, our defaults, the loopback interface whatever else is said."""
    from dicom_assets.spark.session import DEFAULT_CONFIG, LOCAL_CONFIG, LOCAL_MASTER

    whole = {
        "spark.master": LOCAL_MASTER,
        **LOCAL_CONFIG,
        **DEFAULT_CONFIG,
        **settings,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.session.manager.defaultSessionTimeout": "3650d",
    }
    return "".join(f"{key} {_escaped(str(value))}\n" for key, value in whole.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _stores(token: str) -> str:
    """Return what tells the variables for object stores from others, and only to who has the token."""
    found = sorted((name, value) for name, value in os.environ.items() if name.startswith(_STORES))
    return hmac.new(token.encode(), json.dumps(found).encode(), "sha256").hexdigest()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(folder: Path, pid: int) -> None:
    """End a server: by asking first."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, sent)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            if not _is_ours(folder, pid):
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)  # a child, where this process has started it, may still be on its way out
                return
            time.sleep(_PAUSE)
    raise ServerStartError(f"the engine, process {pid}, does not end")


def _forget(folder: Path) -> None:
    """Remove what a server leaves; its log stays, for who asks why it is gone."""
    for name in (_STATE, _PROPERTIES):
        (folder / name).unlink(missing_ok=True)
    for left in (_JAVA, "spark-warehouse", "artifacts"):
        shutil.rmtree(folder / left, ignore_errors=True)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as target:
        target.write(text)
    new.replace(path)
