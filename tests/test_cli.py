"""The command line as a user meets it: real processes, one-line errors, Ctrl-C and kills at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest
from builders import a_record
from processes import left_in, workers_of, working_in

from gilstudy import cli
from gilstudy.cli import COMMANDS
from gilstudy.concluding.findings import conclude
from gilstudy.report.study import load, save
from gilstudy.system.signals import interrupted_once

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
BENCH = [sys.executable, "-m", "gilstudy.bench"]
GILSTUDY = [sys.executable, "-m", "gilstudy"]
DOORS: dict[str, Callable[[list[str]], int]] = {
    "gilstudy.bench": lambda arguments: cli.run_command("bench", arguments, prog="gilstudy.bench"),
    "gilstudy bench": lambda arguments: cli.main(["bench", *arguments]),
}
"""Both ways to give the command, within this process."""


def run(command: list[str], cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False, **more)


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "study.json"
    record = a_record()
    save(path, record, conclude(record))
    return path


# -- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--workers", "two"], "whole numbers such as 2 or 1,2,4,8"),
        (["--workers", ""], "whole numbers"),
        (["--workers", "0"], "worker counts go from 1 to 512"),
        (["--arms", "fibers"], "there is no arm 'fibers'"),
        (["--arms", ","], "name at least one arm"),
        (["--arms", "threads[spawn]"], "starts no process"),
        (["--budget", "-3"], "number of seconds from 1 to 86400"),
        (["--budget", "nan"], "number of seconds from 1 to 86400"),
        (["--budget", "soon"], "invalid float value"),
        (["--level", "2"], "the confidence level goes from 0.5 to 0.999"),
        (["--seed", "x"], "invalid int value"),
        (["--json", "no/such/folder/x.json"], "there is no folder"),
        (["--json", "."], "it is a folder"),
        (["--frobnicate"], "unrecognized arguments"),
    ],
)
@pytest.mark.parametrize("door", DOORS)
def test_bad_usage_gets_one_line_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    door: str,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code: object = DOORS[door](arguments)
    except SystemExit as end:
        code = end.code
    out, err = capfd.readouterr()
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert says in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [BENCH, [*GILSTUDY, "bench"]], ids=["gilstudy.bench", "gilstudy bench"])
def test_bad_usage_is_told_by_the_commands_themselves(tmp_path: Path, command: list[str]) -> None:
    for arguments, says in ((["--workers", "two"], "whole numbers such as"), (["--frobnicate"], "unrecognized")):
        done = run([*command, *arguments], tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert says in done.stderr
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "No such file"),
        ("{", "damaged or cut short"),
        ("{}", "is not a study"),
        ('{"gilstudy":"9","schema":99}', "upgrade"),
    ],
)
def test_a_bad_file_gets_one_line_and_exit_code_2(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "x.json").write_text(text)
    done = run([*GILSTUDY, "report", "x.json"], tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["--frobnicate"], ["report"]])
def test_a_missing_or_unknown_command_gets_one_line(tmp_path: Path, arguments: list[str]) -> None:
    done = run([*GILSTUDY, *arguments], tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


# -- help and rendering ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [GILSTUDY, BENCH, *([*GILSTUDY, name] for name in COMMANDS)])
def test_help_teaches_within_80_columns(tmp_path: Path, command: list[str]) -> None:
    done = run([*command, "--help"], tmp_path, env=os.environ | {"COLUMNS": "80"})
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert command == GILSTUDY or "exit codes:" in done.stdout


def test_the_version_is_told(tmp_path: Path) -> None:
    assert run([*GILSTUDY, "--version"], tmp_path).stdout.startswith("gilstudy ")


def test_a_saved_study_is_shown_again_without_colours_in_a_pipe(tmp_path: Path, study_file: Path) -> None:
    done = run([*GILSTUDY, "report", str(study_file)], tmp_path)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "c-must-release-the-gil" in done.stdout


def test_findings_are_computed_anew_from_the_record(tmp_path: Path, study_file: Path) -> None:
    given = json.loads(study_file.read_text())
    given["findings"] = {"arms": [], "claims": []}
    (tmp_path / "stripped.json").write_text(json.dumps(given))
    done = run([*GILSTUDY, "report", "stripped.json", "--json", "whole.json", "--quiet"], tmp_path)
    assert done.returncode == 0
    assert json.loads((tmp_path / "whole.json").read_text()) == json.loads(study_file.read_text())


@POSIX
def test_a_reader_that_had_enough_is_no_error(tmp_path: Path, study_file: Path) -> None:
    command = " ".join([*GILSTUDY, "report", str(study_file), "| true; exit ${PIPESTATUS[0]}"])
    done = run(["bash", "-c", command], tmp_path)
    assert done.stderr == ""
    assert done.returncode in (0, 1)


# -- whole studies -----------------------------------------------------------------------------------------------


def test_a_short_study_from_start_to_file(tmp_path: Path) -> None:
    done = run([*BENCH, "--budget", "2", "--seed", "11", "--json", "study.json"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for arm in ("single", "threads", "threads-nogil", "threads-held", "processes", "ceiling"):
        assert f"\n{arm} " in done.stdout
    record = load(tmp_path / "study.json")
    assert record.plan.seed == 11
    assert {claim.id for claim in conclude(record).claims} >= {"threads-do-not-scale", "only-c-or-processes"}
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]
    assert left_in(tmp_path) == []


def test_quiet_prints_a_line_a_claim(tmp_path: Path) -> None:
    done = run([*BENCH, "--budget", "1.5", "--quiet", "--arms", "processes"], tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert "processes-scale" in done.stdout


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_on_one_cpu_nothing_is_claimed(tmp_path: Path) -> None:
    code = (
        "import os, sys, runpy; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "sys.argv[1:] = ['--budget', '3', '--workers', '1,2', '--json', 'study.json'];"
        "runpy.run_module('gilstudy.bench', run_name='__main__')"
    )
    done = run([sys.executable, "-c", code], tmp_path)
    assert done.returncode == 0, done.stderr
    findings = json.loads((tmp_path / "study.json").read_text())["findings"]
    assert {claim["verdict"] for claim in findings["claims"]} == {"untestable"}
    assert {arm["verdict"] for arm in findings["arms"]} == {"inconclusive"}
    assert "Only one CPU is usable" in done.stdout


def test_more_workers_than_cpus_give_sensible_output(tmp_path: Path) -> None:
    many = 3 * (os.cpu_count() or 2)
    done = run([*BENCH, "--budget", "3", "--workers", str(many), "--arms", "threads-nogil,processes"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{many} workers share" in done.stdout


# -- kills, hangs and Ctrl-C -------------------------------------------------------------------------------------


def stations_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The stations of a running study, as soon as there are any."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        children = psutil.Process(process.pid).children()
        stations = [child for child in children if "gilstudy.measuring.station" in _command(child)]
        if stations:
            return stations
        time.sleep(0.005)
    raise AssertionError("no station was started")


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [*BENCH, "--json", "study.json", *arguments]
    return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@POSIX
@pytest.mark.parametrize("seed", range(6))
def test_any_killed_station_is_reported_and_the_others_go_on(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    with start(tmp_path, "--budget", "3") as process:
        stations = stations_of(process)
        time.sleep(random.uniform(0, 1.0))
        try:
            random.choice(stations).kill()
        except psutil.NoSuchProcess:
            pytest.fail("the study ended before its station could be killed")
        out, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert err == ""
    (reason,) = load(tmp_path / "study.json").lost.values()
    assert "killed by SIGKILL" in reason
    assert "Failed" in out
    assert left_in(tmp_path) == []


@POSIX
def test_a_killed_worker_process_fails_its_arm_alone(tmp_path: Path) -> None:
    with start(tmp_path, "--budget", "3", "--arms", "processes,threads") as process:
        deadline = time.monotonic() + 60
        workers: list[psutil.Process] = []
        while len(workers) < 2 and time.monotonic() < deadline:
            workers = [worker for station in stations_of(process) for worker in workers_of(station)]
        workers[-1].kill()
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    ((arm, reason),) = load(tmp_path / "study.json").lost.items()
    assert arm == "processes"
    assert "SIGKILL" in reason
    assert left_in(tmp_path) == []


@POSIX
def test_a_station_that_hangs_is_ended_and_the_others_go_on(tmp_path: Path) -> None:
    with start(tmp_path, "--budget", "14", "--arms", "threads-held,processes") as process:
        station = stations_of(process)[0]
        time.sleep(0.6)
        station.suspend()
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    (reason,) = load(tmp_path / "study.json").lost.values()
    assert "hung" in reason
    assert left_in(tmp_path) == []


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seed", range(5))
def test_ctrl_c_at_any_moment_saves_what_was_measured(tmp_path: Path, seed: int, number: signal.Signals) -> None:
    with start(tmp_path, "--budget", "30") as process:
        stations_of(process)
        time.sleep(Random(seed).uniform(0, 1.6))
        process.send_signal(number)
        process.send_signal(number)  # an impatient user must not tear the clean-up apart
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Interrupted" in out
    assert load(tmp_path / "study.json").interrupted
    assert left_in(tmp_path) == []


@POSIX
@pytest.mark.parametrize("seed", range(8))
def test_ctrl_c_before_anything_has_begun_leaves_nothing_behind(tmp_path: Path, seed: int) -> None:
    with start(tmp_path, "--budget", "30") as process:
        time.sleep(Random(seed).uniform(0, 0.25))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    if "gilstudy" in err:  # from our first line on
        # Until the command line's own way with it is set up, the interpreter itself dies of the signal.
        assert process.returncode in (130, -signal.SIGINT), err
    else:
        # Before that it is Python's: it gives up its own start, or dies, or drops the interrupt and says so.
        assert process.returncode != 0 or "Exception ignored" in err, err
    assert left_in(tmp_path) == []


@POSIX
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_python_drops_is_made_again(kind: signal.Signals) -> None:
    class Dropping:
        def __del__(self) -> None:
            signal.raise_signal(kind)

    with pytest.raises(KeyboardInterrupt), interrupted_once():
        thing = Dropping()
        del thing
        threading.Event().wait(60)
        pytest.fail("the interrupt was lost")


@POSIX
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
def test_a_killed_conductor_leaves_no_process_behind(tmp_path: Path) -> None:
    with start(tmp_path, "--budget", "30") as process:
        stations_of(process)
        time.sleep(0.8)
        assert len(working_in(tmp_path)) > 5
        process.kill()
        process.communicate(timeout=60)
    assert left_in(tmp_path) == []
