"""From a record's raw integers to estimates: work in the common window, ratios within the round, midmeans over rounds.

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

Speedup and gain are those of the undisturbed rounds where there are enough of them: of the rounds in which the arm and
the ceiling, both, had the CPUs that they can use. Were it one of them alone, the gain would compare different times.
Rate and cores used are those of all rounds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gilstudy.concluding.trials import cores_used, is_undisturbed, rates, tells_cpu_time
from gilstudy.measuring.record import Record, Trial
from gilstudy.stats import (
    METHOD,
    Estimate,
    covariance,
    exactly,
    fewest_rounds,
    influences,
    look_level,
    margin,
    midmean,
    over_rounds,
    ratio_bounds,
    tilts,
    transformed,
)

LEAST_SHARE: Final = 0.05
"""A baseline that had its CPU for less than this share of its window says nothing of the CPU's pace."""
LEAST_CEILING: Final = 1.1
"""Below this ceiling there is nothing to gain, and gain is not defined."""
FEWEST_UNDISTURBED: Final = 12
LEAST_UNDISTURBED: Final = 0.2
"""With fewer undisturbed rounds than this, or a smaller share of all, estimates are those of all rounds."""

Basis = Literal["all rounds", "undisturbed rounds"]

CaseKey = tuple[str, int]
Series = Mapping[int, float]
"""A value for each round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """An arm's speedup and gain over some of the rounds, and the ceiling's speedup over the same."""

    rounds: int
    speedup: Estimate | None
    gain: Estimate | None
    ceiling: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEstimates:
    """What is known of an arm at a worker count."""

    arm: str
    workers: int
    rounds: int
    basis: Basis
    """The rounds whose speedup and gain are used. Of the ceiling, undisturbed ones only if they are of all its arms."""
    all_rounds: Ratios
    undisturbed: Ratios | None
    """Over the rounds in which the arm and the ceiling had their CPUs; None where these are too few or not known."""
    rate: Estimate
    """Steps per second of all workers together."""
    speedup: Estimate | None
    """None where the baseline is missing."""
    gain: Estimate | None
    """None where the ceiling is missing or leaves nothing to gain."""
    ceiling: Estimate | None
    """The ceiling's speedup in the rounds that are used of this arm; None where it is missing."""
    efficiency: Estimate | None
    serial_fraction: Estimate | None
    """Karp-Flatt metric; None for a single worker."""
    cores_used: Estimate


def estimate(record: Record) -> tuple[CaseEstimates, ...]:
    """Estimates for every case that ``record`` has trials of, in the plan's order."""
    return _Estimator(record).all()


def ceilings(record: Record, *, undisturbed: bool) -> dict[int, list[float]]:
    """The logarithms of the ceiling's speedups at each worker count, in the order of the rounds.

    Args:
        record: the study.
        undisturbed: of the rounds in which native threads surely had their CPUs alone, however few these are.
    """
    return _Estimator(record).ceilings(undisturbed)


class _Estimator:
    def __init__(self, record: Record) -> None:
        self._plan, self._host = record.plan, record.host
        self._arms = {arm.name: arm for arm in record.plan.arms}
        self._ceiling = next(arm.name for arm in record.plan.arms if arm.is_ceiling)
        self._trials: dict[CaseKey, dict[int, list[Trial]]] = defaultdict(lambda: defaultdict(list))
        for trial in record.trials:
            self._trials[trial.arm, trial.workers][trial.round].append(trial)
        self._tells_cpu_time = tells_cpu_time(record.host)
        self._single: dict[str, dict[int, dict[int, float]]] = {}
        self._tested = look_level(record.plan.level, record.plan.looks)

    def all(self) -> tuple[CaseEstimates, ...]:
        order = {name: place for place, name in enumerate(self._arms)}
        return tuple(self._case(*key) for key in sorted(self._trials, key=lambda key: (order[key[0]], key[1])))

    def ceilings(self, undisturbed: bool) -> dict[int, list[float]]:
        found: dict[int, list[float]] = {}
        for arm, workers in sorted(self._trials):
            if arm == self._ceiling and workers > 1:
                series = self._speedups(arm, workers, self._trials[arm, workers].keys())
                kept = [r for r in sorted(series) if not undisturbed or self._had_its_cpus(arm, workers, r)]
                found[workers] = [_log(series[round_]) for round_ in kept]
        return found

    def _case(self, arm: str, workers: int) -> CaseEstimates:
        trials = self._trials[arm, workers]
        everything = self._ratios(arm, workers, trials.keys())
        kept = self._undisturbed_rounds(arm, workers)
        undisturbed = self._ratios(arm, workers, kept) if kept else None
        used = (undisturbed if self._suits_all(arm, workers) else None) or everything
        speedup = used.speedup
        shared = speedup is not None and workers > 1
        return CaseEstimates(
            arm=arm,
            workers=workers,
            rounds=len(trials),
            basis="all rounds" if used is everything else "undisturbed rounds",
            all_rounds=everything,
            undisturbed=undisturbed,
            rate=self._log_estimate({r: _mean([sum(rates(t)) for t in ts]) for r, ts in trials.items()}),
            speedup=speedup,
            gain=used.gain,
            ceiling=used.ceiling,
            efficiency=transformed(speedup, lambda s: s / workers) if speedup else None,
            serial_fraction=transformed(speedup, lambda s: karp_flatt(s, workers)) if speedup and shared else None,
            cores_used=self._estimate({r: _mean([cores_used(t) for t in ts]) for r, ts in trials.items()}),
        )

    # -- which rounds --------------------------------------------------------------------------------------------

    def _undisturbed_rounds(self, arm: str, workers: int) -> Collection[int]:
        """The undisturbed rounds; none if they are too few, or not known, or nothing would be left out."""
        rounds = self._trials[arm, workers]
        kept = {r for r in rounds if self._had_its_cpus(arm, workers, r)}
        fewest = max(FEWEST_UNDISTURBED, fewest_rounds(self._tested), LEAST_UNDISTURBED * len(rounds))
        return kept if fewest <= len(kept) < len(rounds) else ()

    def _suits_all(self, arm: str, workers: int) -> bool:
        """Whether undisturbed rounds may be shown of this arm: of the ceiling, only if they are of all its arms."""
        others = [name for name, count in self._trials if count == workers and name != self._ceiling]
        return arm != self._ceiling or all(self._undisturbed_rounds(other, workers) for other in others)

    def _had_its_cpus(self, arm: str, workers: int, round_: int) -> bool:
        """Whether the arm and the ceiling had their CPUs in this round."""
        both = [*self._trials[arm, workers][round_]]
        if arm != self._ceiling:
            both += self._trials.get((self._ceiling, workers), {}).get(round_, [])
        return all(is_undisturbed(self._arms[trial.arm], trial, self._host) for trial in both)

    # -- ratios within the round ---------------------------------------------------------------------------------

    def _ratios(self, arm: str, workers: int, rounds: Collection[int]) -> Ratios:
        speedup = self._speedup_estimate(arm, workers, rounds)
        gain = self._gain(arm, workers, rounds) if speedup is not None and workers > 1 else None
        ceiling = self._speedup_estimate(self._ceiling, workers, rounds)
        return Ratios(rounds=len(rounds), speedup=speedup, gain=gain, ceiling=ceiling)

    def _speedup_estimate(self, arm: str, workers: int, rounds: Collection[int]) -> Estimate | None:
        if workers == 1 and self._arms[arm].is_baseline:
            return exactly(1.0, self._plan.level)
        series = self._speedups(arm, workers, rounds)
        return self._log_estimate(series) if series else None

    def _speedups(self, arm: str, workers: int, rounds: Collection[int]) -> Series:
        singles = self._singles(self._arms[arm].baseline.name)
        trials = self._trials.get((arm, workers), {}).items()
        return {r: _mean([_ratio(t, singles[r]) for t in ts]) for r, ts in trials if r in singles and r in rounds}

    def _singles(self, arm: str) -> dict[int, dict[int, float]]:
        """Round -> CPU -> its pace, in steps per second."""
        if arm not in self._single:
            rounds = self._trials.get((arm, 1), {}).items()
            paces = {round_: _by_cpu(trials, self._tells_cpu_time) for round_, trials in rounds}
            self._single[arm] = {round_: by_cpu for round_, by_cpu in paces.items() if by_cpu}
        return self._single[arm]

    # -- over rounds ---------------------------------------------------------------------------------------------

    def _estimate(self, series: Series) -> Estimate:
        return over_rounds([series[round_] for round_ in sorted(series)], self._plan.level, self._tested)

    def _log_estimate(self, series: Series) -> Estimate:
        """Averaged as logarithms, so that a ratio and its inverse are treated alike."""
        return transformed(self._estimate({r: _log(value) for r, value in series.items()}), _exp)

    def _gain(self, arm: str, workers: int, rounds: Collection[int]) -> Estimate | None:
        if arm == self._ceiling:
            return exactly(1.0, self._plan.level)
        ours, top = self._speedups(arm, workers, rounds), self._speedups(self._ceiling, workers, rounds)
        shared = sorted(ours.keys() & top.keys())
        if not shared or _exp(midmean([_log(top[r]) for r in shared])) < LEAST_CEILING:
            return None
        pair = ([_log(ours[r]) for r in shared], [_log(top[r]) for r in shared])
        return gain_of(*pair, self._plan.level, self._tested)


def gain_of(logs: Sequence[float], ceiling: Sequence[float], level: float, tested: float) -> Estimate:
    """The gain from the logarithms of an arm's speedups and of the ceiling's, in the same rounds.

    Its interval is Fieller's, unbounded where the ceiling may leave nothing to gain: a share of nothing is anything.
    """
    method = f"{METHOD}, Fieller"
    speedup, top = _exp(midmean(logs)), _exp(midmean(ceiling))
    point = (speedup - 1) / (top - 1)
    if len(logs) < fewest_rounds(tested):
        return Estimate(point=point, low=-math.inf, high=math.inf, level=level, method=method)
    ours = [speedup * value for value in influences(logs)]
    theirs = [top * value for value in influences(ceiling)]
    reach = margin(tested, len(logs))
    spread = (covariance(ours, ours), covariance(ours, theirs), covariance(theirs, theirs))
    low, high = ratio_bounds(speedup - 1, top - 1, spread, reach)
    own = [(one - point * other) / (top - 1) for one, other in zip(ours, theirs, strict=True)]
    for weights in tilts(own, reach * math.sqrt(covariance(own, own))):
        above, below = (_exp(midmean(values, weights)) - 1 for values in (logs, ceiling))
        low, high = (min(low, above / below), max(high, above / below)) if below > 0 else (-math.inf, math.inf)
    return Estimate(point=point, low=low, high=high, level=level, method=method)


def karp_flatt(speedup: float, workers: int) -> float:
    """The serial fraction that would explain ``speedup`` with ``workers`` workers (Karp and Flatt 1990)."""
    return (1 / speedup - 1 / workers) / (1 - 1 / workers) if speedup > 0 else math.inf


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
