"""The lesson ``why-threads``: the text's own experiment at the text's own size, one run, beside the text's numbers."""

from __future__ import annotations

from typing import Final

from gilstudy.lessons.lesson import Check, Lesson, Material, Run, Seen, Setting

TEXTS_N: Final = 100_000_000
TEXTS_ALONE_S: Final = 16.042685508728027
TEXTS_HALF_S: Final = 16.09876549243927
"""The text's time of two threads, divided by two as the text prints it."""
LIMIT_S: Final = 3600
PARTS: Final = ("alone", "threads", "processes", "c-alone", "c-threads")
"""What the program times, in this order, one line each."""


def _runs(setting: Setting) -> tuple[Run, ...]:
    return (Run(program="why_threads", args=(str(setting.n),), limit_s=LIMIT_S),)


def _see(material: Material) -> Seen:
    (play,) = material.plays
    seconds = dict(zip(PARTS, (float(event.text.split()[-1]) for event in play.said), strict=False))
    checks = (
        Check(id="all-timed", passed=len(seconds) == len(PARTS)),
        Check(id="took-time", passed=all(value > 0 for value in seconds.values())),
    )
    half = seconds["threads"] / 2
    facts = {
        "n": f"{material.setting.n:,}",
        "half": f"{half:.3g}",
        "text_alone": f"{TEXTS_ALONE_S:.2f}",
        "text_half": f"{TEXTS_HALF_S:.2f}",
        "thread_gain": f"{2 * seconds['alone'] / seconds['threads']:.2f}",
        "process_gain": f"{2 * seconds['alone'] / seconds['processes']:.2f}",
        "c_gain": f"{2 * seconds['c-alone'] / seconds['c-threads']:.2f}",
        **{name: f"{value:.3g}" for name, value in seconds.items()},
    }
    share = half / seconds["alone"]
    return Seen(checks=checks, facts=facts, answer="half" if share < 0.75 else "double" if share > 1.5 else "same")


LESSONS = (
    Lesson(
        name="why-threads",
        runs=_runs,
        see=_see,
        options=("half", "same", "double"),
    ),
)
