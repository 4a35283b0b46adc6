"""Names that nobody should have, and what none of them may do."""

from __future__ import annotations

from typing import Final

NASTY: Final[tuple[str, ...]] = (
    *("[/nope]", "[red]x[/red]", ":smile:", "$a$", "[link=file:///etc]x[/]", "\x1b[2J\x1b]0;title\x07", "two\nlines"),
    *("\u202eright-to-left\u2066", "\ud800", "\x00", "\x9b31m", "x" * 5000, "é线程\u200b\ufeff", "", "\t\r\b", "%s{0}"),
)


def is_harmless(text: str) -> bool:
    """Whether there is nothing in it but lines of characters that are seen."""
    return all(char == "\n" or char.isprintable() or char in "\u00a0\u3000" for char in text)


def is_told(name: str, text: str) -> bool:
    """Whether ``text``, wrapped as it may be, holds the name as it is to be told."""
    from gilstudy.text import shown

    return len(name) > 1000 or "".join(shown(name, 1000).split()) in "".join(text.split())
