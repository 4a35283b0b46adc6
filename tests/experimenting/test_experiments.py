"""The experiments on switching, shared variables and locks: their verdicts, and what they see for real."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from interpreters import Interpreter, run
from observing import costs, switching, updates

from gilstudy.codec import decode, encode
from gilstudy.concluding.claims.experiments import CLAIMS_OF, judge_experiments
from gilstudy.experimenting import conduct
from gilstudy.experimenting.conduct import observe
from gilstudy.experimenting.switching import bytecodes_per_pass, take_turns
from gilstudy.measuring.observations import Deadlock, Observations, Sharing, Stuck, Switching, Trouble

LABEL = "3.13"
CYCLE = (Stuck("forth", "lock_a", "lock_b"), Stuck("back", "lock_b", "lock_a"))
DEADLOCK = Deadlock(cycle=CYCLE, opposite_ending="deadlock", same_ending="ended")
SHARING = Sharing(added=8, in_thread=8, after_thread=8, in_process=8, after_process=0)


def verdicts(seen: Observations) -> dict[str, str]:
    return {claim.id: claim.verdict for claim in judge_experiments(seen)}


def only(seen: Switching) -> Switching:
    """The last spell alone."""
    return replace(seen, spells=seen.spells[-1:])


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (switching(), "refuted"),
        (switching(unwatched="not available, because x"), "refuted"),
        (switching(passes=50), "inconclusive"),  # 100 bytecodes at one switch interval, 500 at another
        (switching(turns=6), "inconclusive"),
        (switching(gil=False), "untestable"),
        (switching(gil=None), "refuted"),
        (only(switching(passes=10)), "supported"),
        (only(switching(passes=21)), "refuted"),
        (only(switching(passes=19)), "inconclusive"),
    ],
)
def test_the_length_of_a_hold_decides_on_a_hundred_bytecodes(seen: Switching, verdict: str) -> None:
    assert verdicts(Observations(label=LABEL, switching=seen)) == {"switch-every-100-bytecodes": verdict}


def test_a_busy_host_that_shortens_a_few_turns_does_not_change_the_verdict() -> None:
    seen = only(switching(turns=40))
    (spell,) = seen.spells
    short = tuple(turn._replace(passes=1) if at % 8 == 0 else turn for at, turn in enumerate(spell.turns))
    shortened = replace(seen, spells=(replace(spell, turns=short),))
    assert verdicts(Observations(label=LABEL, switching=shortened)) == {"switch-every-100-bytecodes": "refuted"}


def test_holds_are_told_at_each_switch_interval_and_how_they_were_measured() -> None:
    (watched,) = judge_experiments(Observations(label=LABEL, switching=switching()))
    assert "as the GIL itself shows, for 1.00 [1.00, 1.00] ms or 200," in watched.evidence
    assert "bytecodes at a switch interval of 1 ms; 5.00 [5.00, 5.00] ms or 1,000," in watched.evidence
    (unwatched,) = judge_experiments(Observations(label=LABEL, switching=switching(unwatched="not available")))
    assert "by the threads' own clocks, for 1.00 [1.00, 1.00] ms" in unwatched.evidence


@pytest.mark.parametrize(
    ("lost", "unlocked", "locked"),
    [
        ({}, "supported", "supported"),
        ({"written": 3, "split": 9}, "supported", "supported"),
        ({"split": 0}, "inconclusive", "inconclusive"),
        ({"split": 0, "written": 1}, "supported", "inconclusive"),
        ({"locked": 1}, "supported", "refuted"),
    ],
)
def test_one_lost_update_is_proof(lost: dict[str, Any], unlocked: str, locked: str) -> None:
    found = verdicts(Observations(label=LABEL, updates=updates(**lost)))
    assert found == {"lost-updates-without-lock": unlocked, "lock-prevents-lost-updates": locked}


def test_lost_updates_are_told_per_million() -> None:
    (claim, _) = judge_experiments(Observations(label=LABEL, updates=updates(written=2, split=50)))
    assert "at least 10 per million in 2 threads and 0 of 200,000 in 16 threads" in claim.evidence
    assert "250 per million in 2 threads" in claim.evidence


@pytest.mark.parametrize(
    ("two", "four", "gil", "verdict"),
    [
        (410, 420, True, "supported"),
        (900, 1500, False, "supported"),
        (200, 420, False, "refuted"),
        (200, 420, True, "inconclusive"),  # it cannot be so: the one thread was kept off its CPU
        (300, 400, False, "inconclusive"),
    ],
)
def test_a_locked_section_is_serial_if_threads_gain_nothing(two: int, four: int, gil: bool, verdict: str) -> None:
    seen = Observations(label=LABEL, costs=costs(two=two, four=four, gil=gil))
    assert verdicts(seen) == {"lock-serialises": verdict}


def test_too_few_rounds_decide_nothing() -> None:
    assert verdicts(Observations(label=LABEL, costs=costs(rounds=3))) == {"lock-serialises": "inconclusive"}


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (DEADLOCK, "supported"),
        (replace(DEADLOCK, same_ending="timeout"), "inconclusive"),
        (Deadlock(cycle=(), opposite_ending="ended", same_ending="ended"), "refuted"),
        (Deadlock(cycle=(), opposite_ending="timeout", same_ending="ended"), "inconclusive"),
        (Deadlock(cycle=(), opposite_ending="failed", same_ending="ended"), "inconclusive"),
    ],
)
def test_a_deadlock_needs_a_cycle(seen: Deadlock, verdict: str) -> None:
    assert verdicts(Observations(label=LABEL, deadlock=seen)) == {"lock-order-deadlocks": verdict}


@pytest.mark.parametrize("wrong", ["in_thread", "after_thread", "in_process", "after_process"])
def test_sharing_takes_all_four_values(wrong: str) -> None:
    assert verdicts(Observations(label=LABEL, sharing=SHARING)) == {"threads-share-processes-copy": "supported"}
    other = replace(SHARING, **{wrong: 5})
    assert verdicts(Observations(label=LABEL, sharing=other)) == {"threads-share-processes-copy": "refuted"}


def test_an_experiment_that_failed_leaves_its_claims_inconclusive() -> None:
    for name, claims in CLAIMS_OF.items():
        seen = Observations(label=LABEL, troubles=(Trouble(experiment=name, reason="it hung"),))
        assert verdicts(seen) == dict.fromkeys(claims, "inconclusive")


def test_verdicts_can_be_computed_again_from_what_was_saved() -> None:
    seen = Observations(
        label=LABEL,
        switching=switching(),
        updates=updates(),
        costs=costs(),
        deadlock=DEADLOCK,
        sharing=SHARING,
        troubles=(Trouble(experiment="layers", reason="it hung"),),
    )
    saved = json.loads(json.dumps(encode(seen)))
    assert judge_experiments(decode(Observations, saved)) == judge_experiments(seen)
    assert set(verdicts(seen)) == {claim for claims in CLAIMS_OF.values() for claim in claims}


# -- for real --------------------------------------------------------------------------------------------------------


def test_the_instructions_of_the_innermost_loop_are_counted() -> None:
    def nested(place: list[int]) -> None:
        while place:
            print(place, place, place, place)
            while place[0]:
                pass

    inner, turns = bytecodes_per_pass(nested), bytecodes_per_pass(take_turns)
    assert 3 <= inner < turns <= 20


def test_an_experiment_that_cannot_be_done_is_a_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conduct, "MEASURED", {"nothing": Switching})
    (trouble,) = observe(["nothing"]).troubles
    assert trouble.experiment == "nothing"
    assert "No module named" in trouble.reason


def test_an_experiment_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conduct, "LIMIT_S", 0.01)
    (trouble,) = observe(["costs"]).troubles
    assert "was ended" in trouble.reason


OBSERVE = """
import json
from gilstudy.codec import encode
from gilstudy.experimenting.conduct import ALL, observe
from gilstudy.concluding.claims.experiments import judge_experiments
seen = observe(ALL)
print(json.dumps({"gil": seen.updates.gil, "claims": {claim.id: claim.verdict for claim in judge_experiments(seen)},
                  "lost": {f"{each.variant} {each.threads}": sum(each.lost) for each in seen.updates.variants}}))
"""


def test_verdicts_under_every_interpreter(built: tuple[Interpreter, object]) -> None:
    interpreter, path = built
    found = json.loads(run(interpreter, path, OBSERVE))  # type: ignore[arg-type]
    free = interpreter.version.endswith("t")
    assert found["gil"] is not free
    assert found["claims"].pop("lock-serialises") in (
        "supported",
        "inconclusive",
    )  # it is timed: a busy host may tell nothing
    assert found["claims"].pop("switch-every-100-bytecodes") in (
        ("untestable",) if free else ("refuted", "inconclusive")
    )
    assert set(found["claims"].values()) == {"supported"}, found
    # Since 3.10 an interpreter with a GIL switches at calls and backward jumps only, and the text's lines have no call.
    written = [found["lost"][f"as_written {threads}"] for threads in (2, 16)]
    assert any(written) if free else not any(written)
    assert [found["lost"][f"locked {threads}"] for threads in (2, 16)] == [0, 0]


def test_joined_observations_keep_what_either_saw() -> None:
    parts = [
        Observations(label=LABEL, switching=switching()),
        Observations(label=LABEL, sharing=SHARING, troubles=(Trouble(experiment="costs", reason="x"),)),
    ]
    for first, second in itertools.permutations(parts):
        both = first.joined(second)
        assert (both.switching, both.sharing, len(both.troubles)) == (switching(), SHARING, 1)
