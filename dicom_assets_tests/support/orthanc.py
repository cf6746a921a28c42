"""Orthanc with its DICOMweb plugin, from Debian's packages: another origin server, to compare answers with."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.waiting import until_it_answers

_PLUGINS = (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc"))
_PATIENCE = 60


def orthanc_program() -> tuple[str, Path] | None:
    """Return the server and its DICOMweb plugin, ``None`` where one of them is not installed."""
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    plugins = [found for folder in _PLUGINS for found in folder.glob("libOrthancDicomWeb.so*")]
    return (program, plugins[0]) if program and plugins else None


class Orthanc:
    """A server with a store of its own, on loopback.

    Attributes
    ----------
    root, base
        Address of the server, and of its DICOMweb service.

    """

    def __init__(self, program: tuple[str, Path], folder: Path) -> None:
        port, dicom = free_ports(2)
        self.root = f"http://127.0.0.1:{port}"
        self.base = f"{self.root}/dicom-web"
        configuration = {
            "HttpPort": port,
            "DicomPort": dicom,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "StorageDirectory": str(folder / "store"),
            "IndexDirectory": str(folder / "store"),
            "Plugins": [str(program[1])],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "CaseSensitivePN": False,
        }
        (folder / "orthanc.json").write_text(json.dumps(configuration))
        self._process = subprocess.Popen(
            [program[0], str(folder / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_it_answers(lambda: urllib.request.urlopen(f"{self.root}/system", timeout=5).close(), self._process)

    def load(self, files: Iterable[Path]) -> list[Path]:
        """Put files into the store; returns those that it takes."""
        taken = []
        for path in files:
            request = urllib.request.Request(f"{self.root}/instances", path.read_bytes())
            try:
                urllib.request.urlopen(request, timeout=_PATIENCE).close()
            except urllib.error.HTTPError:
                continue
            taken.append(path)
        return taken

    def get(self, path: str) -> list[dict]:
        """Return the JSON at an address, an empty list where there is no content."""
        with urllib.request.urlopen(self.base + path, timeout=_PATIENCE) as answer:
            content = answer.read()
        return json.loads(content) if content else []

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(_PATIENCE)
