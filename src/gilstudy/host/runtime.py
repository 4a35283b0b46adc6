"""The facts of the interpreter that runs this. Only the standard library: it is read inside every measured child."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One interpreter, as it was when it was asked: a module that is imported later may still turn the GIL on."""

    implementation: str
    """In lower case, such as ``cpython`` or ``pypy``."""
    version: str
    """Such as ``3.14.0`` or ``3.15.0rc1``."""
    build: Literal["GIL", "free-threaded"]
    gil_enabled: bool | None
    """Whether the GIL is on; None if the interpreter cannot tell."""
    gil_request: str
    """The setting that asked for the GIL to be on or off, such as ``PYTHON_GIL=1`` or ``-X gil=0``; "" for none."""
    own_gil_interpreters: bool
    """Whether it has subinterpreters that can have a GIL of their own (PEP 684, CPython 3.12)."""
    jit_enabled: bool | None
    """Whether its JIT compiler is on; None if it does not say."""
    debug_build: bool
    """Whether it was built with extra checks, which make it several times slower."""
    executable: str
    compiler: str
    """The C compiler that built it; "" if unknown."""
    switch_interval_s: float
    """After how many seconds a thread that waits for the GIL asks for it."""
    start_method: str
    """How `multiprocessing` starts processes if nothing else is asked for; "" where it cannot."""
    python_cpu_count: int | None
    """What PYTHON_CPU_COUNT or ``-X cpu_count`` says, see `cpu_count_override`."""

    @property
    def label(self) -> str:
        """A short name, such as ``3.13t`` for a free-threaded CPython 3.13, or ``pypy 3.11``."""
        family = "" if self.implementation == "cpython" else f"{self.implementation} "
        return f"{family}{'.'.join(self.version.split('.')[:2])}{'t' if self.build == 'free-threaded' else ''}"


def this_runtime() -> Runtime:
    """The facts of the running interpreter. Call it after all imports that matter, since they may turn the GIL on."""
    return Runtime(
        implementation=sys.implementation.name,
        version=_version(),
        build="free-threaded" if is_free_threaded() else "GIL",
        gil_enabled=gil_enabled(),
        gil_request=gil_request(),
        own_gil_interpreters=sys.implementation.name == "cpython" and sys.version_info >= (3, 12),
        jit_enabled=_jit_enabled(),
        debug_build=hasattr(sys, "gettotalrefcount"),
        executable=sys.executable or "",
        compiler=_compiler(sys.version),
        switch_interval_s=sys.getswitchinterval(),
        start_method=_start_method(),
        python_cpu_count=cpu_count_override(),
    )


def gil_enabled() -> bool | None:
    """Whether the GIL is on right now; None if the interpreter cannot tell."""
    ask = getattr(sys, "_is_gil_enabled", None)
    if ask is not None:
        return bool(ask())
    return True if sys.implementation.name == "cpython" else None  # before 3.13 it could not be turned off


def gil_request() -> str:
    """The setting that asked for the GIL to be on or off, such as ``PYTHON_GIL=1`` or ``-X gil=0``; "" for none."""
    return _setting("gil", "PYTHON_GIL")


def is_free_threaded() -> bool:
    """Whether this interpreter was built to run without a GIL, be it on or off now.

    ``sysconfig`` would tell too, but takes up to 30 ms to load.
    """
    facts = getattr(sys, "abi_info", None)  # since 3.15
    if facts is not None:
        return bool(facts.free_threaded)
    return "t" in getattr(sys, "abiflags", "") or "free-threading build" in sys.version


def cpu_count_override(
    options: Mapping[str, str | bool] | None = None, environment: Mapping[str, str] | None = None
) -> int | None:
    """The number of CPUs that the user told Python to believe in, or None.

    Python itself obeys since 3.13 (`os.cpu_count` and `os.process_cpu_count` then return this number); it is read here
    by the same rules, so that 3.11 and 3.12 give the same answer: ``-X cpu_count`` comes before PYTHON_CPU_COUNT, the
    word ``default`` undoes either, ``-E`` and ``-I`` hide the variable. What is not a positive number is no wish.

    Args:
        options: instead of ``sys._xoptions``.
        environment: instead of ``os.environ``.
    """
    setting = _setting("cpu_count", "PYTHON_CPU_COUNT", options, environment)
    try:
        count = int(setting.partition("=")[2])
    except ValueError:
        return None
    return min(count, sys.maxsize) if count > 0 else None


def _setting(
    option: str,
    variable: str,
    options: Mapping[str, str | bool] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """``-X option=value`` or ``variable=value``, whichever counts; "" if neither is set."""
    options = getattr(sys, "_xoptions", {}) if options is None else options
    if option in options:
        return f"-X {option}={options[option]}"
    if environment is None:
        environment = {} if sys.flags.ignore_environment else os.environ
    value = environment.get(variable, "")
    return f"{variable}={value}" if value else ""


def _version() -> str:
    info = sys.version_info
    stage = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info.releaselevel)
    return f"{info.major}.{info.minor}.{info.micro}" + (f"{stage}{info.serial}" if stage else "")


def _compiler(version: str) -> str:
    """The last bracket of ``sys.version``; this is how `platform` finds it, without the cost of importing that."""
    last = version.rpartition("[")[2].rstrip("] \n") if version.rstrip().endswith("]") else ""
    return last.rpartition(" with ")[2]  # of PyPy it begins with PyPy's own version


def _jit_enabled() -> bool | None:
    jit = getattr(sys, "_jit", None)  # since 3.14
    if jit is not None:
        return bool(jit.is_enabled())
    # PyPy has this module if it was built with its JIT, which is on unless the option --jit turns it off.
    return not _is_jit_off(sys.orig_argv) if "pypyjit" in sys.builtin_module_names else None


def _is_jit_off(command: Sequence[str]) -> bool:
    options = iter(command[1:])
    for option in options:
        if option.startswith("--jit"):
            return (option.partition("=")[2] or next(options, "")) == "off"
        if option in ("-c", "-m") or not option.startswith("-"):
            break
    return False


def _start_method() -> str:
    try:
        import multiprocessing
    except ImportError:  # a system without processes
        return ""
    # Never get_start_method() without allow_none: that would fix the default for the rest of the process.
    chosen: str | None = multiprocessing.get_start_method(allow_none=True)
    return chosen or multiprocessing.get_all_start_methods()[0]
