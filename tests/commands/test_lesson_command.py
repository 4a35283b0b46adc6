"""``gilstudy lesson`` as a user meets them: real processes, a real terminal, real signals."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import left_in, working_in

from gilstudy import recording
from gilstudy.lessons.catalogue import CATALOGUE

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and terminals")
LESSON = [sys.executable, "-m", "gilstudy", "lesson"]
ENGLISH = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "80"}


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LESSON, *arguments],
        cwd=cwd,
        env=ENGLISH | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


# -- usage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one lesson, --list or --all"),
        (["fork", "--all"], "give only one of these"),
        (["join-onne"], "there is no lesson 'join-onne'; did you mean join-one?"),
        (["--all", "--predict"], "--predict and --show-code go with the name of one lesson"),
        (["why-threads", "--n", "0"], "--n takes a whole number from 1 to 2**64 - 1, not 0"),
        (["why-threads", "--n", "many"], "invalid int value"),
        (["fork", "--lang", "xx"], "invalid choice"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_list_names_every_lesson(tmp_path: Path) -> None:
    done = run("--list", cwd=tmp_path)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == list(CATALOGUE)
    assert "子进程" in run("--list", "--lang", "zh", cwd=tmp_path).stdout
    if sys.implementation.name == "cpython":  # PyPy does not start under a locale that is not installed
        assert "子进程" in run("--list", cwd=tmp_path, LC_ALL="zh_CN.UTF-8").stdout


# -- running ---------------------------------------------------------------------------------------------------------


def test_all_lessons_a_line_each(tmp_path: Path) -> None:
    done = run("--all", "--n", "100000", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, last = done.stdout.splitlines()
    outcomes = [re.match(r"(passed|not here) +(\S+)", line) for line in lines]
    assert [outcome[2] for outcome in outcomes if outcome] == list(CATALOGUE)
    if hasattr(os, "sched_setaffinity") and hasattr(os, "fork"):
        assert re.fullmatch(r"All \d+ lessons passed in \d+\.\d s\.", last)
    else:
        assert re.fullmatch(r"\d+ of \d+ lessons passed in \d+\.\d s; the others cannot be given here\.", last)
    assert done.stderr == ""
    assert left_in(tmp_path) == []


def test_the_code_that_is_shown_is_the_program(tmp_path: Path) -> None:
    done = run("join-omitted", "--show-code", cwd=tmp_path)
    source = (Path(recording.__file__).parent / "examples/join_omitted.py").read_text(encoding="utf-8")
    assert source in done.stdout
    assert "\x1b" not in done.stdout


def test_json_holds_the_events(tmp_path: Path) -> None:
    done = run("join-one", "--json", cwd=tmp_path)
    given = json.loads(done.stdout)
    assert (given["lesson"], given["outcome"], given["language"]) == ("join-one", "passed", "en")
    assert {check["passed"] for check in given["checks"]} == {True}
    (play,) = given["plays"]
    kinds = {event["kind"] for event in play["events"]}
    assert {"started", "said", "waits", "goes-on", "ended"} <= kinds
    assert all(given[key] for key in ("says", "seen", "since"))


def test_a_guess_is_not_asked_for_without_a_terminal(tmp_path: Path) -> None:
    done = run("join-omitted", "--predict", cwd=tmp_path)
    assert done.returncode == 0
    assert "guess" not in done.stdout + done.stderr


@POSIX
@pytest.mark.parametrize(
    ("typed", "told"), [("1\n", "You guessed right"), ("9\n2\n", "You guessed:"), ("\n", "What happened")]
)
def test_a_guess_is_answered_from_what_happened(typed: str, told: str, tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*LESSON, "join-omitted", "--predict"], cwd=tmp_path, env=ENGLISH, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    output = b""
    try:
        while chunk := os.read(ours, 4096):
            output += chunk
    except OSError:  # on Linux the end of a terminal is an error
        pass
    os.close(ours)
    assert process.wait() == 0
    text = output.decode()
    assert "Which line is printed first?" in text
    assert told in text
    assert "the parent's last line" in text


# -- nothing is left behind ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def begun(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A long lesson whose program is under way, with more than one process of its own."""
    with subprocess.Popen(
        [*LESSON, "why-threads", "--n", "20000000000"],
        cwd=folder,
        env=ENGLISH,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while len(working_in(folder)) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_lesson_leaves_nothing(number: int, tmp_path: Path) -> None:
    with begun(tmp_path) as process:
        process.send_signal(number)
        assert process.wait(60) == 130
    assert left_in(tmp_path) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system ends children with their parent on Linux")
def test_a_killed_lesson_leaves_nothing(tmp_path: Path) -> None:
    with begun(tmp_path) as process:
        process.kill()
        process.wait()
    assert left_in(tmp_path) == []
