"""A system that gives no temporary folder, or no shared memory: told in its own words, nothing lost, nothing failed."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

from gilstudy import cli
from gilstudy.codec import encode
from gilstudy.experimenting.conduct import observe
from gilstudy.lessons.catalogue import CATALOGUE
from gilstudy.lessons.lesson import Setting
from gilstudy.lessons.perform import perform
from gilstudy.measuring.client import Client, StationLost
from gilstudy.measuring.plan import arm_of
from gilstudy.recording.events import Play
from gilstudy.system import scratch


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_found(*args: Any, **kwargs: Any) -> NoReturn:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/var/tmp']")

    def read_only(*args: Any, **kwargs: Any) -> NoReturn:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "TemporaryDirectory", none_found)
    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    monkeypatch.setattr(os, "memfd_create", read_only, raising=False)


def test_the_reason_is_what_the_system_said_and_not_where_python_looked(no_room: None) -> None:
    with (
        pytest.raises(scratch.NoRoom, match="read-only file system"),
        scratch.folder(),
    ):
        pytest.fail("there was room")


def test_a_folder_is_there_until_its_end() -> None:
    with scratch.folder() as folder:
        (folder / "x").write_text("y")
    assert not folder.exists()


def test_experiments_without_room_are_troubles_and_the_others_are_done(no_room: None) -> None:
    seen = observe(("deadlock", "costs", "sharing"))
    assert [trouble.experiment for trouble in seen.troubles] == ["deadlock", "sharing"]
    assert all("read-only file system" in trouble.reason for trouble in seen.troubles)
    assert seen.costs is not None


def test_a_station_without_room_works_and_has_no_last_words(no_room: None) -> None:
    line = Client("single")
    try:
        assert line.ask("open", 60, arm=encode(arm_of("single")), workers=1)
        line.send("no such verb")
        with pytest.raises(StationLost, match="no such verb"):
            line.receive(60)
    finally:
        line.end()


def test_a_lesson_without_room_is_unavailable_and_says_why(
    no_room: None, a_setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = perform(CATALOGUE["join-one"], a_setting)
    assert (shown.outcome, shown.trouble) == ("unavailable", "refused")
    assert "read-only file system" in shown.detail
    assert cli.main(["lesson", "join-one", "--lang", "en"]) == 0
    assert "The system refuses what this lesson needs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        ("OSError: [Errno 30] Read-only file system: '/dev/shm/pym-1-x'", "unavailable"),
        ("PermissionError: [Errno 13] Permission denied", "unavailable"),
        ("BlockingIOError: [Errno 11] Resource temporarily unavailable", "unavailable"),
        ("FileNotFoundError: [Errno 2] No usable temporary directory found in ['/tmp']", "unavailable"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'x'", "failed"),
        ("ZeroDivisionError: division by zero", "failed"),
    ],
)
def test_what_the_system_refuses_to_a_program_is_no_failure_of_its_lesson(
    monkeypatch: pytest.MonkeyPatch, a_setting: Setting, trouble: str, outcome: str
) -> None:
    def play(program: str, *args: Any, **kwargs: Any) -> Play:
        return Play(program=program, main_pid=1, ending="failed", trouble=trouble, elapsed_ns=1, events=())

    monkeypatch.setattr("gilstudy.lessons.perform.play", play)
    assert perform(CATALOGUE["join-one"], a_setting).outcome == outcome


def test_a_real_system_with_read_only_shared_memory(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    script = f"mount --make-rprivate / && mount -t tmpfs -o ro none /dev/shm || exit 77; exec {sys.executable} "
    command = [unshare or "unshare", "-m", "sh", "-c", script + "-m gilstudy lesson join-one --lang en"]
    if unshare is None or not Path("/dev/shm").is_dir():
        pytest.skip("mounts cannot be changed for one process here")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode == 77 or done.stderr.startswith("unshare:"):
        pytest.skip(f"mounts cannot be changed here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert "Read-only file system" in done.stdout
