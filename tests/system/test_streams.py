"""Standard streams that are closed, full, or read by somebody who had enough, in every command."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from builders import a_record

from gilstudy.concluding.findings import conclude
from gilstudy.errors import BadInput
from gilstudy.report.study import save
from gilstudy.system.streams import Output

pytestmark = pytest.mark.skipif(
    os.name != "posix" or not Path("/dev/full").exists(), reason="a POSIX shell and /dev/full"
)

GILSTUDY = f"{shlex.quote(sys.executable)} -m gilstudy"
COMMANDS = {
    "help": "--help",
    "help of a command": "bench --help",
    "version": "--version",
    "info": "info",
    "info as JSON": "info --json",
    "list": "lesson --list",
    "lesson": "lesson join-one",
    "lesson as JSON": "lesson join-one --json",
    "report": "report study.json --json again.json",
    "report, quiet": "report study.json --quiet",
    "claims": "claims --study study.json --json again.json",
    "probe": "probe time:sleep --args 0.002 --json again.json --junit again.xml",
}
BAD = ["--frobnicate", "report none.json", "bench --workers two", "probe zlib:none", "lesson none"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("streams")
    record = a_record(rounds=9)
    save(path / "study.json", record, conclude(record))
    return path


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def are_saved(folder: Path, command: str) -> bool:
    """Whether the files that the command was to write are there, and whole; they are taken away."""
    wanted = [folder / word for word in command.split() if word.startswith("again.")]
    for path in wanted:
        text = path.read_text()
        assert text.startswith("<?xml") or json.loads(text)
        path.unlink()
    return True


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_closed_full_and_broken_output(folder: Path, command: str) -> None:
    for redirection in (">&-", "2>&-", "<&-", "<&- >&- 2>&-", "2> /dev/full", "| true", "| head -1"):
        done = shell(folder, f"{GILSTUDY} {command} {redirection}")
        assert (done.returncode, done.stderr) == (0, ""), redirection
        assert are_saved(folder, command)
    done = shell(folder, f"{GILSTUDY} {command} > /dev/full")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "cannot write standard output: No space left on device" in done.stderr
    assert are_saved(folder, command)


@pytest.mark.parametrize("command", BAD)
def test_bad_input_is_exit_code_2_wherever_it_is_told(folder: Path, command: str) -> None:
    assert shell(folder, f"{GILSTUDY} {command}").stderr.count("\n") == 1
    for redirection in ("2>&-", "2> /dev/full", ">&- 2>&-", "> /dev/full 2>&1", "2>&1 >&- | true"):
        done = shell(folder, f"{GILSTUDY} {command} {redirection}")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", ""), redirection


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="nothing is probed under another Python")
def test_a_reader_that_had_enough_hides_no_failure(folder: Path) -> None:
    command = "probe zlib:crc32 --args 1 --expect releases"
    assert shell(folder, f"{GILSTUDY} {command} | true").returncode == 1


def test_what_an_encoding_lacks_is_escaped(folder: Path) -> None:
    plain = f"PYTHONIOENCODING=ascii PYTHONUTF8=0 {GILSTUDY}"
    for command in ("lesson join-one --lang zh", "lesson join-one --lang zh --json", "lesson --list --lang zh"):
        done = shell(folder, f"{plain} {command}")
        assert (done.returncode, done.stderr) == (0, "")
        assert "\\u" in done.stdout
        assert "--json" not in command or json.loads(done.stdout)["language"] == "zh"


# -- the stream itself -----------------------------------------------------------------------------------------------


class Failing(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


def test_output_on_no_stream_goes_nowhere() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        output = Output(stream)
        assert output.write("x") == 1
        assert not output.isatty()
        output.flush()


def test_a_failure_is_told_once_and_a_broken_pipe_never() -> None:
    full = Output(Failing(OSError(28, "No space left on device")))
    with pytest.raises(BadInput, match="cannot write standard output: No space left on device"):
        full.write("x")
    assert full.write("x") == 1
    assert Output(Failing(OSError(28, "full")), forgiving=True).write("x") == 1
    assert Output(Failing(BrokenPipeError(32, "Broken pipe"))).write("x") == 1


def test_what_was_closed_while_it_was_kept_gets_a_line() -> None:
    stream = io.StringIO()
    output = Output(stream)
    stream.close()
    with pytest.raises(BadInput, match="it is closed"):
        output.write("x")
