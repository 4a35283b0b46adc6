"""``gilstudy claims`` and ``bench --claims all``: the whole table, from a study and from the experiments."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import observing
import pytest
from builders import a_host, a_plan, a_record
from processes import left_in
from rich.console import Console

from gilstudy.commands import studying
from gilstudy.concluding.claims import TEXTS
from gilstudy.concluding.findings import conclude
from gilstudy.errors import BadInput
from gilstudy.experimenting import conduct
from gilstudy.measuring import conductor
from gilstudy.measuring.observations import Deadlock, Observations, Sharing, Stuck, Trouble
from gilstudy.measuring.record import Record
from gilstudy.report.claims import print_table
from gilstudy.report.study import load, save
from gilstudy.report.terminal import print_study

PYTHON = [sys.executable, "-m"]
STUCK = (Stuck("A", "one", "two"), Stuck("B", "two", "one"))
SEEN = Observations(
    label="3.11",
    switching=observing.switching(),
    updates=observing.updates(),
    costs=observing.costs(),
    deadlock=Deadlock(cycle=STUCK, opposite_ending="deadlock", same_ending="ended"),
    sharing=Sharing(added=8, in_thread=8, after_thread=8, in_process=8, after_process=0),
)


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "COLUMNS": "80"}
    return subprocess.run(
        [*PYTHON, *arguments], cwd=cwd, env=variables, capture_output=True, text=True, timeout=300, check=False
    )


def table(record: Record) -> list[str]:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    print_table(console, record, conclude(record))
    lines: list[str] = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    return [line for line in lines[1:] if line and not line.startswith(" ")]


def test_every_claim_has_its_row_in_the_order_of_the_text() -> None:
    rows = table(replace(a_record(), observations=SEEN))
    assert [row[14:] for row in rows] == list(TEXTS)
    assert not any(row.startswith("not measured") for row in rows)


def test_a_claim_without_a_verdict_is_listed_as_not_measured() -> None:
    rows = table(a_record())
    assert [row[14:] for row in rows] == list(TEXTS)
    assert [row[14:] for row in rows if row.startswith("not measured")] == list(TEXTS)[8:]


def test_a_saved_study_is_shown_and_nothing_is_measured(tmp_path: Path) -> None:
    record = replace(a_record(), observations=SEEN)
    save(tmp_path / "study.json", record, conclude(record))
    done = run("gilstudy", "claims", "--study", "study.json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in TEXTS)


def test_a_file_that_is_no_study_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    done = run("gilstudy", "claims", "--study", "x.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "damaged or cut short" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_all_claims_are_measured_saved_and_concluded_again(tmp_path: Path) -> None:
    done = run("gilstudy.bench", "--claims", "all", "--budget", "3", "--json", "study.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    given = json.loads((tmp_path / "study.json").read_text())
    assert [claim["id"] for claim in given["findings"]["claims"]] == list(TEXTS)
    assert [claim.evidence for claim in conclude(load(tmp_path / "study.json")).claims] == [
        claim["evidence"] for claim in given["findings"]["claims"]
    ]
    assert set(TEXTS) <= set(done.stdout.split())
    assert left_in(tmp_path) == []


@pytest.fixture
def no_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conductor, "run_study", lambda *args, **more: a_record())


def measured() -> Record:
    return studying.measure(a_plan(), a_host(), Console(file=io.StringIO()), experiments=True)


@pytest.mark.usefixtures("no_study")
def test_an_interrupted_experiment_keeps_what_was_observed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def observing_until_ctrl_c(**more: object) -> Iterator[Observations]:
        yield Observations(label="3.11", switching=observing.switching())
        raise KeyboardInterrupt

    monkeypatch.setattr(conduct, "observing", observing_until_ctrl_c)
    record = measured()
    assert record.interrupted
    assert record.observations is not None
    assert record.observations.switching == observing.switching()
    assert studying.exit_code(record) == 130


@pytest.mark.usefixtures("no_study")
def test_what_was_measured_is_saved_before_anything_is_concluded(monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[Record] = []

    def observing_until_ctrl_c(**more: object) -> Iterator[Observations]:
        assert [record.observations for record in saved] == [None]
        yield Observations(label="3.11", switching=observing.switching())
        assert len(saved) == 2
        raise KeyboardInterrupt

    monkeypatch.setattr(conduct, "observing", observing_until_ctrl_c)
    progress = Console(file=io.StringIO())
    record = studying.measure(a_plan(), a_host(), progress, experiments=True, save=saved.append)
    assert saved[-1] is record
    assert record.interrupted


@pytest.fixture
def ctrl_c_while_concluding(monkeypatch: pytest.MonkeyPatch) -> None:
    def conclude(record: Record) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gilstudy.concluding.findings.conclude", conclude)


@pytest.mark.usefixtures("ctrl_c_while_concluding")
def test_ctrl_c_while_it_is_concluded_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    studying.saver(path)(a_record())
    with pytest.raises(KeyboardInterrupt, match=f"saved in {path}"):
        studying.finish(a_record(), path, lambda *args: pytest.fail("there is nothing to show"))
    assert load(path) == a_record()
    assert json.loads(path.read_text())["findings"] is None


@pytest.mark.usefixtures("ctrl_c_while_concluding")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs")
def test_a_pipe_gets_one_document_even_then(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "fifo").read_text()), daemon=True)
    reader.start()
    studying.saver(tmp_path / "fifo")(a_record())
    with pytest.raises(KeyboardInterrupt):
        studying.finish(a_record(), tmp_path / "fifo", lambda *args: None)
    reader.join(60)
    assert [json.loads(text)["findings"] for text in got] == [None]


def test_what_cannot_be_saved_is_shown_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gone" / "study.json"
    studying.saver(path)(a_record())  # says nothing: it is told in the end
    with pytest.raises(BadInput, match="cannot write"):
        studying.finish(a_record(), path, print_study)
    assert "threads-do-not-scale" in capsys.readouterr().out


@pytest.mark.usefixtures("no_study")
def test_an_experiment_that_fails_is_reported_and_the_others_count(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = Trouble(experiment="costs", reason="it was killed")
    seen = replace(SEEN, costs=None, troubles=(trouble,))
    monkeypatch.setattr(conduct, "observing", lambda **more: iter([seen]))
    record = measured()
    found = {claim.id: claim for claim in conclude(record).claims}
    assert (found["lock-serialises"].verdict, found["lock-prevents-lost-updates"].verdict) == (
        "inconclusive",
        "supported",
    )
    assert "it was killed" in found["lock-serialises"].evidence
    assert studying.exit_code(record) == 1
