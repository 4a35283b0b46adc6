"""The loops that are run: one countdown in pure Python, the same in C with the GIL released, and with it kept.

GIL behaviour belongs to the kernel, so that a treatment and its control differ in exactly one thing. Every kernel
takes a whole number from 0 to 2**64 - 1 and returns the number of steps that it took.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Final

from gilstudy import _kernels

LARGEST: Final = 2**64 - 1

Kernel = Callable[[int], int]


def python(n: int) -> int:
    """Count ``n`` down to 0 in pure Python, as the tutorial does; return the number of steps taken.

    Raises:
        TypeError: ``n`` is not an integer.
        ValueError: ``n`` is negative.
        OverflowError: ``n`` is more than 2**64 - 1, which the C kernels could not count.
    """
    try:
        total = left = index(n)
    except TypeError:
        kind = type(n).__name__
        raise TypeError(f"the number to count down from must be an integer, not {kind}") from None
    if left < 0:
        raise ValueError(f"cannot count down from a negative number ({left})")
    if left > LARGEST:
        raise OverflowError("cannot count down from more than 2**64 - 1")
    while left > 0:
        left -= 1
    return total - left


nogil: Kernel = _kernels.countdown_nogil
held: Kernel = _kernels.countdown_held

KERNELS: Final[dict[str, Kernel]] = {"python": python, "nogil": nogil, "held": held}
