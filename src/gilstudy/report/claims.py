"""All claims of the tutorial, each with today's verdict and its evidence. Readable at 80 columns."""

from __future__ import annotations

from typing import Final

from rich.console import Console, Group
from rich.text import Text

from gilstudy.concluding.claims import TEXTS
from gilstudy.concluding.findings import Findings
from gilstudy.measuring.record import Record
from gilstudy.report.terminal import MOST, ending, headline
from gilstudy.report.wording import STYLES
from gilstudy.report.wrapping import wrap
from gilstudy.text import shown

INDENT: Final = 14


def print_table(console: Console, record: Record, findings: Findings) -> None:
    """Print every claim of the tutorial; one without a verdict is listed as not measured."""
    judged = {claim.id: claim for claim in findings.claims}
    console.print(headline(record), end="\n\n")
    for name, text in TEXTS.items():
        claim = judged.get(name)
        verdict, style = (claim.verdict, STYLES[claim.verdict]) if claim else ("not measured", "dim")
        console.print(Text.assemble((f"{verdict:<{INDENT}}", style), (name, "bold")))
        _paragraph(console, text, "italic")
        _paragraph(console, shown(claim.evidence, MOST) if claim else "", "")
    console.print(Group(*ending(record, findings)))


def _paragraph(console: Console, text: str, style: str) -> None:
    for line in wrap(text, console.width - INDENT):
        console.print(Text(" " * INDENT + line, style=style))
