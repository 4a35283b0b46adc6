"""Two calls of which it is known what they do: a probe that errs on them is not believed on others.

The same function of the system, which sleeps: called by `ctypes.CDLL` the GIL is let go, by `ctypes.PyDLL` it is kept.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Final

from gilstudy.probing.evidence import Verdict
from gilstudy.probing.probe import probe_call

SLEEP_MS: Final = 2
BUDGET_NS: Final = 900_000_000


def _sleeper(library: type[ctypes.CDLL]) -> Any:
    if sys.platform == "win32":
        return library("kernel32").Sleep, SLEEP_MS
    function = library(None).usleep
    function.argtypes = [ctypes.c_uint]
    return function, SLEEP_MS * 1000


def failure() -> str:
    """Probe the controls; return why the probe cannot be trusted here, or ""."""
    known: tuple[tuple[str, type[ctypes.CDLL], Verdict], ...] = (
        ("a sleep that keeps the GIL", ctypes.PyDLL, "holds"),
        ("a sleep that lets the GIL go", ctypes.CDLL, "releases"),
    )
    for name, library, truth in known:
        if wrong := _wrong(name, library, truth):
            return wrong
    return ""


def _wrong(name: str, library: type[ctypes.CDLL], truth: Verdict) -> str:
    function, time = _sleeper(library)
    found = probe_call(name, lambda: function(time), budget_ns=BUDGET_NS, phase_ns=40_000_000)
    if found.verdict == truth:
        return ""
    said = f"came out as {found.verdict}" + (f" ({found.reason})" if found.reason else "")
    return f"the probe's own control failed: {name} {said}"
