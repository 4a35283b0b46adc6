"""A forked child that does a piece of work and tells how it comes on; whatever it does to itself, we go on (POSIX)."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final, NoReturn

from gilstudy.errors import BadInput
from gilstudy.system import children, streams
from gilstudy.system.signals import INTERRUPTED, KINDS, ONE_WISH_NS
from gilstudy.text import shown

TICK_S: Final = 0.25
"""So often, at the least, it is asked whether the child is still there."""
ANSWER_NS: Final = 1_000_000_000
WISHES: Final = 3
"""So many requests to end, and the child is killed: it had time to answer the ones before."""

News = dict[str, Any]
"""Plain JSON values."""
Send = Callable[[News], None]


class Apart:
    """A child, from its start to its end. Signals to end are passed on to it while `messages` are read."""

    def __init__(self, work: Callable[[Send], None], *, is_mute: bool) -> None:
        """Start it.

        Args:
            work: what it does; what it sends comes out of `messages`.
            is_mute: whether what it writes to the standard streams goes nowhere.

        Raises:
            BadInput: the system refuses.
        """
        self._reader, writer = map(_above_streams, os.pipe())
        streams.Output(sys.stdout, forgiving=True).flush()  # or it would be written twice
        self.code: int | None = None
        """Its exit code, negative for a signal; None while it runs."""
        self._wishes, self._last_wish_ns, self._is_unsure = 0, 0, False
        parent = os.getpid()
        try:
            self._child = os.fork()
        except OSError as error:
            for number in (self._reader, writer):
                os.close(number)
            raise BadInput(f"the system refuses a child process: {shown(error.strerror or error)}") from error
        if not self._child:
            os.close(self._reader)
            _do(work, writer, parent, is_mute)
        os.close(writer)

    def messages(self) -> Iterator[News | None]:
        """What it sends, until it has ended; None now and then, when there is nothing."""
        kept = b""
        with self._passing_on():
            while True:
                has_ended = self._has_ended()
                self._remind()
                got = self._read(0 if has_ended else TICK_S)
                kept += got or b""
                *lines, kept = kept.split(b"\n")
                yield from (json.loads(line) for line in lines)
                if has_ended and not got:
                    return
                if not lines:
                    yield None
                if got == b"" and not has_ended:  # nobody can write any more
                    time.sleep(TICK_S)

    @property
    def was_asked_to_end(self) -> bool:
        """Whether a signal to end came while it was listened to."""
        return self._wishes > 0

    def wait(self) -> None:
        """Until it has ended."""
        with self._passing_on():
            while not self._has_ended():
                self._remind()
                time.sleep(0.01)

    def kill(self) -> None:
        """End it."""
        if not self._has_ended():
            os.kill(self._child, signal.SIGKILL)
            self.wait()

    def _read(self, seconds: float) -> bytes | None:
        if self._reader < 0:
            return b""
        if not select.select([self._reader], [], [], seconds)[0]:
            return None
        got = os.read(self._reader, 1 << 16)
        if not got:
            os.close(self._reader)
            self._reader = -1
        return got

    def _has_ended(self) -> bool:
        if self.code is None:
            with contextlib.suppress(ChildProcessError):
                child, status = os.waitpid(self._child, os.WNOHANG)
                if child:
                    self.code, self._is_unsure = os.waitstatus_to_exitcode(status), False
        return self.code is not None

    @contextlib.contextmanager
    def _passing_on(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {kind: signal.getsignal(kind) for kind in KINDS}
        for kind, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(kind, self._pass_on)
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        now_ns = time.monotonic_ns()
        if self._wishes and now_ns - self._last_wish_ns <= ONE_WISH_NS:
            return
        self._wishes, self._last_wish_ns = self._wishes + 1, now_ns
        if self.code is not None:
            return
        if self._wishes >= WISHES:
            os.kill(self._child, signal.SIGKILL)
        elif number != signal.SIGINT or not _is_in_front_of_a_terminal():
            os.kill(self._child, number)
        else:
            self._is_unsure = True

    def _remind(self) -> None:
        """Pass Ctrl-C on if the child does not answer: a terminal sends it to both of us, others perhaps not."""
        if self._is_unsure and time.monotonic_ns() - self._last_wish_ns > ANSWER_NS:
            self._is_unsure = False
            os.kill(self._child, signal.SIGINT)


def _above_streams(number: int) -> int:
    """The same file under a number that no standard stream has, though some of them are closed."""
    import fcntl  # only where there is fork

    above = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(number)
    return above


def _is_in_front_of_a_terminal() -> bool:
    """Whether there is a terminal that sends Ctrl-C to us, and so to the child."""
    for number in range(3):
        with contextlib.suppress(OSError):
            return os.tcgetpgrp(number) == os.getpgrp()
    return False


# -- in the child --------------------------------------------------------------------------------------------------


def _do(work: Callable[[Send], None], writer: int, parent: int, is_mute: bool) -> NoReturn:
    """Do the work, and end as Python would, but for what our parent has registered for its own end."""
    process, code, errors = os.getpid(), 0, _kept_errors()
    try:
        children.end_with(parent)
        atexit._clear()
        threading.current_thread()._set_native_id()  # type: ignore[attr-defined]  # Python keeps its parent's
        if is_mute:
            _mute()
        work(lambda message: _send(writer, message))
        threading._shutdown()  # type: ignore[attr-defined]
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException:
        code = 1
        with contextlib.suppress(OSError):  # it is the work's own, whatever it runs
            os.write(errors, traceback.format_exc().encode(errors="backslashreplace"))
    finally:
        if os.getpid() == process:
            atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


def _kept_errors() -> int:
    try:
        return os.dup(2)
    except OSError:
        return -1


def _send(writer: int, message: News) -> None:
    text = json.dumps(message).encode() + b"\n"
    while text:
        text = text[os.write(writer, text) :]


def _mute() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        with contextlib.suppress(OSError):
            os.fstat(number)
            os.dup2(nowhere, number)
    os.close(nowhere)
