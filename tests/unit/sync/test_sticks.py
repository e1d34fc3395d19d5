"""The folder of a stick: hostile things in it, full, locked, pulled out, worn."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.bundles import MARKER_BYTES, MARKER_NAME
from sync.limits import STICK_NAMES_MAX
from sync.sticks import FOLDER_NAME, FreshFile, StickFailed, StickFolder

NAME = "8489be0a8aa685ea-1.bmb"
KIOSK = bytes.fromhex("8489be0a8aa685ea")


def stick(tmp_path: Path) -> Path:
    (tmp_path / FOLDER_NAME).mkdir()
    return tmp_path


def why(deed: Callable[[], object]) -> str:
    with pytest.raises(StickFailed) as failed:
        deed()
    return failed.value.why


def test_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    root = stick(tmp_path)
    with StickFolder.opened(root) as folder:
        file = folder.fresh(NAME)
        file.write(b"half")
        before = folder.names()
        file.write(b" and half")
        file.finish()

        assert before == ((), False)
        assert folder.names() == ((NAME,), False)
        assert [path.name for path in (root / FOLDER_NAME).iterdir()] == [NAME]
        with folder.reading(NAME) as found:
            assert list(found.pieces()) == [b"half and half"]


def test_discarded_file_leaves_nothing(tmp_path: Path) -> None:
    with StickFolder.opened(stick(tmp_path)) as folder:
        file = folder.fresh(NAME)
        file.write(b"half")
        file.discard()

    assert list((tmp_path / FOLDER_NAME).iterdir()) == []


def test_what_a_pull_left_half_written_is_swept_for_its_kiosk_alone(tmp_path: Path) -> None:
    root = stick(tmp_path)
    other = "00112233445566aa-1.new"
    for name in (f"{KIOSK.hex()}-7.new", other, "notes.new"):
        (root / FOLDER_NAME / name).write_bytes(b"half")

    with StickFolder.opened(root) as folder:
        folder.sweep(KIOSK)

    assert sorted(path.name for path in (root / FOLDER_NAME).iterdir()) == [other, "notes.new"]


def test_half_file_of_the_same_name_is_begun_anew(tmp_path: Path) -> None:
    root = stick(tmp_path)
    (root / FOLDER_NAME / NAME.replace(".bmb", ".new")).symlink_to("/etc/hostname")

    with StickFolder.opened(root) as folder:
        file = folder.fresh(NAME)
        file.write(b"whole")
        file.finish()

    assert (root / FOLDER_NAME / NAME).read_bytes() == b"whole"


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder", "device"])
def test_only_plain_files_are_read(tmp_path: Path, kind: str) -> None:
    path = stick(tmp_path) / FOLDER_NAME / NAME
    match kind:
        case "link":
            path.symlink_to("/etc/hostname")
        case "dangling":
            path.symlink_to("/nowhere")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case _:
            if os.geteuid() != 0:
                pytest.skip("only root makes devices")
            os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))

    with StickFolder.opened(tmp_path) as folder:
        assert why(lambda: folder.open_file(NAME)) == "strange"


def test_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    root = tmp_path / "stick"
    root.mkdir()
    (root / FOLDER_NAME).symlink_to(tmp_path / "elsewhere")

    assert why(lambda: StickFolder.at(root)) == "strange"
    assert why(lambda: StickFolder.at(root, is_made=True)) == "strange"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_crowd_of_names_is_left_at_the_bound(tmp_path: Path) -> None:
    root = stick(tmp_path)
    for number in range(STICK_NAMES_MAX + 20):
        (root / FOLDER_NAME / f"junk{number}.exe").touch()

    with StickFolder.opened(root) as folder:
        assert folder.names() == ((), True)


def test_names_come_oldest_first_and_others_not_at_all(tmp_path: Path) -> None:
    root = stick(tmp_path)
    for name in (f"{KIOSK.hex()}-10.bmb", f"{KIOSK.hex()}-9.bmb", "AUTORUN.INF", "desktop.ini"):
        (root / FOLDER_NAME / name).touch()

    with StickFolder.opened(root) as folder:
        assert folder.names() == ((f"{KIOSK.hex()}-9.bmb", f"{KIOSK.hex()}-10.bmb"), False)


def test_stick_without_our_folder_is_no_stick_of_ours(tmp_path: Path) -> None:
    assert why(lambda: StickFolder.at(tmp_path)) == "bare"
    assert why(lambda: StickFolder.at(tmp_path / "nothing")) == "gone"


def test_sparse_file_of_a_terabyte_costs_no_memory_to_begin(tmp_path: Path) -> None:
    path = stick(tmp_path) / FOLDER_NAME / NAME
    with path.open("wb") as file:
        file.truncate(1 << 40)

    with StickFolder.opened(tmp_path) as folder, folder.reading(NAME) as found:
        assert next(found.pieces()) == bytes(64 * 1024)


def test_mark_is_read_no_further_than_a_mark_is_long(tmp_path: Path) -> None:
    root = stick(tmp_path)
    with StickFolder.opened(root) as folder:
        assert folder.marker() == b""
        folder.mark(b"m" * 10_000)

        assert folder.marker() == b"m" * (MARKER_BYTES + 1)
        assert (root / FOLDER_NAME / MARKER_NAME).stat().st_size == 10_000


# --- sticks that fail ---


class Failing(FreshFile):
    """A file on a stick that fails after so many bytes."""

    room = 8
    code = errno.ENOSPC

    def write(self, raw: bytes) -> None:
        if self.size_bytes + len(raw) > self.room:
            handle, self._handle = self._handle, os.open("/dev/full", os.O_RDWR)
            os.close(handle)
        super().write(raw)


def test_full_stick_says_so_and_keeps_nothing_half(tmp_path: Path) -> None:
    root = stick(tmp_path)
    with StickFolder.opened(root) as folder:
        file = Failing(folder._handle, NAME, "half.new")
        file.write(b"12345678")

        assert why(lambda: file.write(b"9")) == "full"
        file.discard()

    assert list((root / FOLDER_NAME).iterdir()) == []


def test_stick_that_forgets_is_found_out_by_reading_back(tmp_path: Path) -> None:
    root = stick(tmp_path)
    with StickFolder.opened(root) as folder:
        file = folder.fresh(NAME)
        file.write(b"what should stay")
        os.pwrite(file._handle, b"X", 3)

        assert why(file.finish) == "worn"
        file.discard()

    assert list((root / FOLDER_NAME).iterdir()) == []


def test_locked_stick_says_so(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere; tests/deep mounts one read-only")
    root = stick(tmp_path)
    (root / FOLDER_NAME).chmod(0o500)
    with StickFolder.opened(root) as folder:
        assert why(lambda: folder.fresh(NAME)) == "locked"
