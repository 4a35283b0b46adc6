"""The conductor's side of the stations: starting them, giving orders, and ending them whatever happens."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final, Protocol

from gilstudy.system import children, scratch

_OVER: Final = None


class StationLost(Exception):
    """The station ended, hung or failed; the message says how, in a few words."""


class Line(Protocol):
    """What the conductor needs of a station."""

    def send(self, verb: str, **order: Any) -> None:
        """Give an order without waiting for its answer. Raises StationLost if the station is gone."""
        ...

    def receive(self, timeout_s: float) -> Mapping[str, Any]:
        """The answer to the oldest order that has none yet. Raises StationLost if none comes."""
        ...

    def ask(self, verb: str, timeout_s: float, **order: Any) -> Mapping[str, Any]:
        """Give an order and wait for its answer. Raises StationLost as `send` and `receive` do."""
        ...

    def end(self) -> None:
        """End the station and every process that it started."""
        ...


class Client:
    """One station process and the two pipes to it."""

    def __init__(self, arm: str, python: str = sys.executable) -> None:
        self.arm = arm
        self._ended = False
        self._errors = scratch.file()
        self._process = children.Family(
            children.command("gilstudy.measuring.station", python=python),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors or subprocess.DEVNULL,
            env=children.environment(),
            encoding="utf-8",
            **children.own_group(),
        )
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name=f"answers of {arm}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id, which on POSIX is also the id of the station's process group."""
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                self._answers.put(line)
        self._answers.put(_OVER)

    def send(self, verb: str, **order: Any) -> None:
        """Give an order without waiting for its answer.

        Raises:
            StationLost: the station is gone.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": verb, **order}) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise StationLost(self._epitaph()) from None

    def receive(self, timeout_s: float) -> Mapping[str, Any]:
        """The answer to the oldest order that has none yet.

        Raises:
            StationLost: the station failed, ended, or said nothing for ``timeout_s`` seconds.
        """
        try:
            line = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            raise StationLost(f"no answer for {timeout_s:g} s: it hung and was ended") from None
        if line is _OVER:
            raise StationLost(self._epitaph())
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise StationLost("its answer was cut short") from None
        if "error" in answer:
            raise StationLost(answer["error"])
        return answer

    def ask(self, verb: str, timeout_s: float, **order: Any) -> Mapping[str, Any]:
        """Give an order and wait for its answer. Raises StationLost as `send` and `receive` do."""
        self.send(verb, **order)
        return self.receive(timeout_s)

    def _epitaph(self) -> str:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "it closed its answers"
        if code < 0:
            return f"it was killed by {_signal_name(-code)}"
        return f"it ended with exit code {code}{self._last_words()}"

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""

    def end(self) -> None:
        """End the station and every process that it started. Safe at any time, and more than once."""
        if not self._ended:
            self._ended = True
            children.end_family(self._process)
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):  # what could not be sent to a dead station is not missed
                if stream is not None:
                    stream.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
