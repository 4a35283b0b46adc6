"""A study is read back whole, and a file that is no study gets one clear line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import OF_SCHEMA_1, a_record
from properties import given, settings, st

from gilstudy.concluding.findings import conclude
from gilstudy.errors import BadInput
from gilstudy.measuring.record import SCHEMA
from gilstudy.report.study import document, load, save

RECORD = a_record(rounds=9)
FINDINGS = conclude(RECORD)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save(tmp_path / "study.json", RECORD, FINDINGS)
    return tmp_path / "study.json"


def test_a_saved_study_is_read_back_whole(saved: Path) -> None:
    assert load(saved) == RECORD
    assert conclude(load(saved)) == FINDINGS


def test_the_document_keeps_the_public_contract(saved: Path) -> None:
    given = json.loads(saved.read_text())
    assert given["schema"] == SCHEMA == 2
    assert {"schema", "gilstudy", "record", "findings"} == set(given)
    assert {"trials", "host", "runtimes", "plan"} <= set(given["record"])
    assert {"arms", "claims", "cautions"} == set(given["findings"])
    (threads,) = [arm for arm in given["findings"]["arms"] if arm["arm"] == "threads"]
    assert threads["workers"] == 2
    assert {"point", "low", "high", "level"} <= set(threads["speedup"])
    assert {"point", "low", "high", "level"} <= set(threads["gain"])
    assert {"point", "low", "high", "level"} <= set(threads["cores_used"])
    assert threads["speedup"]["level"] == 0.95
    assert threads["verdict"] == "does-not-scale"
    assert {claim["id"]: claim["verdict"] for claim in given["findings"]["claims"]}["processes-scale"] == "supported"


def test_bounds_that_are_not_finite_are_null_in_the_file(tmp_path: Path) -> None:
    few = a_record(rounds=2)
    save(tmp_path / "few.json", few, conclude(few))
    text = (tmp_path / "few.json").read_text()
    assert '"high":null' in text


CASES = document(RECORD, None)["record"]["plan"]["cases"]
CEILING = {"name": "ceiling", "kernel": "native", "mode": "native", "baseline": "ceiling", "start_method": ""}


def broken(**changes: Any) -> str:
    return _changed(document(RECORD, FINDINGS), changes)


def old(**changes: Any) -> str:
    """A document of schema 1, with changes."""
    return _changed(json.loads(OF_SCHEMA_1.read_text()), changes)


def _changed(given: Any, changes: dict[str, Any]) -> str:
    for path, value in changes.items():
        *parents, last = path.split("__")
        target: Any = given
        for parent in parents:
            target = target[int(parent) if parent.isdecimal() else parent]
        target[last] = value
    return json.dumps(given)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "damaged or cut short"),
        ("not json", "damaged or cut short"),
        ("[" * 100_000, "nests values too deeply"),
        ("[1, 2]", "is not a study of gilstudy"),
        ('{"benchmarks": []}', "is not a study of gilstudy"),
        (broken(schema=3), "upgrade gilstudy"),
        (broken(schema="one"), "its schema is 'one'"),
        (broken(schema=True), "its schema is True"),
        (broken(record=None), "is damaged: Record should be dict"),
        (broken(record__plan__level=1.5), "Record.plan.level should be from 0.5 to 0.999, not 1.5"),
        (broken(record__plan__workers=[]), "there are worker counts"),
        (broken(record__plan__cases=[]), "the plan has one ceiling"),
        (broken(record__host__usable_cpus=[]), "the host has CPUs"),
        (broken(record__trials=[1]), r"Record.trials\[0\] should be dict"),
        (broken(record__plan__looks=10**18), "Record.plan.looks should be from 1 to 1,000"),
        (broken(record__elapsed_s=10**400), "Record.elapsed_s should be from"),
        (broken(record__elapsed_s=float("nan")), "Record.elapsed_s should be from 0 to"),
        (broken(record__elapsed_s=float("inf")), "Record.elapsed_s should be from 0 to"),
        (broken(record__cautions=[]), "Record has an unknown cautions"),
        (broken(record__plan__cases__0__arm__mode=[[1] * 3]), "arm.mode should be str, not list"),
        (broken(record__plan__cases__0__arm__mode="threads-nogil"), "every arm has the name of its parts"),
        (broken(record__plan__cases__0__arm__option="\u001b]x"), "every arm has the name of its parts"),
        (broken(record__plan__cases__0__arm__kernel="omp"), "every baseline is an arm"),
        (broken(record__plan__cases__0__workers=513), r"cases\[0\].workers should be from 1 to 512"),
        (broken(record__plan__cases=CASES * 2), "every case is there once"),
        (broken(record__plan__cases=CASES[1:]), "every baseline is an arm"),
        (broken(record__trials__0__workers=3), "every trial is of a case of the plan"),
        (broken(record__unavailable=[{"arm": "omp", "reason": ""}]), "every arm that was lost is one of the plan's"),
        (broken(record__failures=[{"arm": "single", "round": -1, "reason": ""}]), "round should be from 0 to"),
        (broken(schema=1), "is damaged: it is not a record of schema 1"),
        (old(record=None), "is damaged: it is not a record of schema 1"),
        (old(record__plan__arms__0__mode="threads"), "every case is there once"),
        (old(record__plan__arms=[{}] * 2), "it is not a record of schema 1"),
        (old(record__plan__arms=[CEILING] * 1001), "its plan has more than 1000 arms"),
        (old(record__plan__workers=[10**400]), "whole numbers from 1 to 512"),
        (old(record__plan__workers=[[]]), "it is not a record of schema 1"),
        (old(record__plan__level=1.5), "Record.plan.level should be from 0.5 to 0.999, not 1.5"),
        (old(record__laps=[{}]), "it is not a record of schema 1"),
        ('{"gilstudy": 1, "schema": ' + "9" * 5000 + "}", "damaged or cut short"),
        (broken(gilstudy="\x1b[31m" * 1000, schema=9**999), "was written by"),
    ],
)
def test_what_is_no_study_gets_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "given.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=says) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@settings(max_examples=60)
@given(st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, share: float) -> None:
    text = json.dumps(document(RECORD, FINDINGS))
    path = tmp_path / "cut.json"
    path.write_text(text[: int(share * len(text))])
    with pytest.raises(BadInput):
        load(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        load(tmp_path / "none.json")
    with pytest.raises(BadInput, match="cannot read"):
        load(tmp_path)


def test_binary_rubbish_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)))
    with pytest.raises(BadInput, match="damaged"):
        load(tmp_path / "x")
