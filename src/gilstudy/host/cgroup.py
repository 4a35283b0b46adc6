"""The CPU quota of this process's control groups (Linux cgroups v1 and v2), and how often it was throttled.

Neither `os.process_cpu_count` nor the affinity mask shows a quota. It may be set on the group of the process or on any
group above it, and the tightest one decides; so the process's own group is found first, by ``/proc/self/cgroup`` and
the mounts in ``/proc/self/mountinfo`` (cgroups(7), proc_pid_mountinfo(5)), and then every group above it that can be
seen is read. In a container the groups above the container are often hidden; their quotas cannot be known from inside.
Nothing here raises: what is missing or makes no sense counts as "no quota".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")
_DEFAULT_PERIOD_US: Final = 100_000
_MOST_SEARCHED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The CPU time that a group may use, per time."""

    cpus: float
    """In CPUs: 0.5 means half of one CPU's time, however many CPUs it is spread over."""
    source: str
    """Where it was read, in words, such as ``cgroup v2 cpu.max``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttling:
    """Counters since the groups were made, summed over the process's own group and those above it."""

    periods: int = 0
    """Quota periods in which the groups ran; each group that has a quota counts its own."""
    throttled_periods: int = 0
    """Those in which the quota was used up and the groups had to wait."""
    throttled_ns: int = 0
    """The time that was waited, summed over CPUs."""


@dataclass(frozen=True, slots=True)
class _Mount:
    version: int
    shown: tuple[str, ...]
    """The names that lead to the group that the mount shows as its topmost one."""
    point: Path


@dataclass(frozen=True, slots=True)
class _Group:
    version: int
    folder: Path
    is_own: bool
    """Whether the process itself is in it, and not only in one below."""


def read_quota(root: Path = ROOT) -> Quota | None:
    """The tightest quota of this process's groups, or None where there is none.

    Args:
        root: the folder that holds ``proc`` and ``sys``.
    """
    found = (_quota_of(group) for group in _own_groups(root))
    return min((quota for quota in found if quota), key=lambda quota: quota.cpus, default=None)


def read_throttling(root: Path = ROOT) -> Throttling:
    """How often and how long this process's groups were throttled; zeros where there is no quota."""
    counters = [_throttling_of(group) for group in _own_groups(root)]
    return Throttling(
        periods=sum(each.periods for each in counters),
        throttled_periods=sum(each.throttled_periods for each in counters),
        throttled_ns=sum(each.throttled_ns for each in counters),
    )


def text_of(path: Path) -> str:
    """The contents of a small system file; "" where it is missing or may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):  # ValueError: the name itself is impossible
        return ""


# -- which groups --------------------------------------------------------------------------------------------------


def _own_groups(root: Path) -> list[_Group]:
    """The process's own groups with a cpu controller and all those above them, each once."""
    member_of = _memberships(root)
    pid = text_of(root / "proc/self/stat").partition(" ")[0]
    groups: dict[tuple[int, int], _Group] = {}
    for mount in _mounts(root):
        if mount.version in member_of:
            for group in _chain(mount, member_of[mount.version], pid):
                try:
                    status = group.folder.stat()
                except (OSError, ValueError):
                    continue
                # The same group can be reached by several mounts, and counts once.
                groups.setdefault((status.st_dev, status.st_ino), group)
    return list(groups.values())


def _memberships(root: Path) -> dict[int, tuple[str, ...]]:
    """The path of this process's group, by version of the hierarchy that may limit its CPU time."""
    found: dict[int, tuple[str, ...]] = {}
    for line in text_of(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not path.startswith("/"):
            continue
        if number == "0" and not controllers:
            found[2] = _names(path)
        elif "cpu" in controllers.split(","):
            found[1] = _names(path)
    return found


def _mounts(root: Path) -> Iterator[_Mount]:
    """The mounts of cgroup v2 and of the v1 hierarchy with the cpu controller."""
    for line in text_of(root / "proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        place, system = left.split(" "), right.split(" ")
        if len(place) < 5 or len(system) < 3:
            continue
        if system[0] == "cgroup2":
            version = 2
        elif system[0] == "cgroup" and "cpu" in system[2].split(","):
            version = 1
        else:
            continue
        yield _Mount(version, _names(_unescape(place[3])), root / _unescape(place[4]).lstrip("/"))


def _chain(mount: _Mount, member: tuple[str, ...], pid: str) -> Iterator[_Group]:
    """From the process's own group up to the topmost one that the mount shows; nothing if it shows neither."""
    shared = 0
    while shared < min(len(mount.shown), len(member)) and mount.shown[shared] == member[shared]:
        shared += 1
    above, below = mount.shown[shared:], member[shared:]
    if any(name != ".." for name in above) or ".." in below:
        return  # the mount shows another branch of the tree
    if above:
        # Mounted outside of this cgroup namespace, so that the paths do not name the groups between.
        hidden = _hidden_names(mount.point, len(above), below, pid)
        if hidden is None:
            yield _Group(mount.version, mount.point, is_own=False)
            return
        below = hidden + below
    for depth in range(len(below), -1, -1):
        yield _Group(mount.version, mount.point.joinpath(*below[:depth]), is_own=depth == len(below))


def _hidden_names(point: Path, levels: int, below: tuple[str, ...], pid: str) -> tuple[str, ...] | None:
    """The names that lead from a mount down to the namespace's root: where this process is found in the right depth."""
    try:
        for folder in islice(point.glob("*/" * levels), _MOST_SEARCHED):
            if pid in text_of(folder.joinpath(*below, "cgroup.procs")).split():
                return folder.relative_to(point).parts
    except OSError:
        pass
    return None


def _names(path: str) -> tuple[str, ...]:
    return tuple(name for name in path.split("/") if name)


def _unescape(field: str) -> str:
    """Undo the octal escapes of mountinfo: a space in a name is written as 040 after a backslash."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


# -- what they say -------------------------------------------------------------------------------------------------


def _quota_of(group: _Group) -> Quota | None:
    if group.version == 2:
        name, words = "cpu.max", text_of(group.folder / "cpu.max").split()
    else:
        name = "cpu.cfs_quota_us"
        words = [*text_of(group.folder / name).split()[:1], *text_of(group.folder / "cpu.cfs_period_us").split()[:1]]
    try:
        quota_us = int(words[0])
        period_us = int(words[1]) if len(words) > 1 else _DEFAULT_PERIOD_US
        if quota_us <= 0 or period_us <= 0:  # v1 writes -1 for "no quota"
            return None
        cpus = quota_us / period_us
    except (IndexError, ValueError, OverflowError):  # v2 writes "max" for "no quota"
        return None
    whose = "" if group.is_own else " of a group above"
    return Quota(cpus=cpus, source=f"cgroup v{group.version} {name}{whose}")


def _throttling_of(group: _Group) -> Throttling:
    counters: dict[str, int] = {}
    for line in text_of(group.folder / "cpu.stat").splitlines():
        name, _, value = line.partition(" ")
        if value.isdecimal() and len(value) < 20:
            counters[name] = int(value)
    waited_ns = counters.get("throttled_usec", 0) * 1000 if group.version == 2 else counters.get("throttled_time", 0)
    return Throttling(
        periods=counters.get("nr_periods", 0),
        throttled_periods=counters.get("nr_throttled", 0),
        throttled_ns=waited_ns,
    )
