"""What kind of file system a folder lies on, as Linux tells it. Must not know what is stored there."""

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
"""Where locks and syncs may be promised and not kept, or kept by another machine. Folders that a host shares with a
virtual machine (virtiofs, 9p, vboxsf) are not among them: containers there may have nothing else, and what damages
others' files on them, memory shared beside a write-ahead log, is not used here.
"""


def network_file_system(folder: Path) -> str | None:
    """The kind of the network file system that a folder lies on; None on a disk, and where nothing tells it."""
    try:
        kind = kind_of(folder.resolve(), MOUNTS.read_text())
    except OSError:
        return None
    return kind if kind in NETWORKED else None


def kind_of(path: Path, mounts: str) -> str | None:
    """The kind of the innermost of these mounts that holds an absolute path; of two at one place the later one hides
    the other. Lines as proc_pid_mountinfo(5) has them: the mount point is the fifth field, the kind comes after " - ".
    """
    innermost, kind = 0, None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), before.split()[4]))
        if path.is_relative_to(point) and len(point.parts) >= innermost:
            innermost, kind = len(point.parts), after.split()[0]
    return kind
