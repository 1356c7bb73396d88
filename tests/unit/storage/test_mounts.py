"""Folders on a network file system are recognised, also below nested mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fallline.storage import disk
from fallline.storage.disk import kind_of, network_file_system
from fallline.storage.interface import StoreRefused
from fallline.storage.sqlite import SqliteStore

MOUNTED = r"""23 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
60 28 0:50 / /far rw,relatime shared:30 master:2 - nfs4 server:/far rw,vers=4.2
61 60 254:1 / /far/scratch rw - xfs /dev/vdb rw
62 28 0:51 / /mnt/my\040share rw - cifs //server/share rw
63 28 0:52 / /twice rw - nfs server:/twice rw
64 63 0:53 / /twice rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib/fallline", "ext4"),
        ("/", "ext4"),
        ("/far/ada/fallline", "nfs4"),
        ("/farther/ada", "ext4"),
        ("/far/scratch/fallline", "xfs"),
        ("/mnt/my share/fallline", "cifs"),
        ("/twice", "tmpfs"),
    ],
)
def test_the_innermost_mount_decides_the_kind(folder: str, kind: str) -> None:
    assert kind_of(Path(folder), MOUNTED) == kind


def test_the_folder_of_this_test_is_on_no_network() -> None:
    assert network_file_system(Path(__file__).parent) is None


def test_nothing_is_stored_on_a_network_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed, data = tmp_path / "mountinfo", tmp_path / "data"
    listed.write_text(MOUNTED.replace("/far ", f"{tmp_path} "))
    monkeypatch.setattr(disk, "MOUNTS", listed)
    with pytest.raises(StoreRefused, match=r"network file system \(nfs4\).*FALLLINE_DATA"):
        SqliteStore(data).open()
    assert not data.exists()


def test_storing_works_where_the_kind_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MOUNTS", tmp_path / "not there")
    store = SqliteStore(tmp_path)
    store.open()
    store.close()
    assert store.path.stat().st_size > 0
