"""What a reader sees: aligned, within 80 columns, in colour only where it is wanted, and everything that matters."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from builders import a_host, a_record
from rich.console import Console

from gilstudy.concluding.findings import conclude
from gilstudy.measuring.record import Failure, Record
from gilstudy.report.terminal import print_claims, print_study

LONG = ["threads", "processes[forkserver]", "processes[spawn]"]


def shown(record: Record, *, quiet: bool = False, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=80, highlight=False, force_terminal=colour, no_color=not colour)
    (print_claims if quiet else print_study)(console, record, conclude(record))
    return out.getvalue()


def test_the_table_shows_every_arm_with_its_interval_gain_cores_and_verdict() -> None:
    lines = shown(a_record(noise=0.0)).splitlines()
    (threads,) = [line for line in lines if line.startswith("threads ")]
    assert threads.split() == ["threads", "2", "1.00x", "[1.00,", "1.00]", "0", "%", "1.00", "does", "not", "scale"]
    (ceiling,) = [line for line in lines if line.startswith("ceiling")]
    assert "1.98x [1.98, 1.98]" in ceiling


@pytest.mark.parametrize(
    "record",
    [
        a_record(),
        a_record(workers=(1, 2, 4, 16), host=a_host(cpus=4)),
        a_record(arms=LONG, rounds=3),
        a_record(rounds=0),
        a_record(host=a_host(cpus=1)),
        a_record(failures=(Failure(arm="threads", round=-1, reason="it ended with exit code 3: " + "x" * 200),)),
        replace(a_record(host=a_host(quota=0.5)), interrupted=True),
    ],
)
def test_nothing_is_wider_than_80_columns_and_no_number_is_torn(record: Record) -> None:
    text = shown(record)
    assert max(len(line) for line in text.splitlines()) <= 80
    table = [line for line in text.splitlines() if line.startswith(("threads", "processes", "ceiling"))]
    assert all("…" not in line for line in table)


def test_intervals_line_up() -> None:
    lines = [line for line in shown(a_record()).splitlines() if "[" in line and "x [" in line and line[0] != " "]
    assert len({line.index("x [") for line in lines}) == 1


def test_every_claim_has_its_verdict_and_evidence() -> None:
    text = " ".join(shown(a_record(noise=0.0)).split())
    assert "supported processes-scale 2 workers of processes did 1.94x [1.94, 1.94] the work of one" in text


def test_failures_interruption_and_reasons_are_told() -> None:
    record = a_record(failures=(Failure(arm="threads", round=4, reason="it was killed by SIGKILL"),), rounds=7)
    text = " ".join(shown(replace(record, interrupted=True)).split())
    assert "threads in round 5: it was killed by SIGKILL. The other arms went on." in text
    assert "threads-held, processes, ceiling with 2 workers: inconclusive, because too few rounds were played." in text
    assert "Interrupted" in text


def test_quiet_is_one_line_a_claim() -> None:
    lines = shown(a_record(), quiet=True).splitlines()
    assert len(lines) == 8
    assert lines[0].split() == ["supported", "threads-do-not-scale"]


def test_colours_come_only_where_they_are_wanted() -> None:
    assert "\x1b[" in shown(a_record(), colour=True)
    assert "\x1b[" not in shown(a_record())
