"""Times, shares and counts in words."""

from __future__ import annotations


def ms(ns: float) -> str:
    """A time in words, with three digits: 12.3 us, 5.12 ms, 1.20 s."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size * 0.9995:
            value = ns / size
            return f"{value:.{max(0, 2 - (value >= 10) - (value >= 100))}f} {unit}"
    return f"{ns:.0f} ns"


def share(value: float) -> str:
    """A share as a percentage; what is not quite nothing, or not quite all, does not look so."""
    if 0 < value < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= value < 1 else f"{100 * value:.0f} %"


def count(number: int, one: str, many: str = "") -> str:
    """A number of things: 1 thread, 20 threads."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def thousands(number: int) -> str:
    """A number with its digits in groups: 2 984."""
    return f"{number:,}".replace(",", " ")
