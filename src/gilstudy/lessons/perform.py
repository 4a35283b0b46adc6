"""Gives a lesson: runs its programs and experiments, checks what happened, and judges the claims that it bears on."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gilstudy.concluding.claims import Claim
from gilstudy.concluding.claims.experiments import judge_experiments
from gilstudy.experimenting.conduct import Unfinished, observe
from gilstudy.lessons.lesson import Lesson, Material, Run, Seen, Setting
from gilstudy.recording.events import Event, Play
from gilstudy.recording.player import play
from gilstudy.recording.source import program_source
from gilstudy.system.scratch import NoRoom

Outcome = Literal["passed", "failed", "unavailable"]

REFUSALS: Final = ("EROFS", "ENOSPC", "EDQUOT", "EACCES", "EPERM", "ENOSYS", "EMFILE", "ENFILE", "EAGAIN", "ENOMEM")
"""What a system answers that refuses what a lesson's program needs: files, shared memory, processes."""
_REFUSED: Final = re.compile(r"\w+Error: \[Errno (\d+)\] (.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """A lesson that was given."""

    lesson: str
    outcome: Outcome
    trouble: str
    """Why it failed, if it was not a check; "" otherwise. For an unavailable lesson, the text that says why."""
    detail: str = ""
    """In that text: what the system said."""
    elapsed_ns: int
    plays: tuple[Play, ...]
    seen: Seen
    claims: tuple[Claim, ...]


def perform(
    lesson: Lesson,
    setting: Setting,
    words: Mapping[str, str] | None = None,
    follow: Callable[[Event], None] | None = None,
) -> Performance:
    """Give a lesson.

    Args:
        lesson: which.
        setting: with what.
        words: what its programs say instead of their English words, see `gilstudy.recording.source`.
        follow: is told of every event of its programs as it happens.
    """
    start_ns = time.perf_counter_ns()
    plays: list[Play] = []
    seen = Seen(checks=())
    claims: tuple[Claim, ...] = ()
    outcome: Outcome = "failed"
    trouble, detail = lesson.unavailable(setting), ""
    if trouble:
        outcome = "unavailable"
    else:
        try:
            for run in lesson.runs(setting):
                plays.append(_play(run, words, follow))
                trouble = trouble or _trouble(run, plays[-1])
                detail = detail or _refusal(plays[-1].trouble)
            if not trouble:
                seen, claims, trouble = _look(lesson, setting, tuple(plays))
        except (NoRoom, OSError) as error:
            detail = str(error)
        if detail:
            outcome, trouble = "unavailable", "refused"
        elif not trouble and all(check.passed is not False for check in seen.checks):
            outcome = "passed"
    return Performance(
        lesson=lesson.name,
        outcome=outcome,
        trouble=trouble,
        detail=detail,
        elapsed_ns=time.perf_counter_ns() - start_ns,
        plays=tuple(plays),
        seen=seen,
        claims=claims,
    )


def _play(run: Run, words: Mapping[str, str] | None, follow: Callable[[Event], None] | None) -> Play:
    return play(run.program, program_source(run.program, words), run.args, limit_s=run.limit_s, follow=follow)


def _trouble(run: Run, play: Play) -> str:
    """What kept a program from ending as it must; "" if nothing did."""
    if play.ending == run.ending:
        return ""
    words = {"failed": play.trouble, "timeout": f"it took more than {run.limit_s} s and was ended"}
    return f"{run.program}: {words.get(play.ending, play.ending)}"


def _refusal(trouble: str) -> str:
    """What the system said, if it refused what a program needed; that says nothing about the lesson."""
    match = _REFUSED.search(trouble)
    if match is None:
        return ""
    known = errno.errorcode.get(int(match[1])) in REFUSALS
    # The program's own temporary folder: errno says that there is none.
    return match[2] if known or "No usable temporary" in trouble else ""


def _look(lesson: Lesson, setting: Setting, plays: tuple[Play, ...]) -> tuple[Seen, tuple[Claim, ...], str]:
    observations = observe(lesson.experiments)
    if observations.troubles:
        return Seen(checks=()), judge_experiments(observations), observations.troubles[0].reason
    try:
        seen = lesson.see(Material(setting=setting, plays=plays, observations=observations))
    except (LookupError, ValueError, StopIteration, Unfinished) as error:
        return Seen(checks=()), (), f"{type(error).__name__}: {error}"
    if seen.observed:
        observations = observations.joined(seen.observed)
    return seen, judge_experiments(observations), ""
