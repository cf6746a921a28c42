"""The notebook of the documentation runs, shows what it is stored with, and its page is made of it.

Its code stands in the page behind <!-- notebook -->, and is run here, as cells that follow one another.
"""

import importlib.util

import nbformat
import pytest

from dicom_assets_tests.support.snippets import PROJECT

_SPEC = importlib.util.spec_from_file_location("notebook", PROJECT / "docs" / "tools" / "notebook.py")
notebook = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(notebook)


@pytest.fixture(scope="module")
def stored():
    return notebook.read()


def test_it_is_a_valid_notebook(stored):
    nbformat.validate(stored)
    assert sum(cell.cell_type == "code" for cell in stored.cells) > 8


def test_it_runs_and_shows_what_it_is_stored_with(stored, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    made = notebook.run(nbformat.from_dict(stored), tmp_path)
    assert notebook.texts(made) == notebook.texts(stored), "run `python docs/tools/notebook.py`"
    shown = str([cell.outputs for cell in made.cells if cell.cell_type == "code"])
    assert "data:image/" in shown, "a selection shows its thumbnails"
    assert "image/png" in shown, "a thumbnail shows as a picture"
    for place in (str(tmp_path), str(PROJECT), "/tmp/"):
        assert place not in shown, "outputs hold no places of a machine"


def test_no_place_of_a_machine_is_stored(stored):
    text = nbformat.writes(stored) + notebook.page(stored)
    for place in ("/tmp/", "/home/", "/root/", "site-packages", "C:\\\\"):
        assert place not in text


def test_its_page_is_in_step(stored):
    assert notebook.PAGE.read_text(encoding="utf-8") == notebook.page(stored), "run `python docs/tools/notebook.py`"
