"""From a record's raw integers to estimates: work in the common window, ratios within the round, bootstrap over rounds.

Formulas:
    rate of a worker     steps that it did between open and close / (close - open)
    pace of a CPU        steps of a single worker on it / the CPU time that it used: its rate while it had the CPU.
                         On an idle host this is its rate. Beside other work it is not, and must not be: threads that
                         take turns under a GIL together get a larger share of two busy CPUs than one thread gets of
                         one, and would read up to 2x without any work having been done at the same time.
    speedup              sum over workers of their rate / the pace of the same kernel on the same CPU in the same round.
                         On equal CPUs this is total rate / mean single rate; on unequal ones it stays 1 for workers
                         that take turns, wherever their turns were.
    gain                 (speedup - 1) / (ceiling - 1), the ceiling being the native threads' speedup in the same rounds
    efficiency           speedup / workers
    serial fraction      (1/speedup - 1/workers) / (1 - 1/workers): Karp and Flatt 1990, "Measuring Parallel Processor
                         Performance"
    cores used           CPU time of all workers in the window / (close - open)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gilstudy.measuring.record import Edge, Record, Trial
from gilstudy.stats import Estimate, draws, exactly, interval, look_level, midmean, replicate, transformed

LEAST_SHARE: Final = 0.05
"""A baseline that had its CPU for less than this share of its window says nothing of the CPU's pace."""
LEAST_CEILING: Final = 1.1
"""Below this ceiling there is nothing to gain, and gain is not defined."""

CaseKey = tuple[str, int]
Series = Mapping[int, float]
"""A value for each round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEstimates:
    """What is known of an arm at a worker count."""

    arm: str
    workers: int
    rounds: int
    rate: Estimate
    """Steps per second of all workers together."""
    speedup: Estimate | None
    """None where the baseline is missing."""
    gain: Estimate | None
    """None where the ceiling is missing or leaves nothing to gain."""
    efficiency: Estimate | None
    serial_fraction: Estimate | None
    """Karp-Flatt metric; None for a single worker."""
    cores_used: Estimate


def estimate(record: Record) -> tuple[CaseEstimates, ...]:
    """Estimates for every case that ``record`` has trials of, in the plan's order."""
    return _Estimator(record).all()


def work_at(edge: Edge, instant_ns: int) -> float:
    """Batches that a worker had done at ``instant_ns``, which ``edge`` straddles: interpolated within the batch."""
    length_ns = max(1, edge.after_ns - edge.before_ns)
    return edge.batches + min(1.0, max(0.0, (instant_ns - edge.before_ns) / length_ns))


def rates(trial: Trial) -> list[float]:
    """Each worker's steps per second within the trial's common window."""
    window_s = (trial.close_ns - trial.open_ns) / 1e9
    return [
        (work_at(span.close, trial.close_ns) - work_at(span.open, trial.open_ns)) * trial.batch / window_s
        for span in trial.spans
    ]


def cores_used(trial: Trial) -> float:
    """CPU time that the workers used in the trial's window, as a number of cores.

    A worker's CPU time is known at the ends of two batches; the part in the window is that of the batches in it.
    """
    used_ns = 0.0
    for span in trial.spans:
        batches = work_at(span.close, trial.close_ns) - work_at(span.open, trial.open_ns)
        used_ns += (span.close.cpu_ns - span.open.cpu_ns) * batches / max(1, span.close.batches - span.open.batches)
    return used_ns / (trial.close_ns - trial.open_ns)


class _Estimator:
    def __init__(self, record: Record) -> None:
        self._plan = record.plan
        self._baseline_of = {arm.name: arm.baseline.name for arm in record.plan.arms}
        self._ceiling = next(arm.name for arm in record.plan.arms if arm.is_ceiling)
        self._trials: dict[CaseKey, dict[int, list[Trial]]] = defaultdict(lambda: defaultdict(list))
        for trial in record.trials:
            self._trials[trial.arm, trial.workers][trial.round].append(trial)
        # Windows counts CPU time in ticks of 16 ms, longer than a window.
        self._tells_cpu_time = not record.host.os.startswith("Windows")
        self._single: dict[str, dict[int, dict[int, float]]] = {}
        self._level = look_level(record.plan.level, record.plan.looks)
        self._resamples: dict[int, list[list[int]]] = {}

    def all(self) -> tuple[CaseEstimates, ...]:
        order = {arm.name: place for place, arm in enumerate(self._plan.arms)}
        return tuple(self._case(*key) for key in sorted(self._trials, key=lambda key: (order[key[0]], key[1])))

    def _case(self, arm: str, workers: int) -> CaseEstimates:
        trials = self._trials[arm, workers]
        speedup = self._speedup_estimate(arm, workers)
        shared = speedup is not None and workers > 1
        return CaseEstimates(
            arm=arm,
            workers=workers,
            rounds=len(trials),
            rate=self._log_estimate({r: _mean([sum(rates(t)) for t in ts]) for r, ts in trials.items()}),
            speedup=speedup,
            gain=self._gain(arm, workers) if shared else None,
            efficiency=transformed(speedup, lambda s: s / workers) if speedup else None,
            serial_fraction=transformed(speedup, lambda s: karp_flatt(s, workers)) if speedup and shared else None,
            cores_used=self._estimate({r: _mean([cores_used(t) for t in ts]) for r, ts in trials.items()}),
        )

    # -- ratios within the round ---------------------------------------------------------------------------------

    def _speedup_estimate(self, arm: str, workers: int) -> Estimate | None:
        if workers == 1 and self._baseline_of[arm] == arm:
            return exactly(1.0, self._plan.level)
        series = self._speedups(arm, workers)
        return self._log_estimate(series) if series else None

    def _speedups(self, arm: str, workers: int) -> dict[int, float]:
        singles = self._singles(self._baseline_of[arm])
        trials = self._trials.get((arm, workers), {})
        return {r: _mean([_ratio(t, singles[r]) for t in ts]) for r, ts in trials.items() if r in singles}

    def _singles(self, arm: str) -> dict[int, dict[int, float]]:
        """Round -> CPU -> its pace, in steps per second."""
        if arm not in self._single:
            rounds = self._trials.get((arm, 1), {}).items()
            paces = {round_: _by_cpu(trials, self._tells_cpu_time) for round_, trials in rounds}
            self._single[arm] = {round_: by_cpu for round_, by_cpu in paces.items() if by_cpu}
        return self._single[arm]

    # -- bootstrap over rounds -----------------------------------------------------------------------------------

    def _draws(self, rounds: int) -> list[list[int]]:
        if rounds not in self._resamples:
            self._resamples[rounds] = draws(rounds, self._level, self._plan.seed)
        return self._resamples[rounds]

    def _estimate(self, series: Series) -> Estimate:
        values = [series[round_] for round_ in sorted(series)]
        replicates = replicate(values, self._draws(len(values)))
        return interval(midmean(values), replicates, len(values), self._level, self._plan.level)

    def _log_estimate(self, series: Series) -> Estimate:
        """Averaged as logarithms, so that a ratio and its inverse are treated alike."""
        return transformed(self._estimate({r: _log(value) for r, value in series.items()}), _exp)

    def _gain(self, arm: str, workers: int) -> Estimate | None:
        if arm == self._ceiling:
            return exactly(1.0, self._plan.level)
        ours, top = self._speedups(arm, workers), self._speedups(self._ceiling, workers)
        shared = sorted(ours.keys() & top.keys())
        if not shared or _exp(midmean([_log(top[r]) for r in shared])) < LEAST_CEILING:
            return None
        resamples = self._draws(len(shared))
        pair = [[_log(series[r]) for r in shared] for series in (ours, top)]
        point = _gain_of(*(midmean(values) for values in pair))
        replicates = [_gain_of(*both) for both in zip(*(replicate(values, resamples) for values in pair), strict=True)]
        return interval(point, replicates, len(shared), self._level, self._plan.level)


def karp_flatt(speedup: float, workers: int) -> float:
    """The serial fraction that would explain ``speedup`` with ``workers`` workers (Karp and Flatt 1990)."""
    return (1 / speedup - 1 / workers) / (1 - 1 / workers) if speedup > 0 else math.inf


def _gain_of(log_speedup: float, log_ceiling: float) -> float:
    # A resample in which the ceiling vanishes says nothing of the gain; it is kept finite, and very wide.
    return (_exp(log_speedup) - 1) / max(_exp(log_ceiling) - 1, 0.01)


def _ratio(trial: Trial, singles: Mapping[int, float]) -> float:
    typical = _mean(list(singles.values()))
    return sum(rate / singles.get(cpu, typical) for rate, cpu in zip(rates(trial), trial.cpus, strict=True))


def _by_cpu(trials: Sequence[Trial], tells_cpu_time: bool) -> dict[int, float]:
    found: dict[int, list[float]] = defaultdict(list)
    for trial in trials:
        share = cores_used(trial) if tells_cpu_time else 1.0
        rate = rates(trial)[0]
        if share >= LEAST_SHARE and rate > 0:
            found[trial.cpus[0]].append(rate / share)
    return {cpu: _mean(values) for cpu, values in found.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _log(value: float) -> float:
    return math.log(max(value, 1e-9))


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
