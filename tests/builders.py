"""Records with known truth: every worker's rate is given, so every finding can be worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

from gilstudy.host.counters import Counters
from gilstudy.host.machine import Host
from gilstudy.host.runtime import Runtime
from gilstudy.measuring.plan import cases_of, with_baselines
from gilstudy.measuring.record import Edge, Failure, Plan, Record, Span, Trial, Unavailable

OF_SCHEMA_1 = Path(__file__).parent / "samples/study-1.json"
"""A whole study, experiments included, as the last gilstudy of schema 1 saved it."""
WINDOW_NS = 1_000_000_000
"""A second, with batches of one step: a worker's batches in the window are its rate."""


def a_host(
    cpus: int = 2, quota: float | None = None, python_cpu_count: int | None = None, *, can_pin: bool = True
) -> Host:
    return Host(
        os="Linux 6.1",
        machine="x86_64",
        cpu_model="Model of a CPU",
        virtual=False,
        logical_cpus=cpus,
        physical_cores=cpus,
        usable_cpus=tuple(range(cpus)),
        can_pin=can_pin,
        quota_cpus=quota,
        quota_source="cgroup v2 cpu.max" if quota else "",
        python_cpu_count=python_cpu_count,
        cores=tuple((cpu,) for cpu in range(cpus)),
        kinds=(),
        kinds_source="",
        governor="",
    )


def a_reading(**changes: float | None) -> Counters:
    calm = Counters(
        at_ns=0,
        load_1=0.0,
        load_5=0.0,
        load_15=0.0,
        busy_ns=0,
        steal_ns=0,
        periods=0,
        throttled_periods=0,
        throttled_ns=0,
        pressure_us=0,
        context_switches=0,
        thermal_throttles=0,
    )
    return replace(calm, **changes)  # type: ignore[arg-type]


def a_runtime(**changes: object) -> Runtime:
    plain = Runtime(
        implementation="cpython",
        version="3.11.7",
        build="GIL",
        gil_enabled=True,
        gil_request="",
        own_gil_interpreters=False,
        jit_enabled=None,
        debug_build=False,
        executable="python",
        compiler="GCC",
        switch_interval_s=0.005,
        start_method="fork",
        python_cpu_count=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def a_span(rate: float, open_ns: int, cores: float) -> Span:
    close_ns = open_ns + WINDOW_NS
    opened = Edge(open_ns, open_ns + 1, 0, 0)
    batches = round(rate)
    return Span(open_ns - 5, opened, Edge(close_ns, close_ns + 1, batches, round(cores * WINDOW_NS)))


def a_trial(
    round_: int, arm: str, cpus: tuple[int, ...], worker_rates: Iterable[float], cores: float | None = None
) -> Trial:
    given = list(worker_rates)
    open_ns = 10**12 + round_ * 10**10
    share = 1.0 if cores is None else cores / len(given)
    return Trial(
        round=round_,
        arm=arm,
        workers=len(given),
        cpus=cpus,
        batch=1,
        open_ns=open_ns,
        close_ns=open_ns + WINDOW_NS,
        gil=True,
        spans=tuple(a_span(rate, open_ns, share) for rate in given),
    )


def a_plan(workers: tuple[int, ...] = (2,), arms: Iterable[str] = (), level: float = 0.95) -> Plan:
    names = tuple(arms) or ("threads", "threads-nogil", "threads-held", "processes")
    return Plan(
        workers=workers,
        cases=cases_of(with_baselines(names), workers),
        budget_s=12.0,
        level=level,
        seed=1,
        looks=4,
        window_ns=WINDOW_NS,
        warm_ns=0,
        precision=0.05,
    )


SPEEDUPS: Mapping[str, float] = {
    "threads": 1.0,
    "threads-nogil": 1.96,
    "threads-held": 1.0,
    "processes": 1.94,
    "ceiling": 1.98,
}
"""The truth on an idle two-core host under a GIL."""


def a_record(
    speedups: Mapping[str, float] = SPEEDUPS,
    *,
    workers: tuple[int, ...] = (2,),
    arms: Iterable[str] = (),
    rounds: int = 20,
    noise: float = 0.01,
    cores: Mapping[str, float] | None = None,
    host: Host | None = None,
    runtime: Runtime | None = None,
    unavailable: tuple[Unavailable, ...] = (),
    failures: tuple[Failure, ...] = (),
    level: float = 0.95,
    seed: int = 7,
) -> Record:
    """A record of a host on which each arm has the given true speedup, and every trial a log-normal error."""
    random = Random(seed)
    plan = a_plan(workers, arms, level)
    host = host or a_host()
    lost = {arm.arm for arm in unavailable} | {failure.arm for failure in failures}
    trials: list[Trial] = []
    for round_ in range(rounds):
        drift = random.uniform(0.5, 1.5)  # hits all arms of a round alike

        def rate(share: float, drift: float = drift) -> float:
            return 1e6 * share * drift * random.lognormvariate(0, noise)

        for arm in plan.arms:
            if arm.name in lost:
                continue
            if arm.is_baseline:
                trials += [a_trial(round_, arm.name, (cpu,), [rate(1)]) for cpu in host.placement]
            if arm.mode == "single":
                continue
            for count in workers:
                if count == 1 and arm.is_baseline:
                    continue
                base = arm.name.partition("[")[0]
                share = speedups.get(arm.name, speedups[base]) / count
                cpus = tuple(host.placement[i % len(host.placement)] for i in range(count))
                used = (cores or {}).get(base, speedups[base])
                trials.append(a_trial(round_, arm.name, cpus, [rate(share) for _ in range(count)], used))
    return Record(
        started="2026-01-02T03:04:05+00:00",
        elapsed_s=11.5,
        interrupted=False,
        plan=plan,
        host=host,
        before=a_reading(),
        after=a_reading(),
        pinned=True,
        runtimes={arm.name: runtime or a_runtime() for arm in plan.arms if arm.name not in lost},
        batches=(),
        trials=tuple(trials),
        unavailable=unavailable,
        failures=failures,
        observations=None,
    )
