"""An S3 server of production use (SeaweedFS) on this machine alone, for tests of what object stores really do."""

import json
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.waiting import until_it_answers

BUCKET = "archives"


def server_program() -> str | None:
    """Return the path of the server, ``None`` where it is not installed."""
    return shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")


class ObjectServer:
    """A server with one bucket, of which nothing outlives the folder that it is given."""

    def __init__(self, program: str, folder: Path) -> None:
        key, secret = secrets.token_hex(8), secrets.token_hex(16)
        identity = {"name": "tests", "actions": ["Admin"], "credentials": [{"accessKey": key, "secretKey": secret}]}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (folder / "data").mkdir()
        parts = ("master", "volume", "filer", "s3")
        names = [f"{part}.port" for part in parts] + [f"{part}.port.grpc" for part in parts]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        options = [f"-{name}={port}" for name, port in ports.items()]
        self._filer = f"http://127.0.0.1:{ports['filer.port']}"
        self._log = (folder / "server.log").open("w")
        self._process = subprocess.Popen(
            [
                *(program, "server", "-s3", "-filer", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *options),
                *(f"-dir={folder / 'data'}", f"-s3.config={folder / 's3.json'}"),
                # Their ports are fixed otherwise: a second server of the machine would end at once.
                *("-s3.port.iceberg=0", "-s3.port.lance=0"),
                *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=20"),
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['s3.port']}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
        try:
            self._make_bucket(ports["s3.port"])
        except BaseException:
            self.stop()
            raise

    def _make_bucket(self, port: int) -> None:
        """Make the bucket, a folder of the server's file store, once everything listens."""
        request = urllib.request.Request(f"{self._filer}/buckets/{BUCKET}/", method="POST")

        def make() -> None:
            socket.create_connection(("127.0.0.1", port), 5).close()
            urllib.request.urlopen(request, timeout=5).close()

        until_it_answers(make, self._process)

    def stop(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.wait()
        self._log.close()
