"""The loops that are run: one countdown in pure Python, the same in C with the GIL released, and with it kept.

GIL behaviour belongs to the kernel, so that a treatment and its control differ in exactly one thing. Every kernel
takes a whole number from 0 to 2**64 - 1 and returns the number of steps that it took.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
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
    total = left = _checked(n)
    while left > 0:
        left -= 1
    return total - left


def _checked(n: int) -> int:
    try:
        number = index(n)
    except TypeError:
        kind = type(n).__name__
        raise TypeError(f"the number to count down from must be an integer, not {kind}") from None
    if number < 0:
        raise ValueError(f"cannot count down from a negative number ({number})")
    if number > LARGEST:
        raise OverflowError("cannot count down from more than 2**64 - 1")
    return number


SLICE: Final = 50_000_000
"""As in the C kernels: tens of milliseconds."""


def in_slices(kernel: Kernel) -> Kernel:
    """The same kernel, called for a slice at a time by Python code.

    The C kernels look at pending signals themselves, so that Ctrl-C does not wait for their end. In PyPy that does
    nothing (its ``PyErr_CheckSignals`` is empty): there a signal is seen between two bytecode instructions only.
    """

    @wraps(kernel)
    def sliced(n: int) -> int:
        total = left = _checked(n)
        while left > 0:
            left -= kernel(min(left, SLICE))
        return total - left

    return sliced


nogil: Kernel = _kernels.countdown_nogil
held: Kernel = _kernels.countdown_held
if sys.implementation.name == "pypy":
    nogil, held = in_slices(nogil), in_slices(held)

KERNELS: Final[dict[str, Kernel]] = {"python": python, "nogil": nogil, "held": held}
IN_C: Final = ("nogil", "held")
"""Those whose loop is the one in C, so that they differ in nothing but the GIL."""
SUBJECT: Final = "python"
"""What is run where an arm names no kernel: the subject of the study."""


def kernel_named(name: str) -> Kernel:
    """The kernel of this name, "" for the subject. Raises KeyError if there is none."""
    return KERNELS[name or SUBJECT]
