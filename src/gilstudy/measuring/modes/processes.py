"""Processes, each with an interpreter and a GIL of its own, parked on a pipe between turns."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from gilstudy._native import die_with_parent
from gilstudy.measuring import batches
from gilstudy.measuring.batches import Turn
from gilstudy.measuring.kernels import kernel_named
from gilstudy.measuring.modes.crew import WorkerLost
from gilstudy.measuring.modes.pinning import Pin
from gilstudy.measuring.record import Batch, Span

Member = tuple[BaseProcess, Connection]
"""A worker and our end of the pipe to it."""


class ProcessCrew:
    """Up to ``workers`` processes; a turn wakes as many as it needs."""

    def __init__(self, kernel: str, workers: int, start_method: str = "") -> None:
        context: Any = multiprocessing.get_context(start_method or None)  # its stub lacks Process
        self._kernel = kernel
        self._crew: list[Member] = []
        try:
            for place in range(workers):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(theirs, kernel), name=f"worker {place}", daemon=True)
                process.start()
                theirs.close()
                self._crew.append((process, ours))
            _receive(self._crew)  # each says that it is up, so that no start-up is timed
        except BaseException:
            self.close()
            raise

    def calibrate(self, target_ns: int) -> Batch:
        """Find how many steps take about ``target_ns`` in this process, while the crew is parked."""
        return batches.calibrate(self._kernel, kernel_named(self._kernel), target_ns)

    def run(self, turn: Turn, cpus: Sequence[int]) -> list[Span]:
        """Have the first ``len(cpus)`` processes work through ``turn``."""
        crew = self._crew[: len(cpus)]
        for (process, pipe), cpu in zip(crew, cpus, strict=True):
            try:
                pipe.send((turn, cpu))
            except OSError:
                raise WorkerLost(_epitaph(process)) from None
        return _receive(crew)

    def close(self) -> None:
        """End every process and wait for it."""
        for process, _ in self._crew:
            process.kill()
        for process, pipe in self._crew:
            process.join()
            pipe.close()


def _receive(crew: Sequence[Member]) -> list[Span]:
    """Every worker's answer, in the crew's order. Raises WorkerLost as soon as any of them is lost."""
    answers: dict[Connection, Span] = {}
    while waiting := [member for member in crew if member[1] not in answers]:
        ready = wait([pipe for _, pipe in waiting] + [process.sentinel for process, _ in waiting])
        for process, pipe in waiting:
            if pipe in ready:
                answers[pipe] = _answer(process, pipe)
            elif process.sentinel in ready:
                raise WorkerLost(_epitaph(process))
    return [answers[pipe] for _, pipe in crew]


def _answer(process: BaseProcess, pipe: Connection) -> Span:
    try:
        answer = pipe.recv()
    except (EOFError, OSError):
        raise WorkerLost(_epitaph(process)) from None
    if isinstance(answer, str):
        raise WorkerLost(f"{process.name} failed: {answer}")
    span: Span = answer
    return span


def _epitaph(process: BaseProcess) -> str:
    process.join(1)
    code = process.exitcode
    if code is None:
        return f"{process.name} closed its pipe"
    if code < 0:
        return f"{process.name} was killed by {signal.Signals(-code).name}"
    return f"{process.name} ended by itself with exit code {code}"


def _serve(pipe: Connection, kernel_name: str) -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's to handle
    kernel, pin = kernel_named(kernel_name), Pin()
    pipe.send(None)
    while True:
        try:
            turn, cpu = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            pin.move(cpu)
            answer: Span | str = batches.run(kernel, Turn(*turn))
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        pipe.send(answer)


class Processes:
    """The mode; its option is the start method."""

    name = "processes"

    def why_not(self, option: str) -> str:
        """Whether this system can start processes so."""
        methods = multiprocessing.get_all_start_methods()
        if option in ("", *methods):
            return ""
        return f"this system cannot start processes by {option!r}; choose from {', '.join(methods)}"

    def workers(self, option: str, asked: int) -> int:
        """As many as are asked for."""
        return asked

    def open(self, kernel: str, option: str, workers: int) -> ProcessCrew:
        """Start the processes, and wait until all are up."""
        return ProcessCrew(kernel, workers, option)


MODE = Processes()
