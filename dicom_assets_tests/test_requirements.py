"""The lock file: exact versions, each with its hashes, from no particular index."""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1]
NOT_LOCKED = {"torch"}
"""Extras of gigabytes that nothing here needs: who trains has an installation of their own choice."""


def _entries():
    text = (PROJECT / "requirements.lock").read_text()
    return re.split(r"\n(?=\S)", text.strip())


def test_every_requirement_is_pinned_and_has_hashes():
    assert len(_entries()) > 100
    for entry in _entries():
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^\s;]+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_no_index_is_written_down():
    assert not re.search(r"://|--index|--extra-index|--find-links|--trusted-host", "\n".join(_entries()))


def test_what_the_project_needs_is_in_it():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    optional = project["project"]["optional-dependencies"]
    assert optional.keys() >= NOT_LOCKED
    extras = [requirements for name, requirements in optional.items() if name not in NOT_LOCKED]
    needed = [
        *project["project"]["dependencies"],
        *(name for group in project["dependency-groups"].values() for name in group),
        *(r for e in extras for r in e),
    ]
    names = {re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower() for requirement in needed}
    locked = {re.match(r"[a-z0-9._-]+", entry)[0] for entry in _entries()}
    assert names <= locked
