"""Each caution is raised by its cause and by nothing else, and has words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders import a_host, a_reading, a_record, a_runtime, a_trial

from gilstudy.concluding.cautions import cautions
from gilstudy.host.machine import CpuKind
from gilstudy.measuring.plan import make_plan
from gilstudy.measuring.record import Batch
from gilstudy.report.wording import caution_text

P_CORE = CpuKind(name="performance", capacity=1.0, count=1, cpus=(0,))
E_CORE = CpuKind(name="efficient", capacity=0.6, count=1, cpus=(1,))


def found(**changes: Any) -> list[str]:
    given: dict[str, Any] = {
        "plan": make_plan(workers=(2,)),
        "host": a_host(),
        "before": a_reading(),
        "after": a_reading(at_ns=10**9),
        "pinned": True,
        "runtimes": {"single": a_runtime()},
        "batches": (Batch(kernel="python", runtime="", steps=10, once_ns=100, double_ns=200),),
        "trials": (a_trial(0, "single", (0,), [100.0]),),
    }
    raised = cautions(replace(a_record(rounds=1), **(given | changes)))
    for caution in raised:
        text = caution_text(caution)
        assert text.endswith(".")
        assert text != caution.kind
    return [caution.kind for caution in raised]


def test_a_quiet_host_raises_none() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"host": a_host(cpus=1)}, ["one-cpu"]),
        ({"host": a_host(quota=0.5)}, ["quota"]),
        ({"host": a_host(quota=2.0)}, []),
        ({"host": a_host(cpus=4, python_cpu_count=1)}, ["one-cpu", "cpu-count-limited"]),
        ({"host": replace(a_host(cpus=2), cores=((0, 1),))}, ["shared-cores"]),
        ({"host": replace(a_host(cpus=4), cores=((0, 2), (1, 3)))}, []),
        ({"host": replace(a_host(cpus=2), kinds=(P_CORE, E_CORE))}, ["mixed-cpus"]),
        ({"plan": make_plan(workers=(2, 8))}, ["more-workers-than-cpus"]),
        ({"after": a_reading(at_ns=10**9, periods=9, throttled_periods=3, throttled_ns=10**8)}, ["throttled"]),
        ({"after": a_reading(at_ns=10**9, steal_ns=10**8)}, ["steal"]),
        ({"after": a_reading(at_ns=10**9, thermal_throttles=2)}, ["too-hot"]),
        ({"before": a_reading(load_1=1.7)}, ["busy-host"]),
        ({"before": a_reading(load_1=None)}, []),
        ({"trials": (a_trial(0, "single", (0,), [100.0], cores=0.6),)}, ["contended"]),
        ({"trials": (a_trial(0, "threads", (0, 1), [50.0, 50.0], cores=1.0),)}, []),
        ({"pinned": False}, ["not-pinned"]),
        ({"runtimes": {"single": a_runtime(build="free-threaded", gil_enabled=True)}}, ["gil-re-enabled"]),
        ({"runtimes": {"single": a_runtime(build="free-threaded", gil_enabled=False)}}, []),
        (
            {"batches": (Batch(kernel="python", runtime="", steps=10, once_ns=100, double_ns=101),)},
            ["not-linear-python"],
        ),
        ({"batches": (Batch(kernel="nogil", runtime="", steps=10, once_ns=100, double_ns=400),)}, ["not-linear-nogil"]),
    ],
)
def test_each_cause_raises_its_caution(changes: dict[str, Any], kinds: list[str]) -> None:
    assert found(**changes) == kinds
