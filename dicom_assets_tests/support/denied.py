"""Folders that may not be listed, for whoever runs the tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dicom_assets.archive.walk as walk_module

_NOBODY = 65534


@contextmanager
def denied(folder: Path, mode: int = 0) -> Iterator[None]:
    """Give a folder a mode, for the process of a test that only reads: the superuser steps down meanwhile."""
    before = {folder: folder.stat().st_mode}
    folder.chmod(mode)
    privileged = os.geteuid() == 0
    if privileged:
        for parent in folder.parents:
            status = parent.stat()
            if not status.st_mode & 0o001:
                before[parent] = status.st_mode
                parent.chmod(status.st_mode | 0o011)
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if privileged:
            os.seteuid(0)
        for path, bits in before.items():
            path.chmod(bits)


def deny(monkeypatch, *folders: Path) -> None:
    """Let folders be refused as the system refuses them, for tests that write too."""
    original = walk_module.open_path

    def refusing(path, flags):
        if path in map(str, folders):
            raise PermissionError(13, "Permission denied", path)
        return original(path, flags)

    monkeypatch.setattr(walk_module, "open_path", refusing)
