"""One program, run by Python and by ``gilstudy trace``: all that can be seen of it from outside, and what differs.

Both runs get the same folder, emptied in between, so that not even a path differs. What no two runs of a program have
in common (addresses, process ids, times) a case names, and it is blotted out.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PROGRAMS = Path(__file__).parent / "faithful"
LIMIT_S = 100.0
"""Nothing here takes more than some seconds of a busy machine."""
BLOT = (re.compile(rb"0x[0-9a-f]{5,}"), b"0x#")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A program and how it is run: ``python FLAGS WORDS``."""

    words: tuple[str, ...]
    flags: tuple[str, ...] = ()
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """What lies in the folder beside the programs that ``words`` name."""
    stdin: bytes = b""
    stdout: str = "pipe"
    """Or ``closed``: a pipe whose reader has gone; or ``full``: a device that is full."""
    blots: tuple[str, ...] = ()
    """What differs from run to run: patterns, of which each match is replaced by ``#``."""
    drops: tuple[str, ...] = ()
    """What may be there or not: patterns of which each match is left out."""
    ignored: tuple[signal.Signals, ...] = ()
    """Signals that whoever starts it ignores, as nohup does."""
    unordered: bool = False
    """Whether several processes write lines side by side."""
    reported: bool = True
    """Whether a report must have been made: not if the program ends or replaces the process."""
    prepare: Callable[[Path], None] | None = None
    """What is done in the folder before each run."""


@dataclass(frozen=True)
class Seen:
    """All that can be seen from outside."""

    code: str
    """The exit code, or the signal that ended it, or that it was still running."""
    out: list[bytes]
    err: list[bytes]
    files: dict[str, bytes]
    left: tuple[str, ...]
    """The processes that it left behind."""

    def parts(self) -> dict[str, list[str]]:
        """Each part as lines."""
        lines = {"out": [repr(line)[1:] for line in self.out], "err": [repr(line)[1:] for line in self.err]}
        files = [f"{name}: {content!r}" for name, content in sorted(self.files.items())]
        return {"exit code": [self.code], **lines, "files": files, "left behind": list(self.left)}


def differences(plain: Seen, traced: Seen) -> list[str]:
    """What of the traced run is not as it is under Python alone, one entry for each part."""
    found = []
    other = traced.parts()
    for part, lines in plain.parts().items():
        if lines != other[part]:
            diff = difflib.unified_diff(lines, other[part], "python", "trace", lineterm="", n=0)
            found.append(
                f"{part}: " + "\n    ".join(line for line in diff if not line.startswith(("---", "+++", "@@")))
            )
    return found


def tried(case: Case, folder: Path, python: str = sys.executable, path: str = "") -> list[str]:
    """Run a case both ways in ``folder``, which is made; return what differs.

    Args:
        case: what to run.
        folder: a path where nothing is.
        python: the interpreter.
        path: the folder where it finds gilstudy, if that is not installed for it; both runs have it on their path.
    """
    plain = run(case, folder / "here", [python, *case.flags], path)
    options = ["--report", "../report.txt", "--out", "../trace.json"]
    traced = run(case, folder / "here", [python, *case.flags, "-m", "gilstudy", "trace", *options], path)
    found = differences(plain, traced)
    if case.reported:
        found += _troubles_of_report(folder)
    return found


def _troubles_of_report(folder: Path) -> list[str]:
    report, trace = folder / "report.txt", folder / "trace.json"
    found = [f"report: no {file.name}" for file in (report, trace) if not file.is_file()]
    if not found:
        if not json.loads(trace.read_bytes())["traceEvents"]:
            found.append("report: an empty trace")
        if not report.read_text(encoding="utf-8").strip():
            found.append("report: nothing in it")
    return found


def run(case: Case, folder: Path, command: list[str], path: str) -> Seen:
    """Run a case once, in ``folder``, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _fill(case, folder)
    before = _files(folder)
    with _stdout(case.stdout) as stdout:
        process = subprocess.Popen(
            [*command, *case.words],
            cwd=folder,
            env=environment(path),
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: [signal.signal(number, signal.SIG_IGN) for number in case.ignored],
        )
    try:
        out, err = process.communicate(case.stdin, timeout=LIMIT_S)
        code = signal.Signals(-process.returncode).name if process.returncode < 0 else str(process.returncode)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        code = f"still running after {LIMIT_S:g} s"
    left = _left_of(process.pid)
    files = {name: content for name, content in _files(folder).items() if before.get(name) != content}
    return Seen(code, _lines(case, out or b""), _lines(case, err), files, left)


def environment(path: str) -> dict[str, str]:
    """The environment of both runs; ``path`` is where gilstudy is found, if it is not installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COLUMNS"))}
    return kept | {"PYTHONHASHSEED": "0"} | ({"PYTHONPATH": path} if path else {})


def _fill(case: Case, folder: Path) -> None:
    programs = {program.name for program in PROGRAMS.iterdir()}
    for word in case.words:
        if Path(word).name in programs:
            (folder / word).parent.mkdir(exist_ok=True)
            shutil.copy(PROGRAMS / Path(word).name, folder / word)
    for name, content in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    if case.prepare:
        case.prepare(folder)


def _lines(case: Case, text: bytes) -> list[bytes]:
    text = re.sub(*BLOT, text)
    for pattern in case.drops:
        text = re.sub(pattern.encode(), b"", text)
    for pattern in case.blots:
        text = re.sub(pattern.encode(), b"#", text)
    lines = text.splitlines(keepends=True)
    return sorted(lines) if case.unordered else lines


def _files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder; of what Python compiled only that it is there: it holds times."""
    return {
        str(file.relative_to(folder)): b"" if file.suffix == ".pyc" or not file.is_file() else file.read_bytes()
        for file in folder.rglob("*")
    }


def _left_of(group: int) -> tuple[str, ...]:
    """The processes of a group that are still there, after the system had time to end them; they are ended."""
    deadline = time.monotonic() + 10
    while (left := _group(group)) and time.monotonic() < deadline:
        time.sleep(0.01)
    if left:
        os.killpg(group, signal.SIGKILL)
    return tuple(left)


def _group(group: int) -> list[str]:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return []
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()[:3]))
    return found


@contextlib.contextmanager
def _stdout(kind: str) -> Iterator[int]:
    if kind == "pipe":
        yield subprocess.PIPE
        return
    if kind == "full":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
