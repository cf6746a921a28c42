"""A registry on this machine, and a cache that is empty."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dicom_assets.serve.viewer import install


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache of the user, empty."""
    monkeypatch.setattr(install, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "dicom-assets" / "viewer"


class Registry:
    """What is published, by path; and which paths were asked for."""

    def __init__(self):
        self.published: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.cut = 0
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                registry.asked.append(self.path)
                content = registry.published.get(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write((content or b"")[: len(content or b"") - registry.cut])

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def registry(monkeypatch, tmp_path):
    """A registry that the settings of npm name; settings of who runs the tests do not count."""
    registry = Registry()
    thread = threading.Thread(target=registry.server.serve_forever)
    thread.start()
    monkeypatch.setenv("npm_config_registry", registry.address)
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "no.npmrc"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield registry
    registry.server.shutdown()
    registry.server.server_close()
    thread.join()
