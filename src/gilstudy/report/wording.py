"""The words for what the findings hold as values: cautions with the next action, verdicts with their colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gilstudy.concluding.cautions import Caution
from gilstudy.text import shown

STYLES: Final = {
    "scales": "green",
    "does-not-scale": "yellow",
    "supported": "green",
    "refuted": "red",
    "inconclusive": "magenta",
    "untestable": "cyan",
}
"""The colour of each verdict."""

_Words = Callable[[dict[str, float]], str]

_CAUTIONS: Final[dict[str, _Words]] = {
    "quota": lambda f: (
        f"A CPU quota of {f['quota_cpus']:g} CPUs holds for this process, less than {f['workers']:g} workers can use: "
        "it bounds what lasts, though short trials may show more. Raise the quota, or read speedups up to it only."
    ),
    "one-cpu": lambda f: (
        "Only one CPU is usable, so nothing can run at the same time. Widen the affinity, or run on a larger host."
    ),
    "more-workers-than-cpus": lambda f: (
        f"{f['workers']:g} workers share {f['cpus']:g} CPUs: compare speedups with the ceiling, not with their number."
    ),
    "shared-cores": lambda f: (
        f"Workers share {f['cores']:g} physical cores as SMT siblings, which give less than two cores: "
        "compare speedups with the ceiling, not with the number of workers."
    ),
    "mixed-cpus": lambda f: (
        "The usable CPUs are of different kinds. Each worker is compared with a single one on its own CPU."
    ),
    "cpu-count-limited": lambda f: (
        f"PYTHON_CPU_COUNT limits this study to {f['cpus']:g} of {f['usable']:g} usable CPUs. Unset it to use them all."
    ),
    "throttled": lambda f: (
        f"The CPU quota stopped this process in {f['periods']:g} periods, for {f['seconds']:.1f} s in all. "
        "Speedups near the quota are too low."
    ),
    "contended": lambda f: (
        f"Other work took {100 * f['share']:.0f} % of the CPU from single workers. "
        "Repeat the study on a quieter host for narrower intervals."
    ),
    "steal": lambda f: f"The hypervisor took away {f['cpus']:g} CPUs on average. Repeat the study at a quieter time.",
    "too-hot": lambda f: f"CPUs slowed down {f['times']:g} times because they were too hot. Let them cool and repeat.",
    "busy-host": lambda f: (
        f"The host was busy before the study began (load {f['load']:g}). "
        "Repeat it on a quieter host for narrower intervals."
    ),
    "ceiling-above-quota": lambda f: (
        f"In short trials {f['workers']:g} native threads reached {f['ceiling']:g}x, above the quota of "
        f"{f['quota_cpus']:g} CPUs, which stops what lasts. Expect no more than {f['quota_cpus']:g}x of longer work."
    ),
    "ceiling-varies": lambda f: (
        f"What {f['workers']:g} native threads reached changed during the study, from {f['low']:.2f}x to "
        f"{f['high']:.2f}x: CPUs slowed each other, which CPU time does not show. "
        "The intervals are of these minutes; repeat the study at another time."
    ),
    "not-pinned": lambda f: (
        "This system cannot pin threads to CPUs, so two workers may have shared one. Look at the ceiling first."
    ),
    "gil-re-enabled": lambda f: (
        "This free-threaded build ran with the GIL on: a module or PYTHON_GIL=1 turned it back on. See gilstudy info."
    ),
    "not-linear-python": lambda f: _not_linear("the Python loop", f["ratio"]),
    "not-linear-nogil": lambda f: _not_linear("the C loop", f["ratio"]),
}


def caution_text(caution: Caution) -> str:
    """One or two sentences: what is the matter, and what to do about it."""
    words = _CAUTIONS.get(caution.kind)
    return words(caution.facts) if words else shown(caution.kind)


def _not_linear(loop: str, ratio: float) -> str:
    return (
        f"Twice the steps of {loop} took {ratio:g} times as long, not twice: the host was unsteady during calibration, "
        "or a compiler removed the loop. Repeat the study."
    )


def spaced(verdict: str) -> str:
    """A verdict in words, such as ``does not scale``."""
    return verdict.replace("-", " ")
