"""Running a program and recording it: every end, every kind of event, and nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from processes import left_in

from gilstudy.recording import player
from gilstudy.recording.events import Event, in_order, parse
from gilstudy.recording.locks import Locks
from gilstudy.recording.player import play
from gilstudy.system import children


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of everything that a test starts."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_program_that_hangs_is_ended_with_its_children(folder: Path) -> None:
    source = """
import time
from multiprocessing import Process

if __name__ == "__main__":
    Process(target=time.sleep, args=(1000,)).start()
    print("started")
    time.sleep(1000)
"""
    seen = play("hanging", source, limit_s=3)
    assert (seen.ending, [event.text for event in seen.said]) == ("timeout", ["started"])
    assert left_in(folder) == []


def test_a_program_that_fails_tells_its_last_words(folder: Path) -> None:
    seen = play("failing", "print('before')\nraise OSError('no more paper')\n")
    assert (seen.ending, seen.trouble) == ("failed", "OSError: no more paper")
    assert [event.text for event in seen.said] == ["before"]


def test_a_process_that_the_conductor_could_not_end_ends_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a kill of the conductor, which leaves nobody to end the program's children."""
    monkeypatch.setattr(player, "GRACE_S", -45)  # all must have begun before the alarm, on a busy host too
    monkeypatch.setattr(children, "end_family", lambda process: process.wait())
    source = """
import os, time
from multiprocessing import Process

if __name__ == "__main__":
    Process(target=time.sleep, args=(1000,)).start()
    print("started", flush=True)
    os._exit(0)
"""
    seen = play("parting", source, limit_s=60)
    assert seen.ending == "ended"
    assert left_in(folder) == []


@pytest.mark.parametrize("word", ["KeyboardInterrupt", "ValueError"])
def test_nothing_is_left_when_the_conductor_is_interrupted(folder: Path, word: str) -> None:
    errors: dict[str, type[BaseException]] = {"KeyboardInterrupt": KeyboardInterrupt, "ValueError": ValueError}

    def follow(event: Event) -> None:
        if event.kind == "said":
            raise errors[word]

    with pytest.raises(errors[word]):
        play("hanging", "import time\nprint('here')\ntime.sleep(1000)\n", follow=follow)
    assert left_in(folder) == []


def test_arguments_and_events_reach_the_program_and_its_follower(folder: Path) -> None:
    told: list[Event] = []
    seen = play("echo", "import sys\nprint(*sys.argv[1:])\n", ["one", "2"], follow=told.append)
    assert [event.kind for event in seen.events] == ["started", "said", "ended"]
    assert seen.said[0].text == "one 2"
    assert seen.said[0].numbers == (2,)
    assert [event.kind for event in told] == ["started", "said", "ended"]


def test_lines_of_threads_are_whole_even_if_they_print_in_pieces(folder: Path) -> None:
    source = """
from threading import Barrier, Thread

meeting = Barrier(4)

def talk(number):
    for _ in range(50):
        meeting.wait()
        print(number, number, number)

for number in range(4):
    Thread(target=talk, args=(number,)).start()
"""
    seen = play("talking", source)
    assert sorted(event.text for event in seen.said) == sorted(f"{n} {n} {n}" for n in range(4) for _ in range(50))


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_every_start_method_is_recorded_alike(folder: Path, method: str) -> None:
    source = f"""
import multiprocessing

def work(number):
    print("at work", number)

if __name__ == "__main__":
    context = multiprocessing.get_context("{method}")
    process = context.Process(target=work, args=(7,), name="worker")
    process.start()
    process.join()
    print("done")
"""
    seen = play("starting", source)
    assert seen.ending == "ended", seen.trouble
    assert [lane.name for lane in seen.lanes] == ["MainProcess", "worker"]
    main, worker = seen.lanes
    assert [event.kind for event in worker.events] == ["started", "said", "ended"]
    assert [event.kind for event in main.events] == ["started", "waits", "goes-on", "said", "ended"]
    assert worker.ended_ns < main.said[0].at_ns


def test_a_helper_process_that_did_nothing_of_the_program_has_no_lane() -> None:
    lines = [
        json.dumps([5, 10, 10, "MainProcess", "", "started", ""]),
        json.dumps([6, 11, 11, "MainProcess", "", "started", ""]),
        json.dumps([9, 10, 10, "MainProcess", "", "ended", ""]),
        json.dumps([7, 12, 12, "Process-1", "", "started", ""]),
    ]
    events = in_order(parse(lines, start_ns=5), main_pid=10)
    assert [(event.at_ns, event.pid) for event in events] == [(0, 10), (2, 12), (4, 10)]


# -- deadlocks -------------------------------------------------------------------------------------------------------


class Notes:
    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []
        self.locks = Locks(lambda kind, text: self.all.append((kind, text)))

    def cycles(self) -> list[Any]:
        return [json.loads(text) for kind, text in self.all if kind == "deadlock"]


def test_a_cycle_of_three_is_found_and_one_who_waits_beside_it_is_not_part_of_it() -> None:
    notes = Notes()
    locks = [notes.locks.new(threading.Lock()) for _ in range(3)]
    each_has_one = threading.Barrier(3)

    def take(first: Any, second: Any) -> None:
        first.acquire()
        each_has_one.wait()
        second.acquire()

    def start(name: str, *arguments: Any) -> None:
        threading.Thread(target=take, args=arguments, name=name, daemon=True).start()

    for place in range(3):
        start(f"t{place}", locks[place], locks[(place + 1) % 3])
    wait_for(lambda: bool(notes.cycles()))
    (cycle,) = notes.cycles()
    assert {name for name, *_ in cycle} == {"t0", "t1", "t2"}
    wanting = threading.Thread(target=locks[0].acquire, daemon=True)
    wanting.start()
    wait_for(lambda: sum(kind == "waits" for kind, _ in notes.all) == 4)
    time.sleep(0.05)
    assert len(notes.cycles()) == 1


def test_a_wait_with_a_limit_is_no_deadlock() -> None:
    notes = Notes()
    first, second = notes.locks.new(threading.Lock()), notes.locks.new(threading.Lock())
    each_has_one = threading.Barrier(2)
    got: list[bool] = []

    def take(mine: Any, other: Any) -> None:
        with mine:
            each_has_one.wait()
            got.append(other.acquire(timeout=0.05))
            each_has_one.wait()

    threads = [threading.Thread(target=take, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (notes.cycles(), got) == ([], [False, False])
    assert not first.locked()


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="needs SIGALRM")
def test_a_recorder_that_cannot_open_its_file_has_set_its_alarm(tmp_path: Path) -> None:
    code = f"""
import signal
from gilstudy.recording.recorder import Recorder
try:
    Recorder({str(tmp_path / "none")!r}, limit_s=1000)
except FileNotFoundError:
    print(signal.alarm(0) > 0)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
