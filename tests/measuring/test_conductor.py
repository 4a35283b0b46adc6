"""The conductor under a scripted clock, with stations that answer from a script: exact, and in no time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from builders import a_host, a_reading, a_runtime

from gilstudy.codec import encode
from gilstudy.concluding.cautions import cautions
from gilstudy.concluding.findings import conclude
from gilstudy.host.machine import Host
from gilstudy.measuring import conductor
from gilstudy.measuring.client import Line, StationLost
from gilstudy.measuring.conductor import Progress, run_study
from gilstudy.measuring.plan import make_plan
from gilstudy.measuring.record import Batch, Plan, Record, Unavailable


class Stage:
    """A clock, and stations that take their time from it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns = 0
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.ended: Counter[str] = Counter()
        self.failing: dict[str, Callable[[int], None]] = {}
        self.uncalibrated: set[str] = set()
        monkeypatch.setattr(conductor, "now_ns", lambda: self.now_ns)
        monkeypatch.setattr(conductor, "read_counters", a_reading)

    def connect(self, arm: str) -> Line:
        return ScriptedLine(self, arm)

    def trials_of(self, arm: str) -> list[dict[str, Any]]:
        return [order for name, verb, order in self.asked if (name, verb) == (arm, "trial")]


class ScriptedLine:
    """A station whose every worker does one step per nanosecond, whatever else there is."""

    def __init__(self, stage: Stage, arm: str) -> None:
        self._stage, self._arm = stage, arm
        self._orders: list[tuple[str, dict[str, Any]]] = []
        self._trials = 0

    def send(self, verb: str, **order: Any) -> None:
        self._orders.append((verb, order))
        self._stage.asked.append((self._arm, verb, order))

    def receive(self, timeout_s: float) -> Mapping[str, Any]:
        verb, order = self._orders.pop(0)
        self._stage.now_ns += 1_000_000
        if verb == "open":
            return {"runtime": encode(a_runtime())}
        if verb == "calibrate":
            if self._arm in self._stage.uncalibrated:
                raise StationLost("no answer for 10 s: it hung and was ended")
            batch = Batch(kernel="any", runtime="", steps=50, once_ns=50, double_ns=100)
            return {"batch": encode(batch)}
        if fail := self._stage.failing.get(self._arm):
            fail(self._trials)
        self._trials += 1
        open_ns = self._stage.now_ns
        close_ns = open_ns + order["window_ns"]
        self._stage.now_ns = close_ns + 1_000_000
        batches = order["window_ns"] // order["batch"]
        span = [open_ns, [open_ns, open_ns + 50, 0, 0], [close_ns, close_ns + 50, batches, order["window_ns"]]]
        return {"open_ns": open_ns, "close_ns": close_ns, "gil": True, "spans": [span] * len(order["cpus"])}

    def ask(self, verb: str, timeout_s: float, **order: Any) -> Mapping[str, Any]:
        self.send(verb, **order)
        return self.receive(timeout_s)

    def end(self) -> None:
        self._stage.ended[self._arm] += 1


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def play(stage: Stage, plan: Plan | None = None, host: Host | None = None, **more: Any) -> Record:
    return run_study(plan or make_plan(workers=(2,), budget_s=3), host or a_host(), connect=stage.connect, **more)


def failed(number: int, reason: str = "it was killed by SIGKILL") -> Callable[[int], None]:
    def fail(trial: int) -> None:
        if trial >= number:
            raise StationLost(reason)

    return fail


def interrupted(trial: int) -> None:
    if trial == 4:
        raise KeyboardInterrupt


def test_every_round_plays_every_case_once_and_baselines_on_every_cpu(stage: Stage) -> None:
    record = play(stage)
    rounds = {trial.round for trial in record.trials}
    assert rounds == set(range(len(rounds)))
    for round_ in rounds:
        seen = Counter((t.arm, t.workers, t.cpus if t.workers == 1 else ()) for t in record.trials if t.round == round_)
        assert set(seen.values()) == {1}
        for baseline in ("single", "single-nogil", "single-held", "ceiling"):
            assert {(baseline, 1, (0,)), (baseline, 1, (1,))} <= set(seen)
        for arm in ("threads", "threads-nogil", "threads-held", "processes", "ceiling"):
            assert (arm, 2, ()) in seen


def test_the_order_is_random_and_the_seed_repeats_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def order(seed: int) -> list[tuple[str, tuple[int, ...]]]:
        record = play(Stage(monkeypatch), make_plan(workers=(2,), budget_s=2, seed=seed))
        return [(trial.arm, trial.cpus) for trial in record.trials]

    assert order(5) == order(5)
    assert order(5) != order(6)
    first = order(5)
    cases = len(set(first))
    assert first[:cases] != first[cases : 2 * cases]


def test_it_keeps_to_the_budget(stage: Stage) -> None:
    record = play(stage, make_plan(workers=(2,), budget_s=5))
    assert 4.5 < record.elapsed_s <= 5


def test_it_stops_at_the_first_look_that_is_satisfied_and_looks_no_more_often_than_planned(stage: Stage) -> None:
    looks: list[float] = []

    def never(record: Record) -> bool:
        looks.append(record.elapsed_s)
        return False

    plan = make_plan(workers=(2,), budget_s=10)
    play(stage, plan, enough=never)
    # The last look is the report's own, when the budget is spent.
    assert len(looks) == plan.looks - 1
    assert looks == sorted(looks)
    assert looks[0] >= 0.4 * 10
    early = play(stage, plan, enough=lambda record: True)
    assert early.elapsed_s < 5


def test_all_stations_are_ended(stage: Stage) -> None:
    record = play(stage)
    assert set(stage.ended) == {arm.name for arm in record.plan.arms}


@pytest.mark.parametrize("arm", ["threads", "processes", "single-nogil", "ceiling"])
def test_a_lost_station_fails_its_arm_and_the_others_go_on(stage: Stage, arm: str) -> None:
    stage.failing[arm] = failed(4)
    record = play(stage)
    assert [(failure.arm, failure.reason) for failure in record.failures] == [(arm, "it was killed by SIGKILL")]
    assert stage.ended[arm] >= 1
    assert max(t.round for t in record.trials) > max(t.round for t in record.trials if t.arm == arm)
    assert conclude(record).arms  # and what there is can be concluded from


def test_an_arm_whose_station_is_lost_at_the_start_is_unavailable(stage: Stage) -> None:
    stage.failing["threads"] = failed(0, "it hung")
    record = play(stage)
    assert record.unavailable == (Unavailable(arm="threads", reason="it hung"),)
    assert record.failures == ()
    assert record.lost == {"threads": "it hung"}


@pytest.mark.parametrize(
    "lost", [{"single"}, {"single", "threads"}, {"single-nogil"}, {"single-nogil", "ceiling", "threads-nogil"}]
)
def test_an_arm_that_is_lost_in_calibration_takes_none_of_the_others_with_it(stage: Stage, lost: set[str]) -> None:
    stage.uncalibrated = lost
    record = play(stage)
    assert {arm.arm for arm in record.unavailable} == lost
    assert {trial.arm for trial in record.trials} == {arm.name for arm in record.plan.arms} - lost
    assert {batch.kernel for batch in record.batches} == {"python", "nogil"}
    findings = {(arm.arm, arm.workers): arm for arm in conclude(record).arms}
    if "single" in lost:
        assert findings["processes", 2].reason == "its baseline was not measured"


def test_no_arm_vanishes_whatever_is_lost_in_calibration(stage: Stage) -> None:
    plan = make_plan(workers=(2,), budget_s=2)
    stage.uncalibrated = {arm.name for arm in plan.arms if arm.kernel in ("nogil", "held") or arm.is_ceiling}
    record = play(stage, plan)
    assert {arm.arm for arm in record.unavailable} == stage.uncalibrated
    assert {trial.arm for trial in record.trials} == {"single", "threads", "processes"}


def test_an_arm_whose_station_cannot_even_be_started_is_unavailable(stage: Stage) -> None:
    def connect(arm: str) -> Line:
        if arm == "processes":
            raise OSError(11, "Resource temporarily unavailable")
        return stage.connect(arm)

    record = run_study(make_plan(workers=(2,), budget_s=2), a_host(), connect=connect)
    assert [arm.arm for arm in record.unavailable] == ["processes"]


def test_when_all_are_lost_it_ends(stage: Stage) -> None:
    for arm in make_plan(workers=(2,)).arms:
        stage.failing[arm.name] = failed(3)
    record = play(stage, make_plan(workers=(2,), budget_s=1000))
    assert len(record.failures) == len(record.plan.arms)


def test_ctrl_c_keeps_what_was_measured_and_ends_the_stations(stage: Stage) -> None:
    stage.failing["processes"] = interrupted
    record = play(stage)
    assert record.interrupted
    assert record.trials
    assert set(stage.ended) == {arm.name for arm in record.plan.arms}


def test_ctrl_c_during_the_start_is_no_traceback(stage: Stage) -> None:
    def connect(arm: str) -> Line:
        if arm == "threads":
            raise KeyboardInterrupt
        return stage.connect(arm)

    record = run_study(make_plan(workers=(2,)), a_host(), connect=connect)
    assert record.interrupted
    assert not record.trials
    assert not conclude(record).arms


def test_workers_are_placed_one_to_a_cpu_and_wrap_around(stage: Stage) -> None:
    record = play(stage, make_plan(workers=(2, 5), budget_s=3), a_host(cpus=4))
    for trial in record.trials:
        if trial.workers == 2:
            assert len(set(trial.cpus)) == 2
        if trial.workers == 5:
            assert Counter(trial.cpus).most_common(1)[0][1] == 2
    assert {trial.cpus for trial in record.trials if trial.arm == "single"} == {(0,), (1,), (2,), (3,)}


def test_on_large_hosts_baselines_are_drawn_anew_in_each_round(stage: Stage) -> None:
    record = play(stage, make_plan(workers=(32,), budget_s=4), a_host(cpus=64))
    by_round: dict[int, set[int]] = {}
    for trial in record.trials:
        if trial.arm == "single":
            by_round.setdefault(trial.round, set()).add(trial.cpus[0])
    assert all(len(cpus) == 8 for cpus in by_round.values())
    assert len(set.union(*by_round.values())) > 8


def test_where_threads_cannot_be_pinned_none_is(stage: Stage) -> None:
    record = play(stage, host=a_host(can_pin=False))
    assert {cpu for trial in record.trials for cpu in trial.cpus} == {-1}
    assert not record.pinned
    assert [caution.kind for caution in cautions(record)] == ["not-pinned"]
    assert sum(t.arm == "single" and t.round == 0 for t in record.trials) == 2


def test_c_kernels_share_one_batch(stage: Stage) -> None:
    record = play(stage)
    assert {batch.kernel for batch in record.batches} == {"python", "nogil"}
    batches = {
        arm: {order["batch"] for order in stage.trials_of(arm)} for arm in ("threads-nogil", "threads-held", "ceiling")
    }
    assert batches["threads-nogil"] == batches["threads-held"] == batches["ceiling"]


def test_progress_goes_forward_through_the_phases(stage: Stage) -> None:
    seen: list[Progress] = []
    play(stage, notice=seen.append)
    assert list(dict.fromkeys(progress.phase for progress in seen)) == ["starting", "calibrating", "measuring", "done"]
    assert [progress.round for progress in seen] == sorted(progress.round for progress in seen)


def test_one_worker_is_played_without_an_empty_ceiling(stage: Stage) -> None:
    record = play(stage, make_plan(workers=(1,), budget_s=2))
    assert {trial.workers for trial in record.trials} == {1}
    assert sum(t.arm == "ceiling" and t.round == 0 for t in record.trials) == 1
