"""Fake ``/proc`` and ``/sys`` trees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CPUS = "sys/devices/system/cpu"


def plant(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write ``files`` (path to contents) below ``root`` and return it."""
    for path, contents in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return root


def mount(point: str, kind: str = "cgroup2", options: str = "rw", shown: str = "/") -> str:
    """A line of mountinfo."""
    return f"36 35 98:0 {shown} {point} rw,noatime shared:7 - {kind} none {options}\n"


def v2(own: str, files: Mapping[str, str], point: str = "/sys/fs/cgroup", shown: str = "/") -> dict[str, str]:
    """A host with only cgroup v2, this process in the group ``own``; the names in ``files`` are below the mount."""
    return {
        "proc/self/cgroup": f"0::{own}\n",
        "proc/self/mountinfo": mount("/", "ext4") + mount(point, shown=shown),
        "proc/self/stat": "4711 (python) R 1 1\n",
        **{f"{point.lstrip('/')}/{name}": text for name, text in files.items()},
    }


def v1(own: str, files: Mapping[str, str], shown: str = "/") -> dict[str, str]:
    """A host with cgroup v1, where cpu and cpuacct are mounted together and other controllers elsewhere."""
    return {
        "proc/self/cgroup": f"9:cpuset:/other\n4:cpu,cpuacct:{own}\n1:name=systemd:/init.scope\n0::/unified\n",
        "proc/self/mountinfo": (
            mount("/sys/fs/cgroup/cpuset", "cgroup", "rw,cpuset")
            + mount("/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct", shown)
            + mount("/sys/fs/cgroup/unified")
        ),
        "proc/self/stat": "4711 (python) R 1 1\n",
        **{f"sys/fs/cgroup/cpu,cpuacct/{name}": text for name, text in files.items()},
    }
