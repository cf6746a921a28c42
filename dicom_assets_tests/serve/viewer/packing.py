"""A small build of no viewer at all, packed as the registry packs the real one."""

import base64
import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from dicom_assets.serve.viewer.package import Package, Places

PAGE = b"""<!doctype html><html><head><meta name="msapplication-config" content="/assets/browserconfig.xml">
<link rel="manifest" href="/manifest.json"><link rel="icon" href="/assets/icon.png">
<script>window.PUBLIC_URL="/"</script>
<script rel="preload" as="script" type="module" src="/init-service-worker.js"></script>
<script>function load(n){return import(n)}window.PUBLIC_URL="/"</script>
<script defer src="/app.bundle.0123456789abcdef.js"></script><a href="//elsewhere/">no place of ours</a>
</head><body></body></html>
"""
SCRIPT = (
    b"""__webpack_require__.p = "/";
load('/dicom-microscopy-viewer/dicomMicroscopyViewer.min.js');
const other = "/dicom-web", root = "/";
"""
    + b"// padding, so that it is worth being compressed\n" * 100
)
STYLE = b"@font-face{src:url(/font.woff2)}a{background:url(//elsewhere/x)}b{background:url(data:image/png)}"
FILES = {
    "package/package.json": b"{}",
    "package/LICENSE": b"MIT",
    "package/dist/index.html": PAGE,
    "package/dist/app.bundle.0123456789abcdef.js": SCRIPT,
    "package/dist/app.bundle.0123456789abcdef.js.map": b"{}",
    "package/dist/app.css": STYLE,
    "package/dist/assets/icon.png": b"\x89PNG",
    "package/dist/deep/er/codec.wasm": b"\0asm" + bytes(1000),
    "package/dist/app-config.js": b"window.config = {of: 'others'}",
    "package/dist/init-service-worker.js": b"importScripts('https://elsewhere.example/workbox.js')",
    "package/dist/sw.js": b"importScripts('https://elsewhere.example/workbox.js')",
    "package/dist/oidc-client.min.js": b"",
    "package/dist/ort/ort.wasm": bytes(10_000),
}
KEPT = {
    "LICENSE",
    "index.html",
    "app.bundle.0123456789abcdef.js",
    "app.css",
    "assets/icon.png",
    "deep/er/codec.wasm",
}
PLACES = Places(page=5, scripts=2, styles=1)


def member(name: str, content: bytes = b"", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member of a tarball, a plain file unless attributes say otherwise."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def packed(files: Mapping[str, bytes] = FILES, more: Iterable[tuple[tarfile.TarInfo, bytes]] = ()) -> bytes:
    """Return a tarball."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for info, content in [*(member(name, content) for name, content in files.items()), *more]:
            archive.addfile(info, io.BytesIO(content))
    return sink.getvalue()


def laid_out(folder: Path) -> Path:
    """Write the files as a tarball has them below a folder; returns that of the build."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "package" / "dist"


def package_of(tarball: bytes, places: Places | None = PLACES) -> Package:
    """Return what describes a tarball."""
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    return Package("@made/up", "1.2.3", integrity, places=places)
