"""All claims of the tutorial in one table, each with today's verdict and its evidence. Readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from rich.console import Console
from rich.text import Text

from gilstudy.claims import TEXTS as STUDY_TEXTS
from gilstudy.claims import Claim
from gilstudy.experiments.judging import TEXTS as EXPERIMENT_TEXTS
from gilstudy.report.wording import STYLES
from gilstudy.report.wrapping import wrap

ORDER: Final = (
    *("threads-do-not-scale", "threads-slower-than-serial", "threads-use-one-core"),
    *("c-extension-scales", "c-must-release-the-gil", "processes-scale"),
    *("only-c-or-processes", "needs-gil-free-interpreter", "switch-every-100-bytecodes"),
    *("lost-updates-without-lock", "lock-prevents-lost-updates", "lock-serialises"),
    *("lock-order-deadlocks", "threads-share-processes-copy"),
)
"""The claims as the text comes to them."""

TEXTS: Final[Mapping[str, str]] = {
    "needs-gil-free-interpreter": "For threads to use many cores the interpreter must be rewritten without a GIL.",
    **STUDY_TEXTS,
    **EXPERIMENT_TEXTS,
}
"""What the text says, in the project's own words."""

INDENT: Final = 14


def in_order(claims: Iterable[Claim]) -> list[Claim]:
    """The claims in the text's order; what it does not know comes last."""
    return sorted(claims, key=lambda claim: ORDER.index(claim.id) if claim.id in ORDER else len(ORDER))


def print_table(console: Console, claims: Iterable[Claim]) -> None:
    """Print every claim of the tutorial; one without a verdict is listed as not measured."""
    judged = {claim.id: claim for claim in in_order(claims)}
    for name in dict.fromkeys((*ORDER, *judged)):
        claim = judged.get(name)
        verdict, style = (claim.verdict, STYLES[claim.verdict]) if claim else ("not measured", "dim")
        console.print(Text.assemble((f"{verdict:<{INDENT}}", style), (name, "bold")))
        _paragraph(console, TEXTS.get(name, ""), "italic")
        _paragraph(console, claim.evidence if claim else "", "")


def _paragraph(console: Console, text: str, style: str) -> None:
    for line in wrap(text, console.width - INDENT):
        console.print(Text(" " * INDENT + line, style=style))
