"""The facts of the host that do not change during a study: which CPUs this process may use, and what they are like.

On Linux everything is read from ``/proc`` and ``/sys``, so that nothing is imported that could turn the GIL back on;
elsewhere `psutil` (and on macOS ``sysctl``) tell a part of it. What a system does not tell is left empty, not guessed.
"""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from gilstudy.codec import LARGEST, Cpus, Range
from gilstudy.host.cgroup import ROOT, read_quota, text_of
from gilstudy.host.runtime import cpu_count_override

ALIKE: Final = 0.9
"""CPUs whose capacity is this share of the largest, or more, count as alike: favoured cores clock a bit higher."""
_HYBRID: Final = {"cpu_core": "performance", "cpu_atom": "efficient", "cpu_lowpower": "low-power"}
_MOST_CPUS: Final = 1 << 16
_MOST_LEVELS: Final = 8
_CPUS: Final = "sys/devices/system/cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuKind:
    """CPUs that the system describes as alike."""

    name: str
    """``performance``, ``efficient``, ``low-power``, or "" where the system gives no name."""
    capacity: Annotated[float, Range(0, 1000)] | None
    """Speed relative to the fastest CPU in use, which has 1; None if the system gives none."""
    count: Cpus
    cpus: tuple[Cpus, ...]
    """Which they are; empty where the system only tells how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host as this process sees it."""

    os: str
    """The system and its release, such as ``Linux 6.18.4``."""
    machine: str
    """The architecture, such as ``x86_64``."""
    cpu_model: str
    """"" if unknown."""
    virtual: bool | None
    """Whether it runs under a hypervisor; None if the system does not tell."""
    logical_cpus: Cpus
    """All CPUs of the host that are switched on."""
    physical_cores: Cpus | None
    """The cores that these belong to; None if unknown."""
    usable_cpus: tuple[Cpus, ...]
    """The CPUs that this process may run on, by its affinity mask (which a cpuset also limits)."""
    can_pin: bool
    """Whether a thread can be kept on one CPU here."""
    quota_cpus: Annotated[float, Range(0, LARGEST)] | None
    """The CPU time per time that control groups allow, in CPUs; None if unlimited or unknown. See `cgroup`."""
    quota_source: str
    """Where the quota was read; "" if there is none."""
    python_cpu_count: Annotated[int, Range(1, LARGEST)] | None
    """The user's PYTHON_CPU_COUNT or ``-X cpu_count``, read on every Python; None if not set."""
    cores: tuple[tuple[Cpus, ...], ...]
    """The usable CPUs, those of one physical core (SMT siblings) together; empty if unknown."""
    kinds: tuple[CpuKind, ...]
    """The usable CPUs by speed, the fastest first; empty if the system does not tell. One kind: all alike."""
    kinds_source: str
    """What told their speed: ``cpu_capacity``, ``cpuinfo_max_freq``, ``sysctl``, or ""."""
    governor: str
    """The frequency governors of the usable CPUs, such as ``performance``; "" if the system does not tell."""

    @property
    def effective_cpus(self) -> float:
        """How many CPUs this process may keep busy: the least of the usable ones, the quota and the user's wish."""
        limits = [float(len(self.usable_cpus)), self.quota_cpus, self.python_cpu_count]
        return float(min(limit for limit in limits if limit is not None))

    @property
    def default_cpus(self) -> int:
        """How many workers to use unless told otherwise: so few that the quota does not stop them, at least 1."""
        return max(1, math.floor(self.effective_cpus))

    @property
    def placement(self) -> tuple[int, ...]:
        """The CPUs for workers, in the order they are taken: one per core, the fastest first, then SMT siblings.

        At most PYTHON_CPU_COUNT of them where that is set; a quota does not shorten it, since CPU time can be spread.
        """
        speed = {cpu: rank for rank, kind in enumerate(self.kinds) for cpu in kind.cpus}
        cores = self.cores or tuple((cpu,) for cpu in self.usable_cpus)
        turns = sorted((turn, speed.get(cpu, 0), cpu) for core in cores for turn, cpu in enumerate(core))
        return tuple(cpu for _, _, cpu in turns)[: self.python_cpu_count]

    @property
    def has_smt(self) -> bool:
        """Whether two of the usable CPUs share a core, as far as the system tells."""
        return any(len(core) > 1 for core in self.cores)

    @property
    def is_mixed(self) -> bool:
        """Whether the usable CPUs differ in kind (P and E cores, big and little), as far as the system tells."""
        slowest = min((kind.capacity for kind in self.kinds if kind.capacity is not None), default=1.0)
        return len({kind.name for kind in self.kinds}) > 1 or slowest < ALIKE


def read_host(root: Path = ROOT, *, usable: Iterable[int] | None = None) -> Host:
    """Read the host's facts.

    Args:
        root: the folder that holds ``proc`` and ``sys``.
        usable: instead of the CPUs in this thread's affinity mask.
    """
    logical = _logical_cpus(root)
    cpus = tuple(sorted(_affinity(logical) if usable is None else usable))
    quota = read_quota(root)
    cpuinfo = _fields(text_of(root / "proc/cpuinfo"))
    kinds, source = _kinds(root, cpus)
    return Host(
        os=f"{platform.system()} {platform.release()}".strip(),
        machine=platform.machine(),
        cpu_model=_cpu_model(cpuinfo),
        virtual=_virtual(root, cpuinfo),
        logical_cpus=logical,
        physical_cores=_physical_cores(root),
        usable_cpus=cpus,
        can_pin=sys.platform.startswith("linux") or sys.platform == "win32",
        quota_cpus=quota.cpus if quota else None,
        quota_source=quota.source if quota else "",
        python_cpu_count=cpu_count_override(),
        cores=_cores(root, cpus),
        kinds=kinds,
        kinds_source=source,
        governor=_governor(root, cpus),
    )


def cpu_list(text: str) -> tuple[int, ...]:
    """The CPUs in a list as Linux writes it, such as ``0-3,8``; empty if it makes no sense."""
    cpus: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        try:
            low, high = int(first), int(last if dash else first)
        except ValueError:
            return ()
        if not 0 <= low <= high < _MOST_CPUS:
            return ()
        cpus.update(range(low, high + 1))
    return tuple(sorted(cpus))


# -- how many ------------------------------------------------------------------------------------------------------


def _affinity(logical: int) -> Collection[int]:
    """The CPUs that the calling thread may run on; all of them where the system knows no such limit."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    import psutil

    try:
        return list(psutil.Process().cpu_affinity() or range(logical))
    except (AttributeError, psutil.Error):  # macOS
        return range(logical)


def _logical_cpus(root: Path) -> int:
    # Not os.cpu_count: since 3.13 that returns PYTHON_CPU_COUNT where it is set.
    online = cpu_list(text_of(root / _CPUS / "online"))
    if online:
        return len(online)
    import psutil

    return psutil.cpu_count() or 1


def _physical_cores(root: Path) -> int | None:
    online = cpu_list(text_of(root / _CPUS / "online"))
    if online:
        return len(_cores(root, online)) or None
    import psutil

    return psutil.cpu_count(logical=False)


def _cores(root: Path, cpus: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """``cpus`` grouped by physical core; empty where the system does not tell."""
    told = {cpu: cpu_list(text_of(root / _CPUS / f"cpu{cpu}/topology/thread_siblings_list")) for cpu in cpus}
    if not any(told.values()):
        return ()
    cores: list[tuple[int, ...]] = []
    left = set(cpus)
    for cpu in cpus:
        if cpu in left:
            core = {cpu, *told[cpu]} & left
            cores.append(tuple(sorted(core)))
            left -= core
    return tuple(cores)


# -- what kind -----------------------------------------------------------------------------------------------------


def _kinds(root: Path, cpus: Sequence[int]) -> tuple[tuple[CpuKind, ...], str]:
    """The kinds of ``cpus``, the fastest first, and what told their speed."""
    if sys.platform == "darwin" and root == ROOT:
        kinds = darwin_kinds(_sysctl)
        return kinds, "sysctl" if kinds else ""
    speeds, source = _speeds(root, cpus)
    members = {name: cpu_list(text_of(root / "sys/devices" / unit / "cpus")) for unit, name in _HYBRID.items()}
    names = {cpu: name for name, those in members.items() for cpu in those}
    groups: dict[tuple[str, float | None], list[int]] = {}
    for cpu in cpus:
        groups.setdefault((names.get(cpu, ""), speeds.get(cpu)), []).append(cpu)
    if set(groups) == {("", None)}:
        return (), ""
    rank = ["performance", "", *list(_HYBRID.values())[1:]]
    order = sorted(groups, key=lambda kind: (-(kind[1] or 0.0), rank.index(kind[0])))
    return tuple(
        CpuKind(name=name, capacity=speed, count=len(groups[name, speed]), cpus=tuple(groups[name, speed]))
        for name, speed in order
    ), source


def _speeds(root: Path, cpus: Sequence[int]) -> tuple[Mapping[int, float], str]:
    """Each CPU's speed relative to the fastest, from the first source that knows all CPUs and tells them apart.

    ``cpu_capacity`` is the scheduler's own measure (it counts work per cycle too), but older kernels give the same
    number for P and E cores; then the highest frequency is the next best.
    """
    alike: tuple[Mapping[int, float], str] = {}, ""
    for source, file in ("cpu_capacity", "cpu_capacity"), ("cpuinfo_max_freq", "cpufreq/cpuinfo_max_freq"):
        raw = {cpu: _positive(text_of(root / _CPUS / f"cpu{cpu}" / file)) for cpu in cpus}
        if not all(raw.values()):
            continue
        top = max(raw.values())
        speeds = {cpu: round(value / top, 3) for cpu, value in raw.items()}
        if len(set(speeds.values())) > 1:
            return speeds, source
        alike = alike if alike[1] else (speeds, source)
    return alike


def darwin_kinds(ask: Callable[[str], str]) -> tuple[CpuKind, ...]:
    """The kinds of CPUs on an Apple chip; macOS tells how many there are of each, not which.

    Args:
        ask: gives the value of a ``sysctl`` name, or "" if there is none.
    """
    kinds = []
    for level in range(min(_positive(ask("hw.nperflevels")), _MOST_LEVELS)):
        name = {"Performance": "performance", "Efficiency": "efficient"}.get(ask(f"hw.perflevel{level}.name"), "")
        if count := _positive(ask(f"hw.perflevel{level}.logicalcpu")):
            kinds.append(CpuKind(name=name, capacity=None, count=count, cpus=()))
    return tuple(kinds)


def _governor(root: Path, cpus: Sequence[int]) -> str:
    found = {text_of(root / _CPUS / f"cpu{cpu}/cpufreq/scaling_governor").strip() for cpu in cpus}
    return ", ".join(sorted(found - {""}))


# -- what it is ----------------------------------------------------------------------------------------------------


def _fields(text: str) -> Mapping[str, str]:
    """The fields of the first CPU in ``/proc/cpuinfo``, and of the host where they stand at the end."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), " ".join(value.split()))
    return fields


def _cpu_model(cpuinfo: Mapping[str, str]) -> str:
    for name in ("model name", "Model", "cpu model", "Hardware", "cpu"):  # x86, Raspberry Pi, MIPS, ARM, POWER
        if cpuinfo.get(name):
            return cpuinfo[name]
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string")
    return platform.processor() if sys.platform == "win32" else ""


def _virtual(root: Path, cpuinfo: Mapping[str, str]) -> bool | None:
    if "flags" in cpuinfo:  # x86: a hypervisor shows itself by a CPU flag
        return "hypervisor" in cpuinfo["flags"].split()
    if text_of(root / "sys/hypervisor/type").strip() or text_of(root / "proc/device-tree/hypervisor/compatible"):
        return True
    if sys.platform == "darwin" and root == ROOT:
        return {"0": False, "1": True}.get(_sysctl("kern.hv_vmm_present"))
    return None


def _positive(text: str) -> int:
    """A whole number above 0; 0 for anything else."""
    word = text.strip()
    return int(word) if word.isdecimal() and len(word) < 20 else 0


def _sysctl(name: str) -> str:
    import subprocess

    command = ["/usr/sbin/sysctl", "-n", name]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
