"""The option ``--json`` of every command: ``-`` is standard output, and what is told goes to standard error then."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gilstudy.system import files

if TYPE_CHECKING:
    from rich.console import Console

DASH: Final = "-"


def add(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Declare ``--json FILE``."""
    text = f'{purpose}; "-": to standard output, and the rest to standard error'
    parser.add_argument("--json", metavar="FILE", type=_file, help=text)


def _file(text: str) -> Path:
    return files.OUTPUT if text == DASH else Path(text)


def console_beside(path: Path | None) -> Console:
    """Where to tell the rest if JSON goes to ``path``: standard output, unless that is taken."""
    from gilstudy.report.console import console

    return console(stderr=path == files.OUTPUT)


def parse_flag(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse for a command whose ``--json`` is always standard output: ``--json -`` is that too."""
    words = [word for before, word in zip(("", *argv), argv, strict=False) if (before, word) != ("--json", DASH)]
    return parser.parse_args(words)
