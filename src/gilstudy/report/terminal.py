"""A study on the terminal: one table, the claims with their evidence, the cautions. Readable at 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gilstudy._version import __version__
from gilstudy.concluding.claims import Claim
from gilstudy.concluding.findings import Findings
from gilstudy.concluding.verdicts import ArmFinding, percent, ratio
from gilstudy.measuring.arm import SINGLE
from gilstudy.measuring.record import Record
from gilstudy.report.wording import STYLES, caution_text, spaced
from gilstudy.stats import Estimate
from gilstudy.text import shown

MOST: Final = 1000
"""Columns of a reason or of evidence."""


def print_study(console: Console, record: Record, findings: Findings) -> None:
    """Print the whole report."""
    console.print(Group(*_parts(record, findings)))


def print_claims(console: Console, record: Record, findings: Findings) -> None:
    """Print one line per claim, and one per failure."""
    for arm, reason in record.lost.items():
        console.print(
            Text.assemble((f"{'failed':<13}", "bold red"), f"{shown(arm)}: {shown(reason, MOST)}"), soft_wrap=True
        )
    for claim in findings.claims:
        line = Text.assemble((f"{claim.verdict:<13}", STYLES[claim.verdict]), shown(claim.id))
        console.print(line, soft_wrap=True)


def _parts(record: Record, findings: Findings) -> Iterable[RenderableType]:
    yield headline(record)
    if findings.arms:
        yield Padding(_table(record, findings.arms), (1, 0, 0, 0))
        yield Text(LEGEND, style="dim")
    yield from _section("Not firm", _reasons(findings.arms))
    yield from _section("Failed", [*_losses(record)])
    if findings.claims:
        yield Text("\nThe tutorial's claims", style="bold")
        yield _claims(findings.claims)
    yield from ending(record, findings)


def ending(record: Record, findings: Findings) -> Iterable[RenderableType]:
    """What a reader must know beside the findings."""
    yield from _section("Cautions", [Text(caution_text(caution)) for caution in findings.cautions])
    if record.interrupted:
        yield Text("\nInterrupted: only what was measured until then is shown.", style="bold magenta")


def headline(record: Record) -> Text:
    """One line on what was done, and where."""
    labels = dict.fromkeys(runtime.label for runtime in record.runtimes.values())
    rounds = len({trial.round for trial in record.trials})
    cpus = len(record.host.placement)
    facts = [
        f"Python {shown(' and '.join(labels) or '?')}",
        f"{cpus} CPU{'s' * (cpus != 1)}",
        f"{rounds} round{'s' * (rounds != 1)} in {record.elapsed_s:.1f} s",
        f"seed {record.plan.seed}",
    ]
    return Text.assemble((f"gilstudy {__version__}", "bold"), "  ", ", ".join(facts))


def _table(record: Record, arms: Iterable[ArmFinding]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("arm", no_wrap=True)
    for name in ("workers", f"speedup [{100 * record.plan.level:g} %]", "gain", "cores"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    kinds = {arm.name: arm for arm in record.plan.arms}
    for finding in arms:
        arm = kinds[finding.arm]
        if arm.is_ceiling and finding.workers == 1:
            continue
        word = "baseline" if arm.mode == SINGLE else "the host's limit" if arm.is_ceiling else finding.verdict
        table.add_row(
            shown(finding.arm, 40),
            str(finding.workers),
            _speedup(finding.speedup),
            _gain(finding.gain) if not arm.is_ceiling else "",
            f"{finding.cores_used.point:.2f}",
            Text(spaced(word), style=STYLES.get(word, "dim")),
        )
    return table


def _speedup(speedup: Estimate | None) -> str:
    if speedup is None:
        return "?"
    if not math.isfinite(speedup.high):
        return f"{speedup.point:.2f}x [?, ?]".ljust(18)
    return ratio(speedup) if speedup.low < speedup.high else f"{speedup.point:.2f}x" + " " * 13


LEGEND: Final = """\
speedup: work rate against one worker of the same kernel, within the round
gain: the share of what the host had to give (the ceiling: native threads)
cores: CPU time / wall time"""


def _section(title: str, lines: list[Text]) -> Iterable[RenderableType]:
    if lines:
        yield Text(f"\n{title}", style="bold")
        grid = Table.grid(padding=(0, 1))
        for line in lines:
            grid.add_row("-", line)
        yield grid


def _gain(gain: Estimate | None) -> str:
    return percent(gain.point) if gain and math.isfinite(gain.high) else ""


def _reasons(arms: Iterable[ArmFinding]) -> list[Text]:
    """A line for each reason that kept arms from a firm verdict."""
    kept: dict[tuple[int, str], list[str]] = {}
    for finding in arms:
        if finding.reason and finding.workers > 1:
            kept.setdefault((finding.workers, finding.reason), []).append(shown(finding.arm))
    return [
        Text(f"{', '.join(names)} with {workers} workers: inconclusive, because {shown(reason, MOST)}.")
        for (workers, reason), names in kept.items()
    ]


def _losses(record: Record) -> Iterable[Text]:
    for arm in record.unavailable:
        yield _loss(arm.arm, "before the first round", arm.reason)
    for failure in record.failures:
        yield _loss(failure.arm, f"in round {failure.round + 1}", failure.reason)


def _loss(arm: str, when: str, reason: str) -> Text:
    return Text.assemble((shown(arm), "bold red"), f" {when}: {shown(reason, MOST)}. The other arms went on.")


def _claims(claims: Iterable[Claim]) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for claim in claims:
        grid.add_row(Text(claim.verdict, style=STYLES[claim.verdict]), Text(shown(claim.id), style="bold"))
        grid.add_row("", Text(shown(claim.evidence, MOST)))
    return grid
