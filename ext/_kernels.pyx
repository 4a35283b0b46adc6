# cython: language_level=3, embedsignature=True, binding=True
# cython: freethreading_compatible=True, subinterpreters_compatible=own_gil
"""The C countdown, called with the GIL released and with the GIL held.

Thread safety: no function here touches a global or a shared object; each works on its own stack only. That is
why the module may declare itself safe for free-threaded builds and for subinterpreters with their own GIL.
"""
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport uint64_t

from operator import index

cdef extern from "loops.h" nogil:
    uint64_t gs_countdown(uint64_t start) noexcept

# How much is counted between two looks at pending signals: tens of milliseconds, so that Ctrl-C does not wait for a
# long call, and yet seldom enough to cost nothing (one look is well under a microsecond).
cdef enum:
    SLICE = 50_000_000


cdef uint64_t checked(object n) except? 0:
    if type(n) is not int:
        try:
            n = index(n)
        except TypeError:
            kind = type(n).__name__
            raise TypeError(f"the number to count down from must be an integer, not {kind}") from None
    try:
        return n
    except OverflowError:
        if n < 0:
            raise ValueError(f"cannot count down from a negative number ({n})") from None
        raise OverflowError("cannot count down from more than 2**64 - 1") from None


def countdown_nogil(object n):
    """Count ``n`` down to 0 in C with the GIL released; return the number of steps taken (``n``).

    Raises TypeError, ValueError or OverflowError if ``n`` is not an integer from 0 to 2**64 - 1.
    """
    cdef uint64_t total = checked(n), left = total, turn
    while left > 0:
        turn = min(left, <uint64_t>SLICE)
        with nogil:
            left = left - turn + gs_countdown(turn)
        PyErr_CheckSignals()
    return total - left


def countdown_held(object n):
    """Count ``n`` down to 0 in C and keep the GIL all the while: the control of `countdown_nogil`.

    Same loop, same return value and same errors as `countdown_nogil`; only the GIL is not released.
    """
    cdef uint64_t total = checked(n), left = total, turn
    while left > 0:
        turn = min(left, <uint64_t>SLICE)
        left = left - turn + gs_countdown(turn)
        PyErr_CheckSignals()
    return total - left
