"""What is called, and how: with new arguments for every call, and run to its end where calling it only makes it."""

from __future__ import annotations

import inspect
import time
import types
from collections import deque
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal

from gilstudy.errors import BadInput
from gilstudy.probing.seeing import Made

if TYPE_CHECKING:
    import asyncio

Values = tuple[tuple[Any, ...], dict[str, Any]]
Kind = Literal["function", "generator", "coroutine", "async generator"]
NOTHING: Final[Values] = ((), {})

_KINDS: Final[tuple[tuple[Callable[[object], bool], type, Kind], ...]] = (
    (inspect.iscoroutinefunction, types.CoroutineType, "coroutine"),
    (inspect.isasyncgenfunction, types.AsyncGeneratorType, "async generator"),
    (inspect.isgeneratorfunction, types.GeneratorType, "generator"),
)
_clock = time.perf_counter_ns


class Subject:
    """A callable, and what makes its arguments; to be used in a ``with`` statement.

    A coroutine is awaited, a generator exhausted, within what is timed; the event loop is made before.
    """

    def __init__(self, function: Callable[..., Any], values: Callable[[], Values] | None = None) -> None:
        """Call ``function`` with what ``values`` returns, called anew before each call and outside of what is timed."""
        self._function = function
        self._values = values or (lambda: NOTHING)
        self._runner: asyncio.Runner | None = None
        self.made = 0
        """How many calls have come back."""
        self._kind: Kind | None = _declared(function)

    @property
    def kind(self) -> Kind:
        """What it is; what does not say so by itself is told by its first call."""
        return self._kind or "function"

    def __enter__(self) -> Subject:
        from gilstudy._gilwatch import cpu_use, mark, unmark

        self._mark, self._unmark, self._cpu_use = mark, unmark, cpu_use
        self._open_loop_if_needed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._runner is not None:
            self._runner.close()

    def first(self) -> Made:
        """The first call."""
        if self._kind is not None:
            return self.once()
        args, kwargs = self._values()
        before = self._cpu_use()
        self._mark()
        begin = _clock()
        try:
            made = self._function(*args, **kwargs)
        except BaseException:
            self._unmark()
            raise
        span = self._made(before, begin, _clock())
        self._kind = next((kind for _, what, kind in _KINDS if type(made) is what), "function")
        if self._kind == "function":
            self.made += 1
            return span
        if self._kind != "async generator":
            made.close()  # it has not begun
        self._open_loop_if_needed()
        return self.once()

    def once(self) -> Made:
        """One call."""
        try:
            span = self._called() if self._runner is None else self._runner.run(self._awaited())
        except BaseException:
            self._unmark()
            raise
        self.made += 1
        return span

    def _called(self) -> Made:
        args, kwargs = self._values()
        function, is_generator = self._function, self._kind == "generator"
        before = self._cpu_use()
        self._mark()
        begin = _clock()
        if is_generator:
            deque(function(*args, **kwargs), maxlen=0)
        else:
            function(*args, **kwargs)
        return self._made(before, begin, _clock())

    async def _awaited(self) -> Made:
        args, kwargs = self._values()
        before = self._cpu_use()
        self._mark()
        begin = _clock()
        made = self._function(*args, **kwargs)
        if self._kind == "coroutine":
            await made
        else:
            async for _ in made:
                pass
        return self._made(before, begin, _clock())

    def _made(self, before: tuple[int, int], begin_ns: int, end_ns: int) -> Made:
        let_go = not self._unmark()
        cpu_ns, preemptions = self._cpu_use()
        return Made(begin_ns, end_ns, let_go, cpu_ns - before[0], preemptions - before[1])

    def _open_loop_if_needed(self) -> None:
        if self._kind not in ("coroutine", "async generator"):
            return
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._runner = asyncio.Runner()
        else:
            raise BadInput(f"an event loop runs in this thread already: probe a {self.kind} from a thread without one")


def _declared(function: Callable[..., Any]) -> Kind | None:
    """What a callable says that it is, by itself or by its type; None if it says nothing."""
    while isinstance(function, partial):
        function = function.func
    for candidate in (function, inspect.getattr_static(type(function), "__call__", None)):
        for declares, _, kind in _KINDS:
            if declares(candidate):
                return kind
    return None
