"""The disk below the store: its free space, a file that reserves space for deletions, and its kind of file system."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

NAME = "fallline.reserve"

ROOM_BYTES, ROOM_SHARE = 4 << 20, 1 / 8
"""Bytes for the next write, and their largest share of a small disk."""

TIMES = 2
"""Size of the reserve in rooms: one for the log of a deletion, one for the log before it."""


def room_on(folder: Path) -> int:
    """Return the bytes that must be free on this folder's disk before the next write."""
    return int(min(ROOM_BYTES, ROOM_SHARE * shutil.disk_usage(folder).total))


class Reserve:
    """The reserve file of a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def fill(self) -> bool:
        """Allocate the reserve. Return whether that succeeded."""
        try:
            room = TIMES * room_on(self.path.parent)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        try:
            if os.fstat(file).st_size != room:
                os.ftruncate(file, 0)
                _allocate(file, room)
            return True
        except OSError:
            os.ftruncate(file, 0)
            return False
        finally:
            os.close(file)

    def release(self) -> bool:
        """Free the reserve. Return whether there was any."""
        try:
            size = self.path.stat().st_size
            os.truncate(self.path, 0)
        except OSError:
            return False
        return size > 0


def _allocate(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.pwrite(file, b"\xff" * size, 0)


# ---------------------------------------------------------------------- file systems

MOUNTS = Path("/proc/self/mountinfo")

NETWORKED = frozenset(
    (
        *(
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "afs",
            "ceph",
            "glusterfs",
            "lustre",
            "gpfs",
            "beegfs",
            "davfs",
        ),
        *(f"fuse.{name}" for name in ("sshfs", "glusterfs", "ceph", "s3fs", "rclone", "davfs")),
    )
)
"""Network file systems, where locks and syncs are unreliable.

Folders shared with a virtual machine (virtiofs, 9p, vboxsf) are not listed. Containers there may have no other disk.
Their known problem is shared memory beside a write-ahead log, which is not used here.
"""


def network_file_system(folder: Path) -> str | None:
    """Return the network file system of a folder; None on a disk, or if unknown."""
    try:
        kind = kind_of(folder.resolve(), MOUNTS.read_text())
    except OSError:
        return None
    return kind if kind in NETWORKED else None


def kind_of(path: Path, mounts: str) -> str | None:
    """Return the kind of the innermost mount of an absolute path.

    A later mount hides one at the same point. Lines are as in proc_pid_mountinfo(5): the mount point is the fifth
    field, the kind comes after " - ".
    """
    innermost, kind = 0, None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), before.split()[4]))
        if path.is_relative_to(point) and len(point.parts) >= innermost:
            innermost, kind = len(point.parts), after.split()[0]
    return kind
