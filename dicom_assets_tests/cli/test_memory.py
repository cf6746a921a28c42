"""The command that runs for hours tells Arrow's allocator to keep nothing, before Arrow is loaded."""

import os
import subprocess
import sys

import pytest

_TELLS = """\
import os, sys
from dicom_assets.cli.commands import Commands
assert "pyarrow" not in sys.modules
Commands(name="all").get_command(None, sys.argv[1])
import pyarrow
print(os.environ.get("MIMALLOC_PURGE_DELAY"))
"""


def _told(command, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "MIMALLOC_PURGE_DELAY"}
    run = subprocess.run(
        [sys.executable, "-c", _TELLS, command], env=kept | environment, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


@pytest.mark.parametrize(("command", "expected"), [("catalog", "0"), ("serve", "None")])
def test_only_catalog_keeps_nothing(command, expected):
    assert _told(command) == expected


def test_what_the_environment_says_stays():
    assert _told("catalog", MIMALLOC_PURGE_DELAY="7") == "7"
