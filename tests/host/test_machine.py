from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from properties import given, settings, st
from trees import CPUS, plant, v2

from gilstudy.codec import decode, encode
from gilstudy.host.machine import CpuKind, Host, cpu_list, darwin_kinds, read_host

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="skipped: this reads real Linux files")


def siblings(*cores: tuple[int, ...]) -> dict[str, str]:
    """The topology files of these cores, and the list of CPUs that are switched on."""
    files = {f"{CPUS}/online": ",".join(str(cpu) for core in cores for cpu in core)}
    for core in cores:
        for cpu in core:
            files[f"{CPUS}/cpu{cpu}/topology/thread_siblings_list"] = ",".join(map(str, core)) + "\n"
    return files


def per_cpu(file: str, values: dict[int, int]) -> dict[str, str]:
    return {f"{CPUS}/cpu{cpu}/{file}": f"{value}\n" for cpu, value in values.items()}


def read(root: Path, files: dict[str, str], *usable: int) -> Host:
    return read_host(plant(root, files), usable=usable)


# -- placement -----------------------------------------------------------------------------------------------------


def test_workers_go_to_different_cores_first_when_siblings_are_numbered_far_apart(tmp_path: Path) -> None:
    host = read(tmp_path, siblings((0, 4), (1, 5), (2, 6), (3, 7)), *range(8))
    assert host.cores == ((0, 4), (1, 5), (2, 6), (3, 7))
    assert host.placement == (0, 1, 2, 3, 4, 5, 6, 7)
    assert (host.logical_cpus, host.physical_cores, host.has_smt) == (8, 4, True)


def test_workers_go_to_different_cores_first_when_siblings_are_neighbours(tmp_path: Path) -> None:
    host = read(tmp_path, siblings((0, 1), (2, 3)), 0, 1, 2, 3)
    assert host.placement == (0, 2, 1, 3)


def test_only_usable_siblings_share_a_core(tmp_path: Path) -> None:
    host = read(tmp_path, siblings((0, 1), (2, 3)), 1, 2, 3)
    assert host.cores == ((1,), (2, 3))
    assert host.placement == (1, 2, 3)
    assert host.physical_cores == 2


def test_fast_cores_come_before_slow_ones_and_siblings_come_last(tmp_path: Path) -> None:
    files = siblings((0,), (1,), (2, 3), (4, 5)) | per_cpu(
        "cpu_capacity", {0: 500, 1: 500, 2: 1000, 3: 1000, 4: 1000, 5: 1000}
    )
    host = read(tmp_path, files, *range(6))
    assert host.placement == (2, 4, 0, 1, 3, 5)


def test_without_topology_the_order_is_that_of_the_numbers(tmp_path: Path) -> None:
    host = read(tmp_path, {f"{CPUS}/online": "0-3"}, 3, 1, 2)
    assert (host.cores, host.physical_cores, host.usable_cpus) == ((), None, (1, 2, 3))
    assert host.placement == (1, 2, 3)


def test_siblings_that_contradict_each_other_still_give_each_cpu_once(tmp_path: Path) -> None:
    files = siblings((0, 1), (2, 3)) | {f"{CPUS}/cpu2/topology/thread_siblings_list": "1-3\n"}
    host = read(tmp_path, files, 0, 1, 2, 3)
    assert sorted(host.placement) == [0, 1, 2, 3]


# -- kinds of core -------------------------------------------------------------------------------------------------


def test_hybrid_intel_has_names_and_speeds(tmp_path: Path) -> None:
    files = {
        "sys/devices/cpu_core/cpus": "0-3\n",
        "sys/devices/cpu_atom/cpus": "4-5\n",
        **per_cpu("cpu_capacity", dict.fromkeys(range(6), 1024)),  # an older kernel: all the same
        **per_cpu(
            "cpufreq/cpuinfo_max_freq",
            {0: 5_000_000, 1: 5_000_000, 2: 5_000_000, 3: 5_000_000, 4: 3_500_000, 5: 3_500_000},
        ),
    }
    host = read(tmp_path, files, *range(6))
    assert host.kinds == (
        CpuKind(name="performance", capacity=1.0, count=4, cpus=(0, 1, 2, 3)),
        CpuKind(name="efficient", capacity=0.7, count=2, cpus=(4, 5)),
    )
    assert (host.kinds_source, host.is_mixed) == ("cpuinfo_max_freq", True)


def test_hybrid_names_without_speeds_are_kept_without_inventing_any(tmp_path: Path) -> None:
    files = {"sys/devices/cpu_core/cpus": "2-3\n", "sys/devices/cpu_atom/cpus": "0-1\n"}
    host = read(tmp_path, files, 0, 1, 2, 3)
    assert [(kind.name, kind.capacity) for kind in host.kinds] == [("performance", None), ("efficient", None)]
    assert (host.placement, host.is_mixed, host.kinds_source) == ((2, 3, 0, 1), True, "")


def test_big_and_little_by_capacity_which_comes_before_frequency(tmp_path: Path) -> None:
    files = per_cpu("cpu_capacity", {0: 446, 1: 1024}) | per_cpu("cpufreq/cpuinfo_max_freq", {0: 9, 1: 8})
    host = read(tmp_path, files, 0, 1)
    assert [(kind.capacity, kind.cpus) for kind in host.kinds] == [(1.0, (1,)), (0.436, (0,))]
    assert (host.kinds_source, host.is_mixed, host.placement) == ("cpu_capacity", True, (1, 0))


def test_favoured_cores_go_first_but_are_not_another_kind(tmp_path: Path) -> None:
    host = read(tmp_path, per_cpu("cpufreq/cpuinfo_max_freq", {0: 5_500, 1: 5_800, 2: 5_500}), 0, 1, 2)
    assert host.placement == (1, 0, 2)
    assert not host.is_mixed


def test_speeds_that_only_some_cpus_tell_are_not_compared(tmp_path: Path) -> None:
    host = read(tmp_path, per_cpu("cpu_capacity", {0: 446}), 0, 1)
    assert (host.kinds, host.kinds_source, host.is_mixed) == ((), "", False)


def test_a_slow_cpu_that_is_not_usable_does_not_make_it_mixed(tmp_path: Path) -> None:
    host = read(tmp_path, per_cpu("cpu_capacity", {0: 446, 1: 446, 2: 1024}), 0, 1)
    assert host.kinds == (CpuKind(name="", capacity=1.0, count=2, cpus=(0, 1)),)


def test_apple_chips_tell_how_many_there_are_of_each() -> None:
    answers = {
        "hw.nperflevels": "2",
        "hw.perflevel0.name": "Performance",
        "hw.perflevel0.logicalcpu": "8",
        "hw.perflevel1.name": "Efficiency",
        "hw.perflevel1.logicalcpu": "2",
    }
    assert darwin_kinds(lambda name: answers.get(name, "")) == (
        CpuKind(name="performance", capacity=None, count=8, cpus=()),
        CpuKind(name="efficient", capacity=None, count=2, cpus=()),
    )
    assert darwin_kinds(lambda name: "") == ()
    assert darwin_kinds(lambda name: "999999999") != ()  # and ends


# -- how many ------------------------------------------------------------------------------------------------------


def test_the_quota_is_read_and_limits_what_is_effective_but_not_the_places(tmp_path: Path) -> None:
    host = read(tmp_path, v2("/a/b", {"a/cpu.max": "150000 100000\n"}), 0, 1, 2, 3)
    assert (host.quota_cpus, host.quota_source) == (1.5, "cgroup v2 cpu.max of a group above")
    assert (host.effective_cpus, host.default_cpus, host.placement) == (1.5, 1, (0, 1, 2, 3))


@pytest.mark.parametrize(
    ("quota", "wish", "effective", "default", "places"),
    [
        (None, None, 4.0, 4, 4),
        (9.0, None, 4.0, 4, 4),
        (2.5, None, 2.5, 2, 4),
        (0.5, None, 0.5, 1, 4),
        (None, 3, 3.0, 3, 3),
        (None, 9, 4.0, 4, 4),
        (2.5, 1, 1.0, 1, 1),
        (0.5, 3, 0.5, 1, 3),
    ],
)
def test_the_least_limit_decides(
    tmp_path: Path, quota: float | None, wish: int | None, effective: float, default: int, places: int
) -> None:
    host = replace(read(tmp_path, {}, 0, 1, 2, 3), quota_cpus=quota, python_cpu_count=wish)
    assert (host.effective_cpus, host.default_cpus, len(host.placement)) == (effective, default, places)


def test_the_users_wish_is_read_on_every_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_CPU_COUNT", "1")
    assert read(tmp_path, {}, 0, 1).python_cpu_count == 1
    monkeypatch.delenv("PYTHON_CPU_COUNT")
    assert read(tmp_path, {}, 0, 1).python_cpu_count is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system or this Python has no affinity")
def test_the_affinity_of_a_process_is_seen_and_the_wish_does_not_hide_the_cpus() -> None:
    cpu = min(os.sched_getaffinity(0))
    code = (
        f"import os, json; os.sched_setaffinity(0, [{cpu}])\n"
        "from gilstudy.host.machine import read_host; h = read_host()\n"
        "print(json.dumps([h.usable_cpus, h.logical_cpus, h.python_cpu_count]))"
    )
    environment = {**os.environ, "PYTHON_CPU_COUNT": "77"}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(answer.stdout) == [[cpu], os.sysconf("SC_NPROCESSORS_ONLN"), 77]


# -- what it is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cpuinfo", "model", "virtual"),
    [
        ("model\t: 17\nmodel name\t: Chip  X\nflags\t: fpu hypervisor sse\n\nmodel name\t: Chip Y\n", "Chip X", True),
        ("model name\t: Chip X\nflags\t: fpu sse\n", "Chip X", False),
        ("processor\t: 0\nFeatures\t: fp asimd\n\nModel\t: Raspberry Pi 4\n", "Raspberry Pi 4", None),
    ],
)
@linux_only
def test_model_and_hypervisor(tmp_path: Path, cpuinfo: str, model: str, virtual: bool | None) -> None:
    host = read(tmp_path, {"proc/cpuinfo": cpuinfo}, 0)
    assert (host.cpu_model, host.virtual) == (model, virtual)


def test_governors_of_the_usable_cpus_only(tmp_path: Path) -> None:
    files = {
        f"{CPUS}/cpu{cpu}/cpufreq/scaling_governor": name for cpu, name in enumerate(["powersave", "performance", "x"])
    }
    assert read(tmp_path, files, 0, 1).governor == "performance, powersave"
    assert read(tmp_path, {}, 7).governor == ""


def test_json_and_back(tmp_path: Path) -> None:
    files = siblings((0, 1), (2,)) | per_cpu("cpu_capacity", {0: 1024, 1: 1024, 2: 400}) | v2("/", {"cpu.max": "1 2"})
    host = read(tmp_path, files, 0, 1, 2)
    assert len(host.kinds) == 2
    assert decode(Host, json.loads(json.dumps(encode(host)))) == host


def test_this_host() -> None:
    host = read_host()
    assert host.placement and set(host.placement) <= set(host.usable_cpus)
    assert 1 <= len(host.usable_cpus) <= host.logical_cpus
    if hasattr(os, "sched_getaffinity"):
        assert set(host.usable_cpus) == os.sched_getaffinity(0)
    assert host.os and host.machine


# -- lists of CPUs, and what makes no sense ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("0-3,8,10-11\n", (0, 1, 2, 3, 8, 10, 11)), ("5", (5,)), ("3,1", (1, 3))],
)
def test_a_list_of_cpus(text: str, cpus: tuple[int, ...]) -> None:
    assert cpu_list(text) == cpus


@pytest.mark.parametrize("text", ["", "\n", "a", "3-", "-3", "5-2", "0-99999999999", "1,,2", "1-2-3", "0x3"])
def test_a_senseless_list_of_cpus_is_empty(text: str) -> None:
    assert cpu_list(text) == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=12), st.sampled_from([b"0-1", b"1024", b"-1"])), min_size=8, max_size=8))
def test_garbage_never_raises_and_every_cpu_keeps_its_place(texts: list[bytes]) -> None:
    names = [
        f"{CPUS}/online",
        f"{CPUS}/cpu0/topology/thread_siblings_list",
        f"{CPUS}/cpu1/topology/thread_siblings_list",
        f"{CPUS}/cpu0/cpu_capacity",
        f"{CPUS}/cpu1/cpu_capacity",
        f"{CPUS}/cpu0/cpufreq/scaling_governor",
        "sys/devices/cpu_atom/cpus",
        "proc/cpuinfo",
    ]
    with tempfile.TemporaryDirectory() as folder:
        host = read_host(plant(Path(folder), dict(zip(names, texts, strict=True))), usable=(0, 1))
    assert sorted(host.placement) == [0, 1]
    json.dumps(encode(host))
