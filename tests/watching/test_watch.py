"""The watch on this interpreter. What is asserted is so by construction, however slow or busy the host is."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import psutil
import pytest

import gilstudy
from gilstudy.errors import BadInput
from gilstudy.host.runtime import gil_enabled, is_free_threaded
from gilstudy.watching import names
from gilstudy.watching.gil import NO_GIL, gil_reason, unreadable, wanted_by
from gilstudy.watching.watch import Watch, watch

gil = pytest.mark.skipif(bool(gil_reason()), reason=gil_reason())
posix = pytest.mark.skipif(os.name != "posix", reason="needs a C library's usleep")


def busy(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def run_threads(count: int, seconds: float) -> list[threading.Thread]:
    threads = [threading.Thread(target=busy, args=(seconds,), name=f"busy {n}") for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return threads


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.001)


def has_seen(w: Watch, thread: threading.Thread) -> bool:
    return thread.native_id in {lane.native_id for lane in w.trace().lanes}


def is_looked_at(w: Watch, thread: threading.Thread) -> bool:
    assert w._sampler is not None
    return thread.native_id in {one[1] for one in w._sampler.lanes()}


def python(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, timeout=60)


# -- what it sees ----------------------------------------------------------------------------------------------------


@gil
def test_the_exact_count_goes_up_with_each_hand_off() -> None:
    with watch(lanes=False) as w:
        threads = [run_threads(1, 0.0)[0] for _ in range(5)]
    handoffs = w.trace().handoffs
    assert handoffs is not None
    assert handoffs >= 2 * len(threads) - 1  # there and back


@gil
def test_two_busy_threads_are_seen_by_name_and_hand_the_gil_over() -> None:
    with watch(period_us=100) as w:
        threads = run_threads(2, 0.2)
    trace = w.trace()
    lanes = {lane.native_id: lane for lane in trace.lanes}
    for thread in threads:
        assert thread.native_id is not None
        lane = lanes[thread.native_id]
        assert (lane.name, lane.ident) == (thread.name, thread.ident)
        assert lane.holds
    assert trace.handoffs is not None
    assert 0 < trace.handoffs_seen <= trace.handoffs
    held = sum(end - begin for begin, end, holder in trace.holders if holder >= 0)
    assert held <= trace.span_ns


@gil
@posix
def test_one_long_hold_is_one_hold_of_that_length() -> None:
    sleep = ctypes.PyDLL(None).usleep  # keeps the GIL
    with watch(period_us=100) as w:
        before = time.monotonic_ns()
        sleep(100_000)
        length = time.monotonic_ns() - before
    trace = w.trace()
    own = next(lane for lane in trace.lanes if lane.ident == threading.get_ident())
    inside = [end - begin for begin, end in own.holds if end > before]
    assert max(inside) >= 0.9 * length  # nobody else can have had it


@gil
@posix
def test_a_call_that_lets_the_gil_go_leaves_it_free() -> None:
    sleep = ctypes.CDLL(None).usleep  # lets it go
    with watch(period_us=100) as w:
        before = time.monotonic_ns()
        sleep(100_000)
        after = time.monotonic_ns()
    trace = w.trace()
    own = next(place for place, lane in enumerate(trace.lanes) if lane.ident == threading.get_ident())
    mine = sum(min(end, after) - max(begin, before) for begin, end, n in trace.holders
               if n == own and end > before and begin < after)  # fmt: skip
    looks_apart = trace.longest_gap_ns
    assert mine <= 2 * looks_apart + 10_000_000


@gil
def test_threads_that_come_and_go_are_told_apart_although_their_addresses_are_used_again() -> None:
    threads = []
    with watch(period_us=100) as w:
        for number in range(8):
            seen = threading.Event()
            thread = threading.Thread(target=seen.wait, args=(60,), name=f"thread {number}")
            thread.start()
            wait_until(partial(has_seen, w, thread))
            seen.set()
            thread.join()
            threads.append(thread)
    called = {lane.native_id: lane.name for lane in w.trace().lanes}
    assert [called[thread.native_id or 0] for thread in threads] == [thread.name for thread in threads]


@gil
def test_ended_threads_are_forgotten_when_there_is_no_more_room_and_never_credited() -> None:
    others = len(psutil.Process().threads())  # of other tests: they live on, and half of the room is for the living
    room = 2 * (others + 6)
    count = room + 24
    w = Watch(period_us=50)
    w._thread_room = room
    names, lives = {}, {}
    with w:
        for number in range(count):
            seen = threading.Event()
            begin = time.monotonic_ns()
            thread = threading.Thread(target=seen.wait, args=(60,), name=f"thread {number}")
            thread.start()
            wait_until(partial(is_looked_at, w, thread))
            seen.set()
            thread.join()
            names[thread.native_id], lives[thread.name] = thread.name, (begin, time.monotonic_ns())
    trace = w.trace()
    blur = 2 * trace.longest_gap_ns
    for begin, end, holder in trace.holders:
        life = lives.get(trace.lanes[holder].name) if holder >= 0 else None
        assert life is None or (life[0] - blur <= begin and end <= life[1] + blur)
    assert trace.lost.threads >= count - room
    kept = [lane for lane in trace.lanes if lane.native_id in names]
    assert [lane.name for lane in kept] == [names[lane.native_id] for lane in kept]
    assert f"thread {count - 1}" in [lane.name for lane in kept]
    assert threading.current_thread().name in [lane.name for lane in trace.lanes]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are looked at on Linux only")
def test_few_of_the_file_descriptors_that_the_program_may_have_are_used() -> None:
    code = """
import os, resource, threading, time, gilstudy
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
end = threading.Event()
def nap():
    while not end.is_set(): time.sleep(0.002)
threads = [threading.Thread(target=nap) for _ in range(24)]
for thread in threads: thread.start()
def is_kept(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}").endswith(("/syscall", "/schedstat"))
    except OSError:  # closed meanwhile
        return False
def kept(): return sum(map(is_kept, os.listdir("/proc/self/fd")))
most, until = 0, time.monotonic() + 60
with gilstudy.watch() as w:
    while not w.trace().opened_anew and time.monotonic() < until:
        time.sleep(0.01)
        most = max(most, kept())
end.set()
for thread in threads: thread.join()
print(w.lanes_reason or (most <= 8 + 1, kept(), w.trace().opened_anew > 0))
"""
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")
    # an eighth, and the one that is open for this look
    assert done.stdout.strip() == "(True, 0, True)" or done.stdout.startswith("not")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are looked at on Linux only")
def test_lanes_tell_cpu_time_and_sleep() -> None:
    with watch() as w:
        sleeper = threading.Thread(target=time.sleep, args=(0.3,), name="sleeper")
        sleeper.start()
        busy(0.2)
        sleeper.join()
    lanes = {lane.name: lane for lane in w.summary().lanes}
    assert lanes["MainThread"].cpu_ns is not None
    assert lanes["sleeper"].cpu_ns is not None
    assert lanes["MainThread"].cpu_ns > 10 * lanes["sleeper"].cpu_ns
    in_state = lanes["sleeper"].in_state_ns
    if "off-cpu" not in in_state:  # a kernel that tells why a thread does not run
        assert in_state["blocked"] > 5 * in_state.get("holding", 0)


def test_it_can_be_read_while_it_runs() -> None:
    with watch() as w:
        first = w.trace()
        wait_until(lambda: w.trace().polls > first.polls)
        second = w.trace()
    assert first.polls < second.polls <= w.trace().polls
    assert first.begin_ns == second.begin_ns


@gil
def test_a_full_ring_keeps_the_newest_and_counts_what_it_lost() -> None:
    with watch(period_us=50, lanes=False, capacity=4) as w:
        for _ in range(40):
            run_threads(1, 0.001)
    trace = w.trace()
    assert len(trace.holders) <= 4
    assert trace.lost.changes > 0
    assert trace.holders[-1][1] == trace.end_ns


# -- how it is used --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", [0, 19, 1001, float("nan")])
def test_a_period_out_of_range_is_refused(period: float) -> None:
    with pytest.raises(BadInput, match="20 to 1000"):
        Watch(period_us=period)


def test_it_starts_once_and_stops_as_often_as_you_like() -> None:
    one = Watch()
    with pytest.raises(RuntimeError, match="not started"):
        one.trace()
    one.start()
    with pytest.raises(RuntimeError, match="only once"):
        one.start()
    one.stop()
    one.stop()
    assert one.trace().polls >= 0


def test_watches_may_nest() -> None:
    with watch() as outer, watch() as inner:
        time.sleep(0.01)
    assert outer.trace().polls > 0
    assert inner.trace().polls > 0


def of_threads() -> dict[str, Any]:
    """What `threading.Thread` has that is left as it was: without a GIL one method stays ours, which does the same."""
    return {name: value for name, value in vars(threading.Thread).items() if not _stays(name)}


def _stays(name: str) -> bool:
    return name == names.WHERE and is_free_threaded()


def test_threads_begin_as_ever_and_are_left_alone_afterwards() -> None:
    public, left = dict(vars(threading.Thread)), of_threads()
    with watch():
        changed = {name for name, value in vars(threading.Thread).items() if public[name] is not value}
        assert changed <= {names.WHERE}  # which nobody else has a reason to look at
        frames = _frames_in_a_new_thread()
    assert of_threads() == left
    assert not any("gilstudy" in frame.filename for frame in frames)


def _frames_in_a_new_thread() -> list[traceback.FrameSummary]:
    frames: list[traceback.FrameSummary] = []
    thread = threading.Thread(target=lambda: frames.extend(traceback.extract_stack()))
    thread.start()
    thread.join()
    with pytest.raises(RuntimeError, match="once") as told:
        thread.start()
    return frames + list(traceback.extract_tb(told.tb))


def test_watches_may_end_in_any_order_and_leave_threads_as_they_were() -> None:
    before = of_threads()
    first, second = watch(), watch()
    first.start()
    second.start()
    first.stop()
    thread = run_threads(1, 0.0)[0]
    second.stop()
    assert of_threads() == before
    called = {lane.native_id: lane.name for lane in second.trace().lanes}
    if thread.native_id in called:  # a thread that ended at once may not have been seen
        assert called[thread.native_id] == "busy 0"


def test_somebody_else_may_listen_to_new_threads_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before, heard = vars(threading.Thread)[names.WHERE], []
    with watch() as w:
        ours = vars(threading.Thread)[names.WHERE]

        def theirs(thread: threading.Thread) -> None:
            ours(thread)
            heard.append(thread.name)

        monkeypatch.setattr(threading.Thread, names.WHERE, theirs)
        with watch() as inner:
            run_threads(2, 0.0)
    left = vars(threading.Thread)[names.WHERE]
    assert (getattr(left, names.ORIGINAL) if _stays(names.WHERE) else left) is theirs
    assert heard == ["busy 0", "busy 1"]
    for one in (w, inner):
        assert {"busy 0", "busy 1"} <= set(sampler_of(one).names().values())
    monkeypatch.undo()
    setattr(threading.Thread, names.WHERE, before)


def sampler_of(w: Watch) -> Any:
    return w._sampler


def test_names_are_kept_whole_and_the_newest_of_them() -> None:
    long, odd = "n" * 5000, "tschüß \udc80\x00"
    sampler = pytest.importorskip("gilstudy._gilwatch").Sampler(1_000_000, 4_000_000, 4)
    sampler.tell(1, odd)
    sampler.tell(2, long)
    assert sampler.names() == {1: odd, 2: long[:4096]}
    sampler.tell(1, "renamed")
    assert sampler.names()[1] == "renamed"
    for number in range(20_000):
        sampler.tell(10 + number, f"{number} {long[:100]}")
    kept = sampler.names()
    assert 2 not in kept
    assert 5000 < len(kept) <= 16_384
    assert all(name == f"{number - 10} {long[:100]}" for number, name in kept.items())
    assert max(kept) == 20_009


def test_the_package_exports_it_lazily() -> None:
    code = "import gilstudy, sys; assert 'gilstudy.watching.watch' not in sys.modules; gilstudy.watch; gilstudy.probe"
    assert python(code).returncode == 0
    with pytest.raises(AttributeError, match="nonsense"):
        gilstudy.nonsense  # noqa: B018


def test_without_the_extension_it_runs_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gilstudy._gilwatch", None)
    monkeypatch.delattr(gilstudy, "_gilwatch", raising=False)
    with watch() as w:
        pass
    assert w.gil_reason.startswith("not available, because ")
    assert w.summary().gil_reason == w.gil_reason
    assert w.summary().lanes == ()


def test_another_implementation_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.implementation, "name", "pypy")
    assert unreadable() == "not available, because only CPython's GIL can be read, and this is pypy"


@pytest.mark.skipif(not is_free_threaded() or bool(gil_enabled()), reason="needs a free-threaded build")
def test_a_build_without_a_gil_says_not_applicable() -> None:
    with watch() as w:
        run_threads(2, 0.05)
    summary = w.summary()
    assert summary.gil_reason == NO_GIL
    assert sum(lane.cpu_ns or 0 for lane in summary.lanes) > 0
    assert wanted_by() == ()


@pytest.mark.skipif(not is_free_threaded(), reason="needs a free-threaded build")
def test_a_gil_that_was_asked_for_is_seen_and_the_setting_named() -> None:
    code = (
        "import gilstudy\nwith gilstudy.watch() as w: pass\ns = w.summary(); print(repr(s.gil_reason), s.gil_wanted_by)"
    )
    assert python(code, "-X", "gil=1").stdout.split(None, 1) == ["''", "('-X gil=1',)\n"]


# -- safety ----------------------------------------------------------------------------------------------------------

ENDINGS = {
    "runs on": "w.start()",
    "is forgotten": "w.start(); del w",
    "daemon threads": "w.start(); import threading, time\n"
    "[threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start() for _ in range(3)]\n"
    "time.sleep(0.05)",
    "atexit is passed by": "w.start(); import atexit; atexit._clear()",
    "os._exit": "w.start(); import os; os._exit(0)",
    "an exception": "w.start(); raise SystemExit(0)",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_interpreter_may_end_first(ending: str) -> None:
    done = python(f"import gilstudy\nw = gilstudy.watch(period_us=20)\n{ENDINGS[ending]}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_no_watch_to_wait_for_and_no_open_files_of_it() -> None:
    code = """
import os, time, gilstudy, threading
from pathlib import Path
def files(): return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
before = files()
with gilstudy.watch(period_us=20) as w:
    time.sleep(0.05)
    child = os.fork()
    if not child:
        few = files() <= before
        w.stop()
        with gilstudy.watch() as again: time.sleep(0.01)
        os._exit(0 if few and again.trace().polls else 7)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert files() == before, "files left open"
raise SystemExit(code)
"""
    done = python(code, "-W", "ignore")
    assert (done.returncode, done.stderr) == (0, "")


def test_many_short_threads_do_it_no_harm() -> None:
    code = """
import threading, gilstudy
with gilstudy.watch(period_us=20) as w:
    for _ in range(30):
        crew = [threading.Thread(target=int) for _ in range(20)]
        for thread in crew: thread.start()
        for thread in crew: thread.join()
assert w.trace().polls
"""
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX's file numbers")
def test_a_program_that_closes_all_files_keeps_those_it_opens_then() -> None:
    code = """
import os, time, gilstudy
w = gilstudy.watch(period_us=20)
w.start()
time.sleep(0.03)  # by now it has files open
os.closerange(3, 100)
kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(16)]  # under the numbers of the watch's own
time.sleep(0.03)
w.stop()
for fd in kept: os.fstat(fd)
"""
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timer signals")
def test_signals_are_left_to_the_program() -> None:
    code = """
import signal, time, gilstudy
class Rung(Exception): pass
def ring(*_): raise Rung
signal.signal(signal.SIGALRM, ring)
with gilstudy.watch(period_us=20):
    for _ in range(20):
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        try: time.sleep(20)
        except Rung: pass
"""
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")
