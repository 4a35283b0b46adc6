"""What older gilstudies saved is read as it was meant, and concluded from as it was then."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from builders import OF_SCHEMA_1

from gilstudy.codec import decode, encode
from gilstudy.concluding.findings import conclude
from gilstudy.measuring.arm import Arm, Case
from gilstudy.measuring.record import SCHEMA, Record, Unavailable
from gilstudy.measuring.upgrade import upgrade
from gilstudy.report.document import finite
from gilstudy.report.study import load

GIVEN = json.loads(OF_SCHEMA_1.read_text())


def test_what_was_concluded_then_is_concluded_now() -> None:
    findings = finite(encode(conclude(load(OF_SCHEMA_1))))
    assert findings["arms"] == GIVEN["findings"]["arms"]
    assert findings["claims"] == GIVEN["findings"]["claims"]
    assert findings["cautions"] == GIVEN["record"]["cautions"]


def test_arms_become_their_parts_and_keep_their_names() -> None:
    record = load(OF_SCHEMA_1)
    assert [arm.name for arm in record.plan.arms] == [arm["name"] for arm in GIVEN["record"]["plan"]["arms"]]
    assert [arm.baseline.name for arm in record.plan.arms] == [
        arm["baseline"] for arm in GIVEN["record"]["plan"]["arms"]
    ]
    assert {(batch.kernel, batch.runtime) for batch in record.batches} == {("python", ""), ("nogil", "")}


def test_start_methods_become_options_and_cases_are_those_that_were_timed() -> None:
    given = copy.deepcopy(GIVEN["record"])
    spawn = {"name": "processes[spawn]", "kernel": "python", "mode": "processes", "baseline": "single"}
    given["plan"]["arms"].append({**spawn, "start_method": "spawn"})
    given["plan"]["workers"] = [1, 2, 4]
    cases = decode(Record, upgrade(given, 1)).plan.cases
    arm = Arm(mode="processes", option="spawn")
    assert [case for case in cases if case.arm == arm] == [Case(arm=arm, workers=count) for count in (1, 2, 4)]
    assert [case.workers for case in cases if case.arm.is_ceiling] == [1, 2, 4]
    assert [case.workers for case in cases if case.arm.name == "single"] == [1]


def test_what_was_lost_before_the_first_round_is_unavailable() -> None:
    given = copy.deepcopy(GIVEN["record"])
    given["failures"] = [
        {"arm": "processes", "round": -1, "reason": "it hung"},
        {"arm": "threads", "round": 3, "reason": "it was killed by SIGKILL"},
    ]
    record = decode(Record, upgrade(given, 1))
    assert record.unavailable == (Unavailable(arm="processes", reason="it hung"),)
    assert [(failure.arm, failure.round) for failure in record.failures] == [("threads", 3)]


@pytest.mark.parametrize("value", [None, {}, [1], encode(load(OF_SCHEMA_1))])
def test_a_record_of_today_comes_back_as_it_is_and_nothing_is_changed_in_place(value: Any) -> None:
    before = copy.deepcopy(value)
    assert upgrade(value, SCHEMA) is value
    upgrade(GIVEN["record"], 1)
    assert value == before
    assert json.loads(OF_SCHEMA_1.read_text()) == GIVEN
