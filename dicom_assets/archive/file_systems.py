"""Which file systems answer over a network, and which keep the inode number of a file.

Where it is kept, another number means another file: by local disks, NFS and cluster file systems, where the server or
the file system itself gives the numbers. Others (SMB, FUSE, shared folders of virtual machines) may make numbers up
whenever they are mounted, or forget them sooner: there they tell nothing.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_KEEPING = frozenset(
    {
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "bcachefs", "f2fs", "jfs", "zfs", "tmpfs", "overlay"),
        *("nfs", "nfs4", "ceph", "lustre", "gpfs", "beegfs", "gfs2", "ocfs2"),
    }
)
_NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "lustre",
        "gpfs",
        "beegfs",
        "gfs2",
        "ocfs2",
        "9p",
        "virtiofs",
    }
)
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class InodeNumbers:
    """Tells of each device, once, whether its inode numbers are kept. For one listing: devices come and go."""

    def __init__(self) -> None:
        self._kept: dict[int, bool] = {}

    def kept(self, path: str, device: int) -> bool:
        """Return whether a file's inode number is kept.

        Parameters
        ----------
        path, device
            Of the file. A path on each device is looked up, since devices of files are not always those of mounts
            (Btrfs, overlays).

        """
        known = self._kept.get(device)
        if known is None:
            known = self._kept[device] = file_system(path) in _KEEPING
        return known


def is_network(path: str) -> bool:
    """Return whether a path is on a file system that answers over a network, or by a program (FUSE)."""
    kind = file_system(path)
    return kind in _NETWORK or kind.startswith("fuse")


def file_system(path: str) -> str:
    """Return the type of the file system that a path is on, empty where the system does not tell (PROC(5))."""
    real = os.fsencode(os.path.realpath(path))
    depth, found = -1, ""
    for point, kind in _mounts():
        below = real == point or real.startswith(point.rstrip(b"/") + b"/")
        if below and len(point) >= depth:  # of two mounts on one folder, the later hides the earlier
            depth, found = len(point), kind
    return found


def _mounts() -> Iterator[tuple[bytes, str]]:
    """Yield mount points and the types of their file systems."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return  # not Linux
    for line in lines:
        place, _, source = line.partition(b" - ")
        point = _ESCAPE.sub(lambda octal: bytes([int(octal[1], 8)]), place.split(b" ")[4])
        yield point, os.fsdecode(source.split(b" ", 1)[0])
