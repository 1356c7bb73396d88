"""The kind of file system of a folder, from Linux's mount table."""

from __future__ import annotations

import re
from pathlib import Path

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
