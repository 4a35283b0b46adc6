"""Brings the record of a study that an older gilstudy saved up to today's schema. Pure: plain values in and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gilstudy.codec import Malformed
from gilstudy.measuring.record import SCHEMA

Plain = dict[str, Any]
"""An object of a JSON document."""

MOST_ARMS: Final = 1000
"""More arms than anybody asked for: the cases of a plan are arms times worker counts."""


def upgrade(record: Any, schema: int) -> Any:
    """``record``, from a document of this schema, as this version would have saved it.

    What is wrong with a value that is taken over as it is, whoever decodes the record will say.

    Raises:
        Malformed: it is not what records of its schema are.
    """
    for older in range(schema, SCHEMA):
        try:
            record = _STEPS[older](record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, Malformed):
                raise
            raise Malformed(f"it is not a record of schema {older}") from None
    return record


def _from_1(record: Plain) -> Plain:
    plan = dict(record["plan"])
    arms = [_arm_of_1(arm) for arm in plan.pop("arms")]
    if len(arms) > MOST_ARMS:
        raise Malformed(f"its plan has more than {MOST_ARMS} arms")
    counts = list(dict.fromkeys(plan["workers"]))
    if not all(isinstance(count, int) and 1 <= count <= 512 for count in counts):
        raise Malformed("its plan has worker counts that are not whole numbers from 1 to 512")
    cases = [{"arm": arm, "workers": count} for arm in arms for count in _counts_of_1(arm, counts)]
    batches = [
        {**lap, "kernel": _KERNELS_OF_1.get(lap["kernel"], lap["kernel"]), "runtime": ""} for lap in record["laps"]
    ]
    early = [failure for failure in record["failures"] if failure["round"] == -1]
    changed = {
        "plan": {**plan, "cases": cases},
        "batches": batches,
        "trials": [_without(trial, "lap") | {"batch": trial["lap"]} for trial in record["trials"]],
        "unavailable": [{"arm": failure["arm"], "reason": failure["reason"]} for failure in early],
        "failures": [failure for failure in record["failures"] if failure["round"] != -1],
    }
    return _without(record, "cautions", "laps") | changed


def _without(given: Plain, *names: str) -> Plain:
    return {name: value for name, value in given.items() if name not in names}


_KERNELS_OF_1: Final = {"native": "nogil"}


def _arm_of_1(arm: Plain) -> Plain:
    if arm["mode"] == "native":
        return {"mode": "ceiling", "kernel": "", "option": "", "runtime": ""}
    kernel = "" if arm["kernel"] == "python" else arm["kernel"]
    return {"mode": arm["mode"], "kernel": kernel, "option": arm["start_method"], "runtime": ""}


def _counts_of_1(arm: Plain, counts: list[int]) -> list[int]:
    """At which worker counts schema 1 timed an arm: it did not say so itself."""
    if arm["mode"] == "single":
        return [1]
    return list(dict.fromkeys([1, *counts])) if arm["mode"] == "ceiling" else counts


_STEPS: Final[dict[int, Callable[[Plain], Plain]]] = {1: _from_1}
"""From each schema to the next."""
