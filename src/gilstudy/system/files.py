"""The one safe way to write and to read any file that a user names."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import select
import stat
import sys
from pathlib import Path
from typing import Final

from gilstudy.errors import BadInput
from gilstudy.text import shown

MOST_BYTES: Final = 1 << 28
"""No file is read beyond this."""
OUTPUT: Final = Path("/dev/stdout")
"""This process's standard output, on every system."""
_CHUNK: Final = 1 << 20
_OWN: Final = re.compile(r"/(?:dev|proc/(self|thread-self|\d+))/fd/(\d+)")
_MOST_LINKS: Final = 40


# -- writing ---------------------------------------------------------------------------------------------------------


def check_writable(path: Path) -> None:
    """Make sure before the work that its result can be saved. Nothing is changed.

    Raises:
        BadInput: the file could not be written.
    """
    try:
        if _descriptor(path) is not None:
            return
        found = _status(path)
        if found and not stat.S_ISREG(found.st_mode):
            if stat.S_ISDIR(found.st_mode):
                raise BadInput(f"cannot write {shown(path)}: it is a folder; name a file in it")
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        if found:
            os.close(os.open(path, os.O_WRONLY))
        folder = Path(os.path.realpath(path)).parent
        if not folder.is_dir():
            raise BadInput(f"cannot write {shown(path)}: there is no folder {shown(folder)}")
        temporary, file = _new_file(folder)
        os.close(file)
        temporary.unlink()
    except OSError as error:
        raise _refused("write", path, error) from error


def write(path: Path, data: str | bytes) -> None:
    """Write ``data`` to ``path``: through symbolic links, straight into devices and FIFOs, otherwise as a whole.

    A regular file is replaced, and keeps its permissions: a reader sees the old one or the new one, never a part, and
    if anything fails the old one stays. ``/dev/stdout`` and ``/dev/fd/N`` are this process's own descriptors, written
    to where they stand.

    Raises:
        BadInput: the system refused, for example because the disk is full.
    """
    # What UTF-8 cannot hold, halves of surrogate pairs, is escaped, in the way that JSON writes it too.
    plain = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
    try:
        own, found = _descriptor(path), _status(path)
        if own is not None:
            _flush_streams()
            _pour(os.dup(own), plain)
        elif found and not stat.S_ISREG(found.st_mode):
            _pour(os.open(path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0)), plain)
        else:
            _replace(Path(os.path.realpath(path)), plain, found)
    except OSError as error:
        raise _refused("write", path, error) from error


def is_replaced(path: Path) -> bool:
    """Whether `write` replaces what is there, so that it can be done again; a pipe or a device takes all of it."""
    try:
        found = _status(path)
        return _descriptor(path) is None and (found is None or stat.S_ISREG(found.st_mode))
    except OSError:
        return False


def _descriptor(path: Path) -> int | None:
    """The descriptor of this process that ``path`` leads to; a file that is our standard output or error counts."""
    if path == OUTPUT:
        os.fstat(1)  # raises if there is none
        return 1
    name = os.path.abspath(path)  # noqa: PTH100 (resolves no links)
    for _ in range(_MOST_LINKS):
        match = _OWN.fullmatch(name)
        if match and match[1] in (None, "self", "thread-self", str(os.getpid())):
            number = int(match[2])
            os.fstat(number)  # raises if there is none
            return number
        try:
            name = os.path.normpath(Path(name).parent / Path(name).readlink())
        except OSError:
            break
    found = _status(path)
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if found and stat.S_ISREG(found.st_mode) and os.path.samestat(found, os.fstat(number)):
                return number
    return None


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()


def _pour(file: int, data: bytes) -> None:
    """Write everything, and close the file."""
    try:
        _put(file, data)
    finally:
        os.close(file)


def _put(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _replace(path: Path, data: bytes, old: os.stat_result | None) -> None:
    temporary, file = _new_file(path.parent)
    try:
        try:
            _put(file, data)
            os.fsync(file)
            if old is not None:
                _take_after(temporary, old)
        finally:
            os.close(file)
        try:
            temporary.replace(path)
        except OSError as error:
            if error.errno != errno.EBUSY or old is None:
                raise
            # Something is mounted on this very file, as containers do: it cannot be replaced, only written over.
            _pour(os.open(path, os.O_WRONLY | os.O_TRUNC), data)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _new_file(folder: Path) -> tuple[Path, int]:
    """A file that nobody has yet. Its name is short, whatever the one that it will have; the umask holds for it."""
    while True:
        path = folder / f".gilstudy-{secrets.token_hex(6)}.part"
        with contextlib.suppress(FileExistsError):
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def _take_after(path: Path, old: os.stat_result) -> None:
    """Give a file the permissions, and if we may the owner, of the one that it replaces."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(path, old.st_uid, old.st_gid)
    path.chmod(old.st_mode & 0o777)


# -- reading ---------------------------------------------------------------------------------------------------------


def read(path: Path, most: int = MOST_BYTES) -> str:
    """The text of a file or of a pipe, such as ``<(command)`` gives.

    Raises:
        BadInput: it cannot be read, is of another kind, holds more than ``most`` bytes, or no UTF-8 text.
    """
    try:
        data = _read(path, most)
    except OSError as error:
        raise _refused("read", path, error) from error
    if len(data) > most:
        raise BadInput(f"cannot read {shown(path)}: it holds more than {most >> 20} MiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{shown(path)} is damaged: it is no UTF-8 text ({shown(error.reason)})") from None


def _read(path: Path, most: int) -> bytes:
    # Not to wait for somebody who opens the other end of a FIFO: whether there is one, the first read tells.
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        kind = os.fstat(file).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind) or stat.S_ISDIR(kind) or os.isatty(file)):
            raise BadInput(f"cannot read {shown(path)}: it is a device, not a file")
        data = bytearray()
        while len(data) <= most:
            try:
                chunk = os.read(file, min(_CHUNK, most + 1 - len(data)))
            except BlockingIOError:  # nothing yet
                select.select([file], [], [])
                continue
            if stat.S_ISFIFO(kind) and not (chunk or data):
                raise BadInput(f"cannot read {shown(path)}: it is a pipe that nobody writes to")
            if not chunk:
                break
            data += chunk
    finally:
        os.close(file)
    return bytes(data)


def _refused(what: str, path: Path, error: OSError) -> BadInput:
    return BadInput(f"cannot {what} {shown(path)}: {shown(error.strerror or error)}")
