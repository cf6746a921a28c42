"""A build that stands at the root of a server is moved below the prefix, and only that is changed."""

from pathlib import PurePosixPath

import pytest

from dicom_assets.serve.viewer.errors import ViewerError
from dicom_assets.serve.viewer.package import Places
from dicom_assets.serve.viewer.policy import policy
from dicom_assets.serve.viewer.rewriting import PAGE, check_build, rewrite
from dicom_assets_tests.serve.viewer import packing


@pytest.fixture
def build(tmp_path):
    return packing.laid_out(tmp_path)


def test_the_page():
    moved = rewrite(PAGE, packing.PAGE)
    assert moved.places == packing.PLACES.page
    assert b'src="/viewer/app.bundle.0123456789abcdef.js"' in moved.content
    assert moved.content.count(b'PUBLIC_URL="/viewer/"') == 2
    assert b'content="/viewer/assets/browserconfig.xml"' in moved.content
    assert b'href="//elsewhere/"' in moved.content
    assert b"service-worker" not in moved.content
    assert b"manifest" not in moved.content


def test_scripts_and_styles():
    moved = rewrite(PurePosixPath("app.js"), packing.SCRIPT)
    assert moved.places == 2
    assert b'__webpack_require__.p = "/viewer/";' in moved.content
    assert b"load('/viewer/dicom-microscopy-viewer/" in moved.content
    assert b'const other = "/dicom-web", root = "/";' in moved.content
    moved = rewrite(PurePosixPath("app.css"), packing.STYLE)
    assert moved == (packing.STYLE.replace(b"(/font", b"(/viewer/font"), 1)
    assert rewrite(PurePosixPath("x.wasm"), packing.SCRIPT) == (packing.SCRIPT, 0)


@pytest.mark.parametrize(
    ("name", "content"), [("index.html", packing.PAGE), ("a.js", packing.SCRIPT), ("a.css", packing.STYLE)]
)
def test_what_was_moved_is_not_moved_again(name, content):
    once = rewrite(PurePosixPath(name), content)
    assert rewrite(PurePosixPath(name), once.content) == (once.content, 0)


def test_a_build_is_checked(build):
    check_build(build)
    check_build(build, packing.PLACES)
    with pytest.raises(ViewerError, match="viewer install"):
        check_build(build, Places(5, 3, 1))
    (build / "app.bundle.0123456789abcdef.js").write_bytes(b"")
    with pytest.raises(ViewerError, match="PUBLIC_URL=/viewer/"):
        check_build(build)
    (build / "index.html").unlink()
    with pytest.raises(ViewerError, match="holds no viewer"):
        check_build(build)


def test_a_build_for_the_prefix_is_one_too(build):
    page, script = build / "index.html", build / "app.bundle.0123456789abcdef.js"
    page.write_bytes(page.read_bytes().replace(b'="/', b'="/viewer/'))
    script.write_bytes(b'x.p="/viewer/"')
    check_build(build)


def test_only_the_scripts_of_the_page_are_allowed():
    page = rewrite(PAGE, packing.PAGE).content
    allowed = policy(page)
    assert allowed.count("'sha256-") == 2
    assert policy(page.replace(b"import(n)", b"import(m)")) != allowed
    assert "http" not in allowed
    for rule in ("default-src 'self'", "'unsafe-eval'", "worker-src 'self' blob:", "frame-ancestors 'none'"):
        assert rule in allowed
    assert "script-src 'self' 'unsafe-inline'" not in allowed
