"""Room for what lasts no longer than a child: in memory where the system can, else in its temporary folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

PLACES: Final = (*("TMPDIR", "TEMP", "TMP"), *("/tmp", "/var/tmp", "."))
"""Where `tempfile` looks, as far as it bears on the reason why it found nothing."""


class NoRoom(Exception):
    """The system gives no room for temporary files; the message says where and why."""


def file() -> IO[bytes] | None:
    """A file without a name; None where there is no room for one."""
    with contextlib.suppress(OSError, AttributeError):  # Linux alone has it, and a sandbox may refuse it
        return open(os.memfd_create("gilstudy"), "w+b")  # noqa: PTH123
    with contextlib.suppress(OSError):
        return tempfile.TemporaryFile()
    return None


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder that is removed in the end.

    Raises:
        NoRoom: there can be none.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix="gilstudy-", ignore_cleanup_errors=True)
    except OSError as error:
        raise NoRoom(_why(error)) from error
    with made as name:
        yield Path(name)


def _why(error: OSError) -> str:
    """`tempfile` says which folders it tried, and not what the system said to that."""
    for place in PLACES:
        name = os.environ.get(place, "") if place.isalpha() else place
        try:
            if name and Path(name).is_dir():
                with tempfile.TemporaryFile(dir=name):
                    continue
        except OSError as refusal:
            where = "the current folder" if place == "." else name
            return f"no temporary folder can be written to ({where}: {_words(refusal)}); TMPDIR can name another"
    return f"no temporary folder can be written to: {_words(error)}"


def _words(error: OSError) -> str:
    words = error.strerror or str(error)
    return words[:1].lower() + words[1:]
