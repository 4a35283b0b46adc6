"""What a reader sees: aligned, within 80 columns, in colour only where it is wanted, and everything that matters."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from builders import SPEEDUPS, a_host, a_record
from rich.console import Console

from gilstudy.concluding.findings import conclude
from gilstudy.measuring.record import Failure, Record, Span, Trial
from gilstudy.report.claims import print_table
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


def test_a_ratio_without_an_interval_and_a_gain_that_cannot_be_are_blank() -> None:
    (few,) = [line for line in shown(a_record(rounds=3)).splitlines() if line.startswith("processes")]
    assert few.split() == ["processes", "2", "1.94", "inconclusive"]
    odd = shown(a_record({**SPEEDUPS, "ceiling": 1.4, "threads": 0.6}, noise=0.0)).splitlines()
    (processes,) = [line.split() for line in odd if line.startswith("processes")]
    (threads,) = [line.split() for line in odd if line.startswith("threads ")]
    assert processes == ["processes", "2", "1.94x", "[1.94,", "1.94]", "1.94", "inconclusive"]
    assert threads == ["threads", "2", "0.60x", "[0.60,", "0.60]", "0.60", "does", "not", "scale"]


def test_a_reason_that_claims_share_is_told_once() -> None:
    text = shown(a_record(host=a_host(cpus=1)))
    assert text.count("This process has one CPU to run on.") == 1
    assert text.count("untestable") == 8
    table = told_claims(a_record(host=a_host(cpus=1)))
    assert table.count("This process has one CPU to run on.") == 1
    assert table.count("As above.") == 6


def test_the_rounds_that_a_figure_is_of_are_named() -> None:
    record = a_record(cores={**SPEEDUPS, "threads-nogil": 1.99, "processes": 1.99, "ceiling": 1.99}, noise=0.0)
    assert "had their CPUs alone" not in shown(record)
    hurt = [disturbed(trial) if trial.round < 5 and trial.workers == 2 else trial for trial in record.trials]
    text = shown(replace(record, trials=tuple(hurt)))
    assert "had their CPUs alone" in " ".join(text.split())
    assert "processes 15 of 20" in " ".join(text.split())


def disturbed(trial: Trial) -> Trial:
    """The same trial beside other work: CPU time is missing."""
    spans = [replace_cpu(span, span.close.cpu_ns // 2) for span in trial.spans]
    return replace(trial, spans=tuple(spans))


def replace_cpu(span: Span, cpu_ns: int) -> Span:
    return span._replace(close=span.close._replace(cpu_ns=cpu_ns))


def told_claims(record: Record) -> str:
    out = io.StringIO()
    print_table(Console(file=out, width=80, highlight=False, no_color=True), record, conclude(record))
    return out.getvalue()


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
