"""All that a watch wrote and was told, gathered for `assemble`: from a running watch, or from one that was saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gilstudy.watching.assemble import Raw, was_on
from gilstudy.watching.gil import NO_GIL

if TYPE_CHECKING:
    from gilstudy._gilwatch import Sampler


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What Python alone knows of a watch."""

    gil_reason: str
    """Why the GIL cannot be read; "" if it can, be it on or off."""
    lanes_reason: str
    gil_wanted_by: tuple[str, ...]
    """On a free-threaded build whose GIL is on: what turned it on."""
    switch_interval_s: float
    period_ns: int


def gather(sampler: Sampler, told: Told) -> Raw:
    """What is there to be assembled."""
    changes = sampler.changes()
    is_seen = was_on(changes)
    return Raw(
        facts=sampler.facts(),
        changes=changes,
        queues=sampler.queues(),
        turns=sampler.turns(),
        threads=sampler.threads(),
        lanes=sampler.lanes(),
        gil_reason=told.gil_reason or ("" if is_seen else NO_GIL),
        lanes_reason=told.lanes_reason,
        gil_wanted_by=told.gil_wanted_by if is_seen else (),
        switch_interval_s=told.switch_interval_s,
        period_ns=told.period_ns,
        names=sampler.names(),
    )
