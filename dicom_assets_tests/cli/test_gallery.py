"""``dicom-assets gallery``: the page shows what was asked for."""

import pytest
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets_tests.query.conftest import ROWS, append


@pytest.fixture
def gallery(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, ROWS)

    def call(*options):
        return CliRunner().invoke(app, ["gallery", str(tmp_path / "page.html"), "--lake", lake.root, *options])

    return call


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ((), f"{len(ROWS)} files: "),
        (("--where", "Modality = 'CT'"), "2 files: "),
        (("--where", "Modality = 'US'"), "1 file: "),
        (("--where", "Modality = 'CT'", "--limit", "1"), "1 of 2 files: "),
        (("--where", "false"), "0 files: "),
    ],
)
def test_files_are_chosen_by_a_condition_and_a_limit(gallery, tmp_path, options, line):
    done = gallery(*options, "--title", "Chest & more")
    assert (done.exit_code, done.output) == (0, f"{line}{tmp_path / 'page.html'}\n")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>Chest &amp; more</h1>" in page
    assert page.count("<figure") == int(line.split()[0])


def test_a_wrong_condition_is_one_line_and_no_page(gallery, tmp_path):
    refused = gallery("--where", "Modalty = 'CT'")
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)
    assert "Modality" in refused.output
    assert not (tmp_path / "page.html").exists()
    assert gallery("--limit", "0").exit_code == 2
