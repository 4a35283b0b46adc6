"""What the commands on studies share: measure, save, conclude, save that too, show."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gilstudy import cli
from gilstudy.commands import json_option
from gilstudy.commands.delivering import deliver
from gilstudy.system import signals

if TYPE_CHECKING:
    from rich.console import Console

    from gilstudy.concluding.findings import Findings
    from gilstudy.host.machine import Host
    from gilstudy.measuring.record import Plan, Record

Save = Callable[["Record"], None]


def saver(path: Path | None) -> Save:
    """What saves a record before anything is concluded from it, so that nothing that happens then can lose it.

    That it cannot be saved is told when it is saved with its conclusions. A pipe or a device takes only one document.
    """
    from gilstudy.errors import BadInput
    from gilstudy.report import study
    from gilstudy.system import files

    def save(record: Record) -> None:
        if path and files.is_replaced(path):
            with contextlib.suppress(BadInput):
                study.save(path, record, None)

    return save


def measure(plan: Plan, host: Host, console: Console, *, experiments: bool, save: Save = lambda record: None) -> Record:
    """Do a study, and the experiments on the other claims if asked for; Ctrl-C keeps what was measured until then.

    Args:
        plan: of the study.
        host: where it is done.
        console: for the progress display.
        experiments: whether to do them too.
        save: is given the record of the study, and again with what each experiment observed.
    """
    kept: list[Record] = []
    try:
        _measure(kept, plan, host, console, experiments=experiments, save=save)
    except KeyboardInterrupt:
        if not kept:
            raise
        kept.append(replace(kept[-1], interrupted=True))
        save(kept[-1])
    return kept[-1]


def _measure(kept: list[Record], plan: Plan, host: Host, console: Console, *, experiments: bool, save: Save) -> None:
    from gilstudy.concluding.findings import is_enough
    from gilstudy.experimenting.conduct import observing
    from gilstudy.measuring.conductor import run_study
    from gilstudy.report.progress import Display

    with Display(console) as display:
        kept.append(run_study(plan, host, enough=is_enough, notice=display.notice))
        save(kept[-1])
        if experiments and not kept[-1].interrupted:
            for observations in observing(notice=display.experiment):
                kept.append(replace(kept[-1], observations=observations))
                save(kept[-1])


def finish(record: Record, path: Path | None, show: Callable[[Console, Record, Findings], None]) -> int:
    """Conclude, save that too, show it all, and return the exit code.

    Raises:
        KeyboardInterrupt: while it was concluded; it is saved without conclusions, and the message says where.
    """
    from gilstudy.concluding.findings import conclude
    from gilstudy.report import study
    from gilstudy.system import files

    try:
        findings = conclude(record)
    except KeyboardInterrupt:
        if not path:
            raise
        if not files.is_replaced(path):
            study.save(path, record, None)
        raise KeyboardInterrupt(f"what was measured is saved in {path}, see gilstudy report") from None
    beside = json_option.console_beside(path)
    deliver([partial(study.save, path, record, findings)] if path else [], lambda: show(beside, record, findings))
    return exit_code(record)


def exit_code(record: Record) -> int:
    """What a study's end tells the shell."""
    if record.interrupted:
        return signals.INTERRUPTED
    troubles = record.observations.troubles if record.observations else ()
    return cli.ARM_FAILED if record.lost or troubles else cli.OK
