"""All lessons, in the order of the text."""

from __future__ import annotations

from typing import Final

from gilstudy.lessons import joins, models, pools, processes, threads, why
from gilstudy.lessons.lesson import Lesson

_FOUND: Final = {
    lesson.name: lesson for module in (processes, joins, pools, threads, models, why) for lesson in module.LESSONS
}

NAMES: Final = (
    *("fork", "concurrency-vs-parallelism", "sync-vs-async", "process-start", "process-run"),
    *("join-omitted", "join-one", "join-between-starts"),
    *("pool-async", "pool-blocking", "pool-results", "pool-close-join-terminate"),
    *("thread-names", "thread-lock", "deadlock", "why-threads", "hybrid"),
)

CATALOGUE: Final[dict[str, Lesson]] = {name: _FOUND[name] for name in NAMES}
