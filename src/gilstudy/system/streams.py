"""The standard streams, which may be closed, full, or read by somebody who had enough: none of that is a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TextIO

from gilstudy.errors import BadInput
from gilstudy.text import shown


class Output(io.TextIOBase):
    """A standard stream for what we tell. Everything that is written is flushed at once.

    On a closed stream it tells nobody. When the reader of a pipe had enough, the rest goes nowhere, and the command
    ends as it would have. Characters that the stream's encoding lacks are escaped.
    """

    def __init__(self, stream: TextIO | None, *, forgiving: bool = False) -> None:
        """Tell on ``stream``.

        Args:
            stream: where to; None, as Python has it, if it was closed before we began.
            forgiving: whether any failure is passed over, for want of a place where it could be told.
        """
        self._stream = None if stream is None or stream.closed else stream
        self._forgiving = forgiving

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As of the stream itself."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether it is a terminal; a closed one is none."""
        with contextlib.suppress(OSError, ValueError):
            return self._stream is not None and self._stream.isatty()
        return False

    def fileno(self) -> int:
        """The stream's descriptor. Raises OSError if there is none."""
        if self._stream is None:
            raise OSError("closed")
        return self._stream.fileno()

    def writable(self) -> bool:
        """That it is."""
        return True

    def write(self, text: str) -> int:
        """Write ``text`` and flush it.

        Raises:
            BadInput: the system refused, for example because the disk is full.
        """
        if self._stream is not None:
            try:
                self._stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Flush what others wrote to the stream. Raises BadInput as `write` does."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        stream, self._stream = self._stream, None
        with contextlib.suppress(OSError, ValueError, AttributeError):
            # What Python would flush at its end goes nowhere, or the exit code would be another.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]
            os.close(nowhere)
        if not self._forgiving and not isinstance(error, BrokenPipeError):
            told = error.strerror if isinstance(error, OSError) and error.strerror else "it is closed"
            raise BadInput(f"cannot write standard output: {shown(told)}") from error


def is_closed(stream: TextIO | None) -> bool:
    """Whether nothing can be written to ``stream`` any more, because it or its descriptor was closed."""
    if stream is None or stream.closed:
        return True
    try:
        os.fstat(stream.fileno())
    except io.UnsupportedOperation:  # it is in memory
        return False
    except OSError:
        return True
    return False


def output() -> Output:
    """Standard output as it is now."""
    return Output(sys.stdout)


def errors() -> Output:
    """Standard error as it is now."""
    return Output(sys.stderr, forgiving=True)


def kept_output() -> Output:
    """Standard output as it is now, whatever is done to ``sys.stdout`` or to its descriptor afterwards."""
    try:
        stream = sys.stdout
        stream.flush()
        copy = os.dup(stream.fileno())
        return Output(open(copy, "w", encoding=stream.encoding, errors=stream.errors))  # noqa: PTH123
    except (AttributeError, OSError, ValueError):  # closed, or no stream of the system
        return output()
