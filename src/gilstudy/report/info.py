"""A host, an interpreter and the present moment in words, for ``gilstudy info``. Readable at 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from gilstudy.codec import encode
from gilstudy.host.counters import Counters
from gilstudy.host.machine import CpuKind, Host
from gilstudy.host.runtime import Runtime
from gilstudy.report.document import Document, made
from gilstudy.text import shown

Fact = tuple[str, str]

MOST: Final = 1000
"""Columns of a fact."""


def print_info(console: Console, host: Host, runtime: Runtime, counters: Counters, *, unusable: str = "") -> None:
    """Print the facts under three headings.

    Args:
        console: where to print.
        host: the facts that stay.
        runtime: the interpreter's facts, read after all imports.
        counters: the facts of the moment.
        unusable: why gilstudy's own C code cannot be used under this interpreter; "" if it can.
    """
    sections = {
        "Host": host_rows(host),
        "Interpreter": runtime_rows(runtime, unusable),
        "Right now": counter_rows(counters),
    }
    indent = 2 + max(len(label) for rows in sections.values() for label, _ in rows) + 2
    for place, (title, rows) in enumerate(sections.items()):
        console.print(Text("\n" * bool(place) + title, style="bold"))
        for label, value in rows:
            console.print(_entry(label, shown(value, MOST), indent, console.width), soft_wrap=True)


def _entry(label: str, value: str, indent: int, width: int) -> Text:
    """A label and its value, which goes on below itself where it is long; a path is never broken."""
    room = max(16, width - indent)
    lines = textwrap.wrap(value, room, break_long_words=False, break_on_hyphens=False)
    return Text.assemble((f"  {label}".ljust(indent), "dim"), f"\n{' ' * indent}".join(lines))


# -- the host ------------------------------------------------------------------------------------------------------


def document(host: Host, runtime: Runtime, counters: Counters, unusable: str = "") -> Document:
    """The facts as plain JSON values: as in a record, and under ``derived`` what follows from them."""
    derived = {
        "effective_cpus": host.effective_cpus,
        "default_cpus": host.default_cpus,
        "placement": list(host.placement),
        "has_smt": host.has_smt,
        "is_mixed": host.is_mixed,
    }
    known = {"host": encode(host), "derived": derived, "runtime": encode(runtime), "pulse": encode(counters)}
    return made(**known, unusable=unusable)


def host_rows(host: Host) -> tuple[Fact, ...]:
    """The host's facts, each with its label."""
    return (
        ("system", _system(host)),
        ("CPU", host.cpu_model or "not told"),
        ("usable CPUs", f"{len(host.usable_cpus)} of {host.logical_cpus}{_which(host.usable_cpus)}"),
        ("cores", _cores(host)),
        ("kinds of core", _kinds(host)),
        ("CPU quota", f"{_number(host.quota_cpus)}: {host.quota_source}" if host.quota_cpus is not None else "none"),
        ("CPU count", _wish(host.python_cpu_count)),
        ("in effect", _effect(host)),
        ("pinning", f"workers go to CPU {_in_order(host.placement)}" if host.can_pin else "this system cannot pin"),
        ("governor", host.governor or "not told"),
    )


def _system(host: Host) -> str:
    where = {True: "virtual machine", False: "no hypervisor seen", None: "hypervisor: not told"}
    return f"{host.os}, {host.machine}, {where[host.virtual]}"


def _cores(host: Host) -> str:
    if not host.cores:
        return "not told" if host.physical_cores is None else f"{host.physical_cores} in all; which CPUs: not told"
    if not host.has_smt:
        return f"{len(host.cores)}, none shared by two usable CPUs"
    shared = [core for core in host.cores if len(core) > 1]
    return f"{len(host.cores)}, shared by CPUs (SMT): {_shorten(['+'.join(map(str, core)) for core in shared])}"


def _kinds(host: Host) -> str:
    if not host.kinds:
        return "not told"
    if len(host.kinds) == 1:
        return "all alike"
    told = "; ".join(_kind(kind) for kind in host.kinds)
    return f"{told}{'' if host.is_mixed else ' (nearly alike)'}"


def _kind(kind: CpuKind) -> str:
    speed = f" at {kind.capacity:.0%} of the fastest" if kind.capacity not in (None, 1.0) else ""
    return f"{kind.count}{' ' + kind.name if kind.name else ''}{_which(kind.cpus)}{speed}"


def _wish(count: int | None) -> str:
    return "no limit by PYTHON_CPU_COUNT" if count is None else f"{count}, by PYTHON_CPU_COUNT or -X cpu_count"


def _effect(host: Host) -> str:
    return f"{_number(host.effective_cpus)}, so at most {_count(host.default_cpus, 'worker')} by default"


def _which(cpus: Sequence[int]) -> str:
    return f" ({spans(cpus)})" if cpus else ""


def spans(cpus: Iterable[int]) -> str:
    """CPU numbers as a list with ranges, such as ``0-3,8``."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and cpu == runs[-1][1] + 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def _in_order(cpus: Sequence[int]) -> str:
    return _shorten([str(cpu) for cpu in cpus])


def _shorten(words: Sequence[str], most: int = 16) -> str:
    return " ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


# -- the interpreter -----------------------------------------------------------------------------------------------


def runtime_rows(runtime: Runtime, unusable: str = "") -> tuple[Fact, ...]:
    """The interpreter's facts, each with its label."""
    return tuple(_runtime_rows(runtime, unusable))


def _runtime_rows(runtime: Runtime, unusable: str) -> Iterator[Fact]:
    name = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}.get(runtime.implementation, "")
    debug = ", with debug checks" if runtime.debug_build else ""
    yield "Python", f"{name or runtime.implementation} {runtime.version}, {runtime.build} build{debug}"
    yield "GIL after imports", _gil(runtime)
    yield "subinterpreters", "can have a GIL each" if runtime.own_gil_interpreters else "share one GIL"
    unknown = "none" if runtime.implementation == "cpython" else "not told"
    yield "JIT", {True: "on", False: "off", None: unknown}[runtime.jit_enabled]
    yield "switch interval", f"{runtime.switch_interval_s * 1000:g} ms"
    yield "processes", f"started by {runtime.start_method}" if runtime.start_method else "cannot be started here"
    yield "compiler", runtime.compiler or "not told"
    yield "executable", runtime.executable or "not told"
    yield (
        "gilstudy's C code",
        f"cannot be used: {unusable}. Install gilstudy for this Python." if unusable else "loaded",
    )


def _gil(runtime: Runtime) -> str:
    if runtime.gil_enabled is None:
        return "this interpreter cannot tell"
    if not runtime.gil_enabled:
        return f"off{_asked(runtime)}"
    if runtime.build == "GIL":
        return "on"
    if runtime.gil_request.endswith("=1"):
        return f"on{_asked(runtime)}"
    return "on: a module that was imported turned it back on"


def _asked(runtime: Runtime) -> str:
    return f", by {runtime.gil_request}" if runtime.gil_request and runtime.build == "free-threaded" else ""


# -- the moment ----------------------------------------------------------------------------------------------------


def counter_rows(counters: Counters) -> tuple[Fact, ...]:
    """The facts of the moment, each with its label."""
    heat = counters.thermal_throttles
    return (
        ("load", _load(counters)),
        ("stolen time", _stolen(counters)),
        ("throttled", _throttled(counters)),
        ("CPU pressure", _pressure(counters)),
        ("slowed by heat", "not told" if heat is None else f"{_count(heat, 'time')} since the host started"),
    )


def _load(counters: Counters) -> str:
    if counters.load_1 is None or counters.load_5 is None or counters.load_15 is None:
        return "not told"
    return f"{counters.load_1:.2f} {counters.load_5:.2f} {counters.load_15:.2f} (1, 5 and 15 minutes)"


def _stolen(counters: Counters) -> str:
    if counters.steal_ns is None or counters.busy_ns is None:
        return "not told"
    share = counters.steal_ns / max(1, counters.steal_ns + counters.busy_ns)
    return f"{counters.steal_ns / 1e9:.1f} s since the host started, {share:.1%} of the time it had work"


def _throttled(counters: Counters) -> str:
    if not counters.periods:
        return "never: no quota period has passed"
    seconds = counters.throttled_ns / 1e9
    return f"in {_count(counters.throttled_periods, 'quota period')}, for {seconds:.1f} s over all CPUs"


def _pressure(counters: Counters) -> str:
    if counters.pressure_us is None:
        return "not told"
    return f"{counters.pressure_us / 1e6:.1f} s since the host started with tasks waiting"


def _number(value: float | None) -> str:
    return f"{value:.3g} CPU{'' if value == 1 else 's'}"


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
