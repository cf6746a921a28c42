"""The registry is the one that npm would ask."""

import pytest

from dicom_assets.serve.viewer.errors import ViewerError
from dicom_assets.serve.viewer.registry import DEFAULT, registry_for

OURS = "https://npm.example/all"


@pytest.mark.parametrize(
    ("variables", "settings", "expected"),
    [
        ({}, None, DEFAULT),
        ({"npm_config_registry": OURS}, None, f"{OURS}/"),
        ({"NPM_CONFIG_REGISTRY": f"{OURS}/"}, None, f"{OURS}/"),
        ({}, f"registry={OURS}", f"{OURS}/"),
        (
            {},
            f'; registry=https://a.example\n#registry=https://b.example\n registry = "{OURS}"\nfund=false',
            f"{OURS}/",
        ),
        ({"npm_config_registry": "https://other.example"}, f"registry={OURS}", "https://other.example/"),
        ({"npm_config_registry": "https://other.example"}, f"@made:registry={OURS}", f"{OURS}/"),
        ({}, f"@else:registry={OURS}", DEFAULT),
        ({"NPM_HOST": "npm.example"}, "registry=https://${NPM_HOST}/all", f"{OURS}/"),
    ],
)
def test_settings_of_npm(tmp_path, variables, settings, expected):
    if settings is not None:
        (tmp_path / ".npmrc").write_text(settings)
    assert registry_for("@made/up", variables, tmp_path) == expected


def test_a_file_of_settings_elsewhere(tmp_path):
    (tmp_path / "mine").write_text(f"registry={OURS}")
    assert registry_for("@made/up", {"npm_config_userconfig": str(tmp_path / "mine")}, tmp_path) == f"{OURS}/"


@pytest.mark.parametrize("value", ["file:///etc", "ftp://npm.example", "npm.example", "https://"])
def test_what_is_no_registry_is_refused(tmp_path, value):
    with pytest.raises(ViewerError, match="https://"):
        registry_for("@made/up", {"npm_config_registry": value}, tmp_path)


def test_settings_that_cannot_be_read_are_none(tmp_path):
    (tmp_path / ".npmrc").mkdir()
    assert registry_for("@made/up", {}, tmp_path) == DEFAULT
    (tmp_path / "bytes").write_bytes(b"\xff\xfe=\0\nregistry=https://npm.example")
    assert registry_for("a", {"npm_config_userconfig": str(tmp_path / "bytes")}) == "https://npm.example/"
