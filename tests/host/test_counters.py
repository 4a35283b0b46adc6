from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from properties import given, settings, st
from trees import CPUS, plant, v2

from gilstudy.host import counters
from gilstudy.host.counters import Counters, change, read_counters

STAT = """\
cpu  100 20 30 4000 50 6 7 8 900 10
cpu0 50 10 15 2000 25 3 4 4 450 5
intr 12345 0 1
ctxt 987654
btime 1700000000
"""


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(counters, "_ticks_per_second", lambda: 100)
    files: dict[str, str] = {
        "proc/loadavg": "0.52 1.25 2.50 2/84 7392\n",
        "proc/stat": STAT,
        "proc/pressure/cpu": "some avg10=3.34 avg60=6.87 avg300=3.22 total=18285188\nfull avg10=0.00 total=5\n",
        f"{CPUS}/cpu0/thermal_throttle/core_throttle_count": "3\n",
        f"{CPUS}/cpu1/thermal_throttle/core_throttle_count": "4\n",
        **v2("/a", {"a/cpu.stat": "nr_periods 40\nnr_throttled 10\nthrottled_usec 2500\n"}),
    }
    return plant(tmp_path, files)


def test_every_number_is_found_in_its_place(linux: Path) -> None:
    found = read_counters(linux)
    assert found == Counters(
        at_ns=found.at_ns,
        load_1=0.52,
        load_5=1.25,
        load_15=2.5,
        busy_ns=(100 + 20 + 30 + 6 + 7) * 10_000_000,  # guests are within user, waiting for a disk is not work
        steal_ns=8 * 10_000_000,
        periods=40,
        throttled_periods=10,
        throttled_ns=2_500_000,
        pressure_us=18_285_188,
        context_switches=987_654,
        thermal_throttles=7,
    )


def test_what_is_missing_is_none_and_throttling_zero(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("skipped: other systems have a load average without a file")
    found = read_counters(tmp_path)
    assert replace(found, at_ns=0) == Counters(
        at_ns=0,
        load_1=None,
        load_5=None,
        load_15=None,
        busy_ns=None,
        steal_ns=None,
        periods=0,
        throttled_periods=0,
        throttled_ns=0,
        pressure_us=None,
        context_switches=None,
        thermal_throttles=None,
    )


def test_old_kernels_have_no_column_for_stolen_time(linux: Path) -> None:
    plant(linux, {"proc/stat": "cpu  100 20 30 4000 50 6 7\n"})
    found = read_counters(linux)
    assert found.busy_ns == 1_630_000_000
    assert found.steal_ns is None


def test_the_change_between_two_readings(linux: Path) -> None:
    before = read_counters(linux)
    plant(
        linux,
        {
            "proc/stat": STAT.replace("cpu  100", "cpu  300").replace(" 8 900", " 108 900").replace("987654", "987700"),
            "proc/pressure/cpu": "some avg10=0.00 total=18785188\n",
            "sys/fs/cgroup/a/cpu.stat": "nr_periods 50\nnr_throttled 15\nthrottled_usec 502500\n",
            f"{CPUS}/cpu1/thermal_throttle/core_throttle_count": "5\n",
        },
    )
    after = replace(read_counters(linux), at_ns=before.at_ns + 2_000_000_000)
    found = change(before, after)
    assert (found.elapsed_ns, found.busy_ns, found.steal_ns) == (2_000_000_000, 2_000_000_000, 1_000_000_000)
    assert (found.periods, found.throttled_periods, found.throttled_ns) == (10, 5, 500_000_000)
    assert (found.pressure_us, found.context_switches, found.thermal_throttles) == (500_000, 46, 1)
    assert found.cpus_stolen == 0.5


def test_a_counter_that_is_missing_or_began_anew_gives_none(linux: Path) -> None:
    before = read_counters(linux)
    after = replace(before, steal_ns=before.steal_ns and before.steal_ns - 1, pressure_us=None)
    found = change(before, after)
    assert (found.steal_ns, found.cpus_stolen) == (None, None)
    assert found.pressure_us is None
    assert found.busy_ns == 0


def test_no_time_between_gives_no_rates(linux: Path) -> None:
    before = read_counters(linux)
    assert change(before, before).cpus_stolen is None


def test_this_host() -> None:
    first, second = read_counters(), read_counters()
    found = change(first, second)
    assert found.elapsed_ns >= 0
    assert found.busy_ns is not None and found.busy_ns >= 0
    assert found.throttled_ns is not None


def test_reading_needs_no_package_on_linux() -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("skipped: only Linux tells without psutil, and only to CPython which CPUs may be used")
    code = (
        "import sys; from gilstudy.host import counters, machine; counters.read_counters(); machine.read_host(); "
        "print('psutil' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


@settings(max_examples=60, deadline=None)
@given(
    stat=st.one_of(
        st.binary(max_size=40), st.from_regex(rb"cpu( [0-9x]{0,25}){0,12}\n(ctxt [0-9a]*)?", fullmatch=True)
    ),
    load=st.binary(max_size=20),
    some=st.from_regex(rb"some( total=[0-9x]*)?( .*)?", fullmatch=True),
    heat=st.binary(max_size=5),
)
def test_garbage_never_raises(stat: bytes, load: bytes, some: bytes, heat: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = {"proc/stat": stat, "proc/loadavg": load, "proc/pressure/cpu": some}
        found = read_counters(plant(Path(folder), {**files, f"{CPUS}/cpu0/thermal_throttle/core_throttle_count": heat}))
        assert found.busy_ns is None or found.busy_ns >= 0
        assert found.pressure_us is None or found.pressure_us >= 0
