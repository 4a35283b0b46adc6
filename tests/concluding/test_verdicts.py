"""Verdicts on arms and claims, on records whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import SPEEDUPS, a_host, a_record, a_runtime

from gilstudy.concluding.claims import Claim
from gilstudy.concluding.findings import conclude, is_enough
from gilstudy.concluding.ratios import estimate
from gilstudy.concluding.verdicts import is_meaningful, judge_arms
from gilstudy.measuring.record import Failure, Record
from gilstudy.stats import Estimate

FREE = {**SPEEDUPS, "threads": 1.93, "threads-held": 1.96}
"""The truth on a free-threaded build."""


def claims_of(record: Record) -> dict[str, Claim]:
    return {claim.id: claim for claim in conclude(record).claims}


def verdicts_of(record: Record) -> dict[str, str]:
    return {name: claim.verdict for name, claim in claims_of(record).items()}


def arms_of(record: Record, workers: int = 2) -> dict[str, str]:
    return {finding.arm: finding.verdict for finding in conclude(record).arms if finding.workers == workers}


def open_claims(record: Record) -> set[str]:
    """The verdicts on all claims but the one that no study under a GIL can test."""
    return {verdict for name, verdict in verdicts_of(record).items() if name != "needs-gil-free-interpreter"}


def test_a_quiet_host_with_a_gil() -> None:
    record = a_record()
    assert arms_of(record) == {
        "threads": "does-not-scale",
        "threads-nogil": "scales",
        "threads-held": "does-not-scale",
        "processes": "scales",
        "ceiling": "scales",
    }
    assert verdicts_of(record) == {
        "threads-do-not-scale": "supported",
        "threads-slower-than-serial": "refuted",
        "threads-use-one-core": "supported",
        "c-extension-scales": "supported",
        "c-must-release-the-gil": "supported",
        "processes-scale": "supported",
        "only-c-or-processes": "supported",
        "needs-gil-free-interpreter": "untestable",
    }
    assert is_enough(record)


def test_a_free_threaded_build_refutes_what_rests_on_the_gil() -> None:
    found = claims_of(a_record(FREE))
    assert found["threads-do-not-scale"].verdict == "refuted"
    assert found["threads-use-one-core"].verdict == "refuted"
    assert found["c-must-release-the-gil"].verdict == "refuted"
    assert found["only-c-or-processes"].verdict == "refuted"
    assert found["only-c-or-processes"].counterexample == "threads"
    assert found["c-extension-scales"].verdict == "supported"
    assert found["processes-scale"].verdict == "supported"


@pytest.mark.parametrize(
    ("threads", "gil", "verdict"),
    [
        (1.0, True, "untestable"),
        (1.9, True, "refuted"),
        (1.9, False, "supported"),
        (1.0, False, "inconclusive"),
    ],
)
def test_only_what_threads_do_without_a_gil_shows_whether_its_absence_is_needed(
    threads: float, gil: bool, verdict: str
) -> None:
    record = a_record({**SPEEDUPS, "threads": threads})
    record = replace(record, trials=tuple(replace(trial, gil=gil) for trial in record.trials))
    assert verdicts_of(record)["needs-gil-free-interpreter"] == verdict


def test_where_other_models_exist_and_are_not_timed_the_headline_is_untestable() -> None:
    found = claims_of(a_record(runtime=a_runtime(own_gil_interpreters=True)))
    assert found["only-c-or-processes"].verdict == "untestable"
    assert "subinterpreters" in found["only-c-or-processes"].evidence


def test_threads_at_half_speed_are_slower() -> None:
    assert verdicts_of(a_record({**SPEEDUPS, "threads": 0.5}))["threads-slower-than-serial"] == "supported"


def test_threads_a_few_per_cent_slower_count_as_equal() -> None:
    assert verdicts_of(a_record({**SPEEDUPS, "threads": 0.95}))["threads-slower-than-serial"] == "refuted"


def test_a_slowdown_is_not_put_down_to_python_when_native_threads_suffer_too() -> None:
    # A neighbour eats half of one core: native threads reach 1.5, and a held GIL waits with its descheduled thread.
    disturbed = {"threads": 0.75, "threads-nogil": 1.45, "threads-held": 0.75, "processes": 1.45, "ceiling": 1.5}
    found = claims_of(a_record(disturbed))
    assert found["threads-slower-than-serial"].verdict == "inconclusive"
    assert "native threads too little" in found["threads-slower-than-serial"].evidence
    assert found["threads-do-not-scale"].verdict == "supported"
    assert found["processes-scale"].verdict == "supported"


@pytest.mark.parametrize(
    "host",
    [a_host(cpus=1), a_host(cpus=2, quota=0.5), a_host(cpus=2, quota=1.0), a_host(cpus=4, python_cpu_count=1)],
    ids=["one cpu", "half a cpu", "quota of one", "PYTHON_CPU_COUNT"],
)
@pytest.mark.parametrize("shown", [SPEEDUPS, dict.fromkeys(SPEEDUPS, 1.0), dict.fromkeys(SPEEDUPS, 2.0)])
def test_without_cpus_nothing_is_claimed_whatever_the_ratios_look_like(host: object, shown: dict[str, float]) -> None:
    record = a_record(shown, host=host)  # type: ignore[arg-type]
    assert set(verdicts_of(record).values()) == {"untestable"}
    assert set(arms_of(record).values()) == {"inconclusive"}
    assert all(finding.reason for finding in conclude(record).arms)


def test_a_host_whose_native_threads_do_not_scale_makes_claims_untestable() -> None:
    # They had both CPUs, and were no faster for it.
    shown = {**dict.fromkeys(SPEEDUPS, 1.0), "ceiling": 1.05}
    record = a_record(shown, cores={**shown, "ceiling": 2.0})
    assert set(verdicts_of(record).values()) == {"untestable"}


def test_a_host_full_of_other_work_is_inconclusive_and_says_so_once() -> None:
    shown = {**dict.fromkeys(SPEEDUPS, 0.6), "ceiling": 1.05}
    record = a_record(shown, cores={**dict.fromkeys(SPEEDUPS, 0.6), "ceiling": 1.1})
    found = claims_of(record)
    assert (
        found.pop("needs-gil-free-interpreter").verdict == "untestable"
    )  # no such interpreter took part: whatever the load
    assert {claim.verdict for claim in found.values()} == {"inconclusive"}
    (reason,) = {claim.evidence for claim in found.values()}
    assert reason.startswith("Other work took the CPUs: native threads reached 1.05x")
    assert {finding.reason for finding in conclude(record).arms if finding.workers == 2} == {
        reason[0].lower() + reason[1:-1]
    }


def test_gains_that_cannot_be_are_no_verdict_and_no_figure() -> None:
    # Native threads were held up: twice their gain is not something that an arm can have.
    record = a_record({**SPEEDUPS, "ceiling": 1.4, "processes": 1.95}, cores={**SPEEDUPS, "ceiling": 1.4})
    (processes,) = [finding for finding in conclude(record).arms if finding.arm == "processes"]
    assert processes.gain is not None
    assert processes.gain.point > 1.5
    assert not is_meaningful(processes.gain)
    assert processes.verdict == "inconclusive"
    assert "far above native threads" in processes.reason


@pytest.mark.parametrize(
    ("low", "high", "reason"),
    [
        (0.3, 1.4, "its gain lies between 30 % and 140 %"),
        (0.3, 2.46, "the interval of its gain is too wide to say anything"),
        (-0.8, 0.9, "the interval of its gain is too wide to say anything"),
    ],
)
def test_an_open_gain_is_told_in_figures_only_where_they_can_be(low: float, high: float, reason: str) -> None:
    record = a_record()
    gain = Estimate(point=0.6, low=low, high=high, level=0.95, method="m")
    cases = [replace(case, gain=gain) if case.arm == "processes" else case for case in estimate(record)]
    (processes,) = [finding for finding in judge_arms(record, cases) if finding.arm == "processes"]
    assert (processes.verdict, processes.reason) == ("inconclusive", reason)


def test_a_host_too_unsteady_to_tell_gives_no_verdict() -> None:
    record = a_record(noise=0.6, rounds=12)
    assert set(verdicts_of(record).values()) <= {"inconclusive", "untestable"}
    assert not is_enough(record)


def test_an_arm_between_the_thresholds_is_inconclusive_and_says_where_it_lies() -> None:
    findings = conclude(a_record({**SPEEDUPS, "processes": 1.36}, rounds=40, noise=0.005))
    (processes,) = [finding for finding in findings.arms if finding.arm == "processes"]
    assert processes.verdict == "inconclusive"
    assert "gain lies between" in processes.reason


def test_too_few_rounds_give_no_verdict() -> None:
    record = a_record(rounds=7)
    assert set(arms_of(record).values()) == {"inconclusive"}
    assert open_claims(record) == {"inconclusive"}
    assert set(verdicts_of(a_record(rounds=8)).values()) == {"supported", "refuted", "untestable"}


def test_worker_counts_that_disagree_leave_the_claim_open() -> None:
    record = a_record(workers=(2, 4), host=a_host(cpus=4), speedups={**SPEEDUPS, "ceiling": 3.9, "processes": 2.9})
    # At two workers 2.9x would be a gain of more than all; at four it is two thirds: both scale.
    assert verdicts_of(record)["processes-scale"] == "supported"
    assert verdicts_of(record)["threads-do-not-scale"] == "supported"


def test_one_worker_is_nothing_to_judge() -> None:
    record = a_record(workers=(1,))
    assert set(verdicts_of(record).values()) == {"untestable"}


@pytest.mark.parametrize("arm", ["threads", "processes", "threads-nogil", "threads-held"])
def test_a_failed_arm_leaves_its_claims_open_and_the_others_settled(arm: str) -> None:
    lost = Failure(arm=arm, round=3, reason="it was killed by SIGKILL")
    found, all_firm = claims_of(a_record(failures=(lost,))), claims_of(a_record())
    assert set(found) == set(all_firm)
    firm = {name for name, claim in found.items() if claim.verdict in ("supported", "refuted")}
    of_the_arm = {
        "threads": {"threads-do-not-scale", "threads-slower-than-serial", "threads-use-one-core"},
        "processes": {"processes-scale"},
        "threads-nogil": {"c-extension-scales", "c-must-release-the-gil"},
        "threads-held": {"c-must-release-the-gil"},
    }[arm]
    assert firm.isdisjoint(of_the_arm)
    resting = {"only-c-or-processes"} if arm != "threads-held" else set()
    assert firm == set(all_firm) - of_the_arm - resting - {"needs-gil-free-interpreter"}


def test_a_lost_ceiling_leaves_everything_open() -> None:
    record = a_record(failures=(Failure(arm="ceiling", round=0, reason="it hung"),))
    assert open_claims(record) == {"inconclusive"}


def test_arms_that_were_not_asked_for_raise_no_claim() -> None:
    assert set(verdicts_of(a_record(arms=["processes"]))) == {"processes-scale"}


def test_every_start_method_is_heard() -> None:
    arms = ["processes[spawn]", "processes[fork]"]
    assert verdicts_of(a_record(arms=arms))["processes-scale"] == "supported"
    one_fails = a_record({**SPEEDUPS, "processes[spawn]": 1.0}, arms=arms)
    assert verdicts_of(one_fails)["processes-scale"] == "inconclusive"


def test_every_claim_has_evidence_with_numbers_and_a_scope() -> None:
    for claim in conclude(a_record(FREE)).claims:
        assert any(character.isdigit() for character in claim.evidence), claim
        assert claim.evidence.endswith(".")
        assert "workers" in claim.scope
        assert (claim.verdict == "refuted") == (claim.counterexample is not None)


def test_wide_intervals_are_not_enough_even_when_every_claim_is_settled() -> None:
    record = a_record(noise=0.1, rounds=30)
    assert "inconclusive" not in verdicts_of(record).values()
    assert not is_enough(record)
    assert is_enough(replace(record, plan=replace(record.plan, precision=1.0)))


def test_a_slowdown_is_held_against_the_ceiling_of_the_same_rounds() -> None:
    # Beside a hog threads are slow in every round; native threads had their CPUs in some rounds alone. Were the
    # slowdown held against those, the GIL would be blamed for the hog.
    calm = {**SPEEDUPS, "threads": 0.75}
    record = a_record(calm, rounds=60, cores={**SPEEDUPS, "threads": 0.75, "ceiling": 2.0})
    busy = a_record({**calm, "ceiling": 1.4}, rounds=60, cores={**SPEEDUPS, "threads": 0.75, "ceiling": 1.4})
    trials = [
        hogged if hogged.arm == "ceiling" and hogged.round % 3 else trial
        for trial, hogged in zip(record.trials, busy.trials, strict=True)
    ]
    record = replace(record, trials=tuple(trials))
    cases = {finding.arm: finding for finding in conclude(record).arms if finding.workers == 2}
    assert cases["ceiling"].basis == cases["threads"].basis == "all rounds"
    calm_ceiling = cases["ceiling"].undisturbed
    assert calm_ceiling is not None
    assert calm_ceiling.speedup is not None
    assert calm_ceiling.speedup.point > 1.9
    assert verdicts_of(record)["threads-slower-than-serial"] == "inconclusive"
