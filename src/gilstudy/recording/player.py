"""Runs a lesson's program in a child interpreter, and brings back what was recorded. Nothing is ever left running."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from gilstudy.recording.events import Ending, Event, Play, in_order, parse
from gilstudy.system import children, scratch

LIMIT_S: Final = 60
"""Most seconds that a program may take. All of them need less than one: this is for the busiest of hosts."""
POLL_S: Final = 0.01
GRACE_S: Final = 10
"""How much later a process ends itself, if we could not end it because we were killed."""

PACKAGE: Final = "lesson"
INSTALL: Final = """\
from gilstudy.recording.installing import install

install({folder!r}, {limit_s}, {conductor})
"""
"""The package around the program: whatever interpreter imports the program installs the recorder first."""


def play(
    program: str,
    source: str,
    args: Iterable[str] = (),
    *,
    limit_s: int = LIMIT_S,
    follow: Callable[[Event], None] | None = None,
) -> Play:
    """Run a program and return what it did.

    Args:
        program: its name, which becomes the name of its module.
        source: its text.
        args: its command line.
        limit_s: after how many seconds it is ended.
        follow: is told of every event as it happens (those of one process in order).

    Raises:
        scratch.NoRoom: there is no room for its files.
    """
    with scratch.folder() as folder:
        module = _write(folder, program, source, limit_s + GRACE_S)
        start_ns = time.perf_counter_ns()
        with (folder / "output").open("wb") as output:
            process = children.Family(
                children.command(module, *args),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=children.environment(str(folder)),
                **children.own_group(),
            )
        tail = _Tail(folder, start_ns, follow)
        try:
            ending = _attend(process, tail, start_ns + limit_s * 1_000_000_000)
        finally:
            children.end_family(process)
        tail.read()
        elapsed_ns = time.perf_counter_ns() - start_ns
        return Play(
            program=program,
            main_pid=process.pid,
            ending=ending,
            trouble=_last_words(folder) if ending == "failed" else "",
            elapsed_ns=elapsed_ns,
            events=in_order(tail.events, process.pid),
        )


def _write(folder: Path, program: str, source: str, limit_s: int) -> str:
    package = folder / PACKAGE
    package.mkdir()
    (package / "__init__.py").write_text(
        INSTALL.format(folder=str(folder), limit_s=limit_s, conductor=os.getpid()), encoding="utf-8"
    )
    (package / f"{program}.py").write_text(source, encoding="utf-8")
    return f"{PACKAGE}.{program}"


def _attend(process: subprocess.Popen[bytes], tail: _Tail, limit_ns: int) -> Ending:
    """Wait for the end of a program, or for a reason to end it."""
    while process.poll() is None:
        tail.read()
        if any(event.kind == "deadlock" for event in tail.events):
            return "deadlock"
        if time.perf_counter_ns() > limit_ns:
            return "timeout"
        time.sleep(POLL_S)
    return "failed" if process.returncode else "ended"


def _last_words(folder: Path) -> str:
    lines = (folder / "output").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


class _Tail:
    """The events in a folder, read as they are written."""

    def __init__(self, folder: Path, start_ns: int, follow: Callable[[Event], None] | None) -> None:
        self.events: list[Event] = []
        self._folder = folder
        self._start_ns = start_ns
        self._follow = follow
        self._read: dict[Path, int] = {}

    def read(self) -> None:
        """Take in what was written since the last time."""
        for event in parse(self._new_lines(), start_ns=self._start_ns):
            self.events.append(event)
            if self._follow:
                self._follow(event)

    def _new_lines(self) -> Iterator[str]:
        for path in sorted(self._folder.glob("*.events")):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                whole, newline, _ = file.read().rpartition(b"\n")  # a line may be half written
            self._read[path] = self._read.get(path, 0) + len(whole + newline)
            yield from whole.decode().splitlines()
