"""Breaks sentences into lines, Chinese ones too: between any two characters, but with punctuation where it belongs."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len

_NOT_FIRST: Final = "，。；：！？、）”》…"
"""Not at the beginning of a line."""
_NOT_LAST: Final = "（“《"
"""Not at the end of a line."""
_WIDE: Final = r"[\u2e80-\u9fff\uff00-\uffef]"
_PIECES: Final = re.compile(rf"[{_NOT_LAST}]*(?:{_WIDE}|[^\s\u2e80-\u9fff\uff00-\uffef“”…]+)[{_NOT_FIRST}]*|\s+|.")


def wrap(text: str, width: int) -> list[str]:
    """The lines of ``text``, none wider than ``width`` columns of a terminal unless a single word is."""
    lines = [""]
    for piece in _PIECES.findall(text):
        if cell_len(lines[-1]) + cell_len(piece.rstrip()) <= width or not lines[-1]:
            lines[-1] += piece
        else:
            lines.append(piece)
        if not lines[-1].strip():
            lines[-1] = ""
    return [line.rstrip() for line in lines if line.strip()]


def hanging(label: str, text: str, width: int, indent: int) -> list[str]:
    """``label``, then ``text`` beside it in lines that begin at column ``indent``."""
    first, *rest = wrap(text, max(20, width - indent)) or [""]
    return [label + " " * (indent - cell_len(label)) + first, *(" " * indent + line for line in rest)]
