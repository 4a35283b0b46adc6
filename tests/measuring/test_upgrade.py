"""What older gilstudies saved is read as it was meant, and concluded from by today's rules."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from builders import OF_SCHEMA_1, OF_SCHEMA_2

from gilstudy._version import __version__
from gilstudy.codec import decode, encode
from gilstudy.concluding.findings import conclude
from gilstudy.measuring.arm import Arm, Case
from gilstudy.measuring.record import SCHEMA, Record, Unavailable
from gilstudy.measuring.upgrade import upgrade
from gilstudy.report.document import as_json, finite
from gilstudy.report.study import document, load

GIVEN = json.loads(OF_SCHEMA_1.read_text())


def alike(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same, but for what a sum or a logarithm may differ by between two Pythons."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == pytest.approx(other, rel=1e-9)) if isinstance(one, float) else bool(one == other)


def test_what_was_concluded_then_is_not_contradicted_now() -> None:
    # Intervals are others since, and fewer verdicts are given for twenty rounds beside other work: none is reversed.
    findings = finite(encode(conclude(load(OF_SCHEMA_1))))
    for now, then in zip(findings["arms"], GIVEN["findings"]["arms"], strict=True):
        assert (now["arm"], now["workers"], now["rounds"]) == (then["arm"], then["workers"], then["rounds"])
        assert points(now["all_rounds"], "speedup", "gain") == pytest.approx(points(then, "speedup", "gain"))
        assert points(now, "rate", "cores_used") == pytest.approx(points(then, "rate", "cores_used"))
        assert now["verdict"] in (then["verdict"], "inconclusive")
    for now, then in zip(findings["claims"], GIVEN["findings"]["claims"], strict=True):
        assert now["id"] == then["id"]
        assert now["verdict"] in (then["verdict"], "inconclusive", "untestable")
    assert findings["cautions"] == GIVEN["record"]["cautions"]


def points(findings: Any, *names: str) -> list[float]:
    return [findings[name]["point"] for name in names if findings[name]]


def test_arms_become_their_parts_and_keep_their_names() -> None:
    record = load(OF_SCHEMA_1)
    assert [arm.name for arm in record.plan.arms] == [arm["name"] for arm in GIVEN["record"]["plan"]["arms"]]
    assert [arm.baseline.name for arm in record.plan.arms] == [
        arm["baseline"] for arm in GIVEN["record"]["plan"]["arms"]
    ]
    assert {(batch.kernel, batch.runtime) for batch in record.batches} == {("python", ""), ("nogil", "")}


def test_start_methods_become_options_and_cases_are_those_that_were_timed() -> None:
    old = copy.deepcopy(GIVEN)
    given = old["record"]
    spawn = {"name": "processes[spawn]", "kernel": "python", "mode": "processes", "baseline": "single"}
    given["plan"]["arms"].append({**spawn, "start_method": "spawn"})
    given["plan"]["workers"] = [1, 2, 4]
    cases = decode(Record, upgrade(old)["record"]).plan.cases
    arm = Arm(mode="processes", option="spawn")
    assert [case for case in cases if case.arm == arm] == [Case(arm=arm, workers=count) for count in (1, 2, 4)]
    assert [case.workers for case in cases if case.arm.is_ceiling] == [1, 2, 4]
    assert [case.workers for case in cases if case.arm.name == "single"] == [1]


def test_what_was_lost_before_the_first_round_is_unavailable() -> None:
    old = copy.deepcopy(GIVEN)
    old["record"]["failures"] = [
        {"arm": "processes", "round": -1, "reason": "it hung"},
        {"arm": "threads", "round": 3, "reason": "it was killed by SIGKILL"},
    ]
    record = decode(Record, upgrade(old)["record"])
    assert record.unavailable == (Unavailable(arm="processes", reason="it hung"),)
    assert [(failure.arm, failure.round) for failure in record.failures] == [("threads", 3)]


def test_the_document_is_what_would_be_saved_today_and_the_old_one_is_left_as_it_is() -> None:
    record = load(OF_SCHEMA_1)
    upgraded = upgrade(GIVEN)
    today = json.loads(as_json(document(record, conclude(record))))
    assert alike(upgraded["record"], today["record"])
    assert (upgraded["schema"], upgraded.keys()) == (today["schema"], today.keys())
    assert upgraded["findings"] == {**GIVEN["findings"], "cautions": GIVEN["record"]["cautions"]}  # as was found then
    assert json.loads(OF_SCHEMA_1.read_text()) == GIVEN
    assert upgrade(upgraded) is upgraded


def test_what_this_version_saved_is_read_as_it_is_and_concluded_from_as_it_was() -> None:
    given = json.loads(OF_SCHEMA_2.read_text())
    record = load(OF_SCHEMA_2)
    assert given["schema"] == SCHEMA
    assert alike(json.loads(as_json(document(record, conclude(record)))), given | {"gilstudy": __version__})
    assert set(record.lost) == {"single-held", "processes"}
