"""How often do intervals hold the truth? Simulated studies, in which rounds that follow each other may be alike.

    python bench/coverage.py                  2000 studies of each kind of noise and each number of rounds
    python bench/coverage.py --studies 300 --bootstrap    beside the bootstrap that took rounds for independent
    python bench/coverage.py --gain 0.26      wrong verdicts near a threshold, and the coverage of gain

Prints, for the level of one look (98.75 %), the coverage and the half width (the standard deviation of a round is 1);
then the coverage at 95 % of the interval of studies that look four times and stop as soon as they like what they see.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from functools import cache
from random import Random
from statistics import NormalDist, median

from gilstudy.concluding.ratios import gain_of
from gilstudy.concluding.verdicts import side_of
from gilstudy.stats import Estimate, look_level, midmean, over_rounds, student_quantile

LEVEL = 0.95
LOOKS = 4
FIRST_LOOK = 0.4
RESAMPLES = 1000
SPREAD = 0.12
"""The standard deviation of a round's log ratio, where one is needed."""

NOISE = {
    "white": (0.0, 0.0, 1.0),
    "twofold": (0.25, 0.67, 1.0),
    "drifting": (0.10, 0.93, 1.0),
    "lags": (0.56, 0.80, 1.0),
    "losses": (0.0, 0.0, 0.6),
    "losses alike": (0.25, 0.67, 0.6),
}
"""The share of a round's variance that is remembered, and how much of it from one round to the next. Seen on quiet
hosts: white to twofold (variance inflation 2); at worst 0.46, 0.38, 0.27, 0.17 at lags 1, 2, 3, 5, which is lags. Last
the share of rounds that are calm, where other work takes up to half in the rest and never gives."""

Interval = Callable[[list[float], float], Estimate]


def rounds_of(random: Random, count: int, kind: str) -> list[float]:
    """Errors of rounds: of variance 1, or losses."""
    share, memory, calm = NOISE[kind]
    slow, found = random.gauss(0, 1), []
    for _ in range(count):
        found.append(math.sqrt(1 - share) * random.gauss(0, 1) + math.sqrt(share) * slow)
        slow = memory * slow + math.sqrt(1 - memory * memory) * random.gauss(0, 1)
    if calm == 1:
        return found
    ranks = [NormalDist().cdf(value) for value in found]
    return [random.gauss(0, 0.01) + math.log(2) * (min(rank / (1 - calm), 1) - 1) for rank in ranks]


@cache
def truth_of(kind: str) -> float:
    """The midmean of all rounds that there could be."""
    return midmean(rounds_of(Random(kind), 200_000, kind)) if NOISE[kind][2] < 1 else 0.0


def newey_west(values: list[float], tested: float) -> Estimate:
    """What gilstudy does."""
    return over_rounds(values, LEVEL, tested)


def bootstrap(values: list[float], tested: float) -> Estimate:
    """What it did before: rounds drawn with replacement, percentiles expanded for few rounds (Hesterberg 2015)."""
    random, count = Random(1), len(values)
    found = sorted(midmean(random.choices(values, k=count)) for _ in range(RESAMPLES))
    student = student_quantile((1 + tested) / 2, count - 1)
    tail = NormalDist().cdf(-math.sqrt(count / (count - 1)) * student)
    low, high = found[int(tail * RESAMPLES)], found[-1 - int(tail * RESAMPLES)]
    return Estimate(point=midmean(values), low=low, high=high, level=LEVEL, method="bootstrap")


def coverage(interval: Interval, kind: str, rounds: int, studies: int) -> tuple[float, float]:
    """The share of intervals that hold the truth, and their median half width, at the level of one look."""
    random, level = Random(f"{kind} {rounds}"), look_level(LEVEL, LOOKS)
    found = [interval(rounds_of(random, rounds, kind), level) for _ in range(studies)]
    held = sum(each.low <= truth_of(kind) <= each.high for each in found)
    return held / studies, median((each.high - each.low) / 2 for each in found)


def looked_at(interval: Interval, kind: str, rounds: int, studies: int) -> float:
    """The coverage of the last interval if a study looks and stops as soon as its interval leaves out the truth."""
    random, level, held = Random(f"{kind} {rounds} looks"), look_level(LEVEL, LOOKS), 0
    for _ in range(studies):
        values = rounds_of(random, rounds, kind)
        parts = [FIRST_LOOK + (1 - FIRST_LOOK) * look / (LOOKS - 1) for look in range(LOOKS)]
        looks = [interval(values[: round(rounds * part)], level) for part in parts]
        held += all(look.low <= truth_of(kind) <= look.high for look in looks)
    return held / studies


def gains(gain: float, kind: str, rounds: int, studies: int) -> tuple[float, float]:
    """The coverage of the gain's interval and the share of wrong verdicts, beside a ceiling of 1.95."""
    random, level, held, wrong = Random(f"{kind} {gain}"), look_level(LEVEL, LOOKS), 0, 0
    true = "above" if gain > 0.5 else "below" if gain < 0.25 else "unsure"
    for _ in range(studies):
        ours = [math.log(1 + gain * 0.95) + SPREAD * e for e in rounds_of(random, rounds, kind)]
        top = [math.log(1.95) + SPREAD * e for e in rounds_of(random, rounds, kind)]
        found = gain_of(ours, top, LEVEL, level)
        held += found.low <= gain <= found.high
        wrong += side_of(found) not in ("unsure", true)
    return held / studies, wrong / studies


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000, help="how many of each kind (default: 2000)")
    parser.add_argument("--rounds", type=int, nargs="+", default=[12, 40, 105], help="rounds of a study")
    parser.add_argument("--noise", choices=tuple(NOISE), nargs="+", default=tuple(NOISE), help="kinds of noise")
    parser.add_argument("--bootstrap", action="store_true", help="beside a bootstrap of independent rounds (slow)")
    parser.add_argument("--gain", type=float, nargs="+", help="the coverage of gains, and wrong verdicts on them")
    args = parser.parse_args()
    if args.gain:
        for gain in args.gain:
            for kind in [kind for kind in args.noise if NOISE[kind][2] == 1]:
                held, wrong = gains(gain, kind, args.rounds[-1], args.studies)
                print(f"gain {gain:.2f}  {kind:12} {args.rounds[-1]:4} rounds: holds {held:.3f}, wrong {wrong:.3f}")
        return
    methods: dict[str, Interval] = {"newey-west": newey_west}
    if args.bootstrap:
        methods["bootstrap"] = bootstrap
    for rounds in args.rounds:
        for kind in args.noise:
            for name, interval in methods.items():
                held, width = coverage(interval, kind, rounds, args.studies)
                looks = looked_at(interval, kind, rounds, args.studies) if rounds >= 20 else math.nan
                told = f"holds {held:.3f}, half width {width:.3f}; all looks {looks:.3f}"
                print(f"{rounds:4} rounds  {kind:12} {name:10} {told}", flush=True)


if __name__ == "__main__":
    main()
