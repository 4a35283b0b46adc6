"""The one door for foreign text: what came from a program, a file, an exception or a record, as one harmless line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

MOST: Final = 200
"""Columns of a text that is shown, if nothing else is asked for."""

_SEEN: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No"}) | frozenset(
    {"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs"}
)
"""The categories of characters that put something on a line, spaces included, and do nothing else."""


def shown(text: object, most: int = MOST) -> str:
    r"""``text`` in one line that a terminal, a file of ours and a reader can take for what it is.

    Characters that are not seen, or that do something (controls, line ends, marks of direction and of format, halves
    of surrogate pairs), are escaped as in a Python literal, such as ``\x1b``. What is longer than ``most`` columns
    loses its middle, where ``…`` stands.

    Args:
        text: anything; what is no string is turned into one, and if that fails, its type is named.
        most: columns at most; wide characters take two.
    """
    whole = _string(text)
    if whole.isascii() and whole.isprintable() and len(whole) <= most:
        return whole
    if len(whole) <= most:
        parts = [_part(char) for char in whole]
        if sum(map(_columns, parts)) <= most:
            return "".join(parts)
    room = max(0, most - 1)
    head = _fitting(whole[:most], room - room // 2)
    tail = _fitting(reversed(whole[-most:] if most > 0 else ""), room // 2)
    return "".join([*head, "…", *reversed(tail)])


def _string(text: object) -> str:
    if isinstance(text, str):
        return str.__str__(text)
    try:
        return str(text)
    except Exception:  # an exception of somebody's own class, a number of too many digits
        return f"<{type(text).__name__}>"


def _part(char: str) -> str:
    if unicodedata.category(char) in _SEEN:
        return char
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def _columns(part: str) -> int:
    return 2 if len(part) == 1 and unicodedata.east_asian_width(part) in "WF" else len(part)


def _fitting(chars: Iterable[str], room: int) -> list[str]:
    """As many of the characters as have room, each whole with its escape."""
    parts: list[str] = []
    for char in chars:
        part = _part(char)
        room -= _columns(part)
        if room < 0:
            break
        parts.append(part)
    return parts
