"""The names of threads and processes, as labels: spelled in the letters that can be written, cut, told apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from rich.cells import cell_len

from gilstudy.text import shown
from gilstudy.watching.summary import Group, LaneSummary
from gilstudy.watching.trace import Lane

Speller = Callable[[str, int], str]
"""From a foreign text, and columns at most, to what is written."""


def speller(encoding: str) -> Speller:
    """How to spell foreign text where only the letters of ``encoding`` can be written: the others are escaped."""
    mark = "…" if "…".encode(encoding, "ignore") else "~"

    def spell(text: str, most: int) -> str:
        return shown(text.encode(encoding, "backslashreplace").decode(encoding), most).replace("…", mark)

    return spell


def labels(rows: Sequence[LaneSummary], width: int, spell: Speller) -> list[str]:
    """The names in ``width`` columns at most. Those that would read alike get their ids, where these are known."""
    names = [spell(row.name, width) for row in rows]
    doubles = {name for name in names if names.count(name) > 1}
    return [
        spell(f"{row.name} {row.native_id}", width) if name in doubles and row.native_id else name
        for name, row in zip(names, rows, strict=True)
    ]


def padded(text: str, width: int) -> str:
    """``text`` with spaces after it, so that it takes ``width`` columns."""
    return text + " " * (width - cell_len(text))


def stem(name: str) -> str:
    """What the names of threads of one kind have in common: ThreadPoolExecutor-0_3 is a ThreadPoolExecutor.

    That is the name without the numbers at its end, and what parts them from it. ``threading`` puts the name of the
    function after the number, as in Thread-12 (work): that stays.
    """
    numbered = re.fullmatch(r"(Thread)-\d+( \(.*\))", name, re.DOTALL)
    if numbered:
        return numbered[1] + numbered[2]
    return re.sub(r"[\s\-_:.,#/]*\d[\s\-_:.,#/\d]*\Z", "", name) or name


def by_stem(lanes: Iterable[Lane]) -> list[Group]:
    """The lanes whose names have one stem together, under that stem and, if there are several, their number."""
    found: dict[tuple[str, bool], list[int]] = {}
    for place, lane in enumerate(lanes):
        found.setdefault((stem(lane.name), lane.is_process), []).append(place)
    return [
        (f"{name} ({len(places)})" if len(places) > 1 else name, tuple(places)) for (name, _), places in found.items()
    ]
