"""How a call is made: what is new for each, and what is run to its end."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial, wraps
from typing import Any

import pytest

from gilstudy.errors import BadInput
from gilstudy.probing.subject import Subject
from gilstudy.watching.gil import gil_reason

pytestmark = pytest.mark.skipif(bool(gil_reason()), reason=gil_reason())


class Calls:
    """Callables of every kind, which note what they did."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def function(self, word: str = "") -> str:
        self.done.append(word or "function")
        return "back"

    def generator(self) -> Iterator[int]:
        for number in range(3):
            self.done.append(number)
            yield number

    async def coroutine(self) -> None:
        await asyncio.sleep(0)
        self.done.append("awaited")

    async def async_generator(self) -> AsyncIterator[int]:
        for number in range(2):
            await asyncio.sleep(0)
            self.done.append(number)
            yield number

    def __call__(self) -> None:
        self.done.append("called")

    def disguised(self) -> Callable[..., Any]:
        @wraps(self.coroutine)
        def stand_in() -> object:
            return self.coroutine()

        return stand_in


class Awaits:
    def __init__(self, done: list[object]) -> None:
        self.done = done

    async def __call__(self) -> None:
        self.done.append("awaited")


@pytest.mark.parametrize(
    ("of", "kind", "done"),
    [
        (lambda c: c.function, "function", ["function"]),
        (lambda c: partial(c.function, word="x"), "function", ["x"]),
        (lambda c: c, "function", ["called"]),
        (lambda c: c.generator, "generator", [0, 1, 2]),
        (lambda c: c.coroutine, "coroutine", ["awaited"]),
        (lambda c: partial(partial(c.coroutine)), "coroutine", ["awaited"]),
        (lambda c: c.disguised(), "coroutine", ["awaited"]),
        (lambda c: lambda: c.generator(), "generator", [0, 1, 2]),
        (lambda c: lambda: c.async_generator(), "async generator", [0, 1]),
        (lambda c: Awaits(c.done), "coroutine", ["awaited"]),
        (lambda c: c.async_generator, "async generator", [0, 1]),
    ],
)
def test_what_is_made_by_the_call_is_run_to_its_end(
    of: Callable[[Calls], Callable[..., Any]], kind: str, done: list[object]
) -> None:
    calls = Calls()
    with Subject(of(calls)) as subject:
        first = subject.first()
        assert calls.done == done
        second = subject.once()
    assert (subject.kind, subject.made, calls.done) == (kind, 2, [*done, *done])
    assert first.begin_ns <= first.end_ns <= second.begin_ns <= second.end_ns


@pytest.mark.parametrize("function", [sorted, str.upper, dict, io.StringIO])
def test_classes_methods_and_builtins_are_called(function: Callable[..., Any]) -> None:
    with Subject(function, lambda: (("ab",) if function is not dict else (), {})) as subject:
        subject.first()
        assert not subject.once().let_go
    assert subject.kind == "function"


def test_arguments_are_made_anew_for_every_call() -> None:
    found: list[str] = []
    with Subject(lambda file: found.append(file.read()), lambda: ((io.StringIO("all"),), {})) as subject:
        subject.first(), subject.once(), subject.once()
    assert found == ["all"] * 3


def test_the_mark_tells_an_instant(tmp_path: Any) -> None:
    with Subject(tmp_path.stat) as subject:
        assert subject.first().let_go
        assert subject.once().let_go
    with Subject(lambda: sum(range(1000))) as subject:
        assert not subject.first().let_go
        assert not subject.once().let_go


def test_a_coroutine_that_never_waits_is_not_charged_with_the_event_loop() -> None:
    with Subject(Awaits([])) as subject:
        assert not subject.first().let_go


def test_within_an_event_loop_another_is_refused_in_a_sentence() -> None:
    async def probe_it() -> None:
        with Subject(Awaits([])):
            pass

    with pytest.raises(BadInput, match="an event loop runs in this thread already"):
        asyncio.run(probe_it())
