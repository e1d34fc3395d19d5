"""Chromium is started so that nothing of a visit is written anywhere."""

import stat
from pathlib import Path

import pytest

from bianmin.browser import command, profile_in_memory


def test_profile_is_in_memory_ours_alone_and_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with profile_in_memory() as profile:
        (profile / "Default").mkdir()
        (profile / "Default" / "Session").write_text("x")
        mode = stat.S_IMODE(profile.stat().st_mode)
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]

    assert mode == 0o700
    assert [str(profile.parent), "tmpfs"] in mounts
    assert not profile.exists()


def test_users_own_memory_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    with profile_in_memory() as profile:
        assert profile.parent == tmp_path


def test_kiosk_has_no_cache_no_crash_images_and_fresh_tabs(tmp_path: Path) -> None:
    line = command("/usr/bin/chromium", "kiosk", "http://127.0.0.1:8420/", tmp_path)

    assert {"--incognito", "--disable-breakpad", "--disable-popup-blocking"} <= set(line)
    assert f"--user-data-dir={tmp_path}" in line
    assert line[line.index("--kiosk") + 1] == "http://127.0.0.1:8420/#fresh-tabs"


def test_window_of_a_desktop_keeps_its_one_tab(tmp_path: Path) -> None:
    line = command("/usr/bin/chromium", "window", "http://127.0.0.1:8420/", tmp_path)

    assert "--app=http://127.0.0.1:8420/" in line
    assert not any("fresh-tabs" in part for part in line)
