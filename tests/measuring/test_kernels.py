"""The kernels count alike, refuse alike, and can be interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest
from properties import given, st

from gilstudy import _native
from gilstudy.measuring.kernels import KERNELS, LARGEST, SLICE, Kernel, in_slices

EVERY = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
COMPILED = pytest.mark.parametrize("name", ["nogil", "held"])


@EVERY
@pytest.mark.parametrize("n", [0, 1, 2, 999, 50_001])
def test_returns_the_number_of_steps(kernel: Kernel, n: int) -> None:
    assert kernel(n) == n


@given(st.integers(0, 20_000))
def test_all_kernels_return_the_same(n: int) -> None:
    assert {kernel(n) for kernel in KERNELS.values()} == {n}


@EVERY
@pytest.mark.parametrize(
    ("n", "error"),
    [
        *[(value, TypeError) for value in (1.0, "3", None, [1], 2.5j)],
        *[(value, ValueError) for value in (-1, -(2**63), -(2**100))],
        *[(value, OverflowError) for value in (LARGEST + 1, 2**100)],
    ],
)
def test_refuses_what_it_cannot_count(kernel: Kernel, n: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        kernel(n)
    assert type(caught.value) is error


@EVERY
def test_takes_whatever_is_an_index(kernel: Kernel) -> None:
    class Three:
        def __index__(self) -> int:
            return 3

    assert kernel(Three()) == 3  # type: ignore[arg-type]
    assert kernel(True) == 1


def test_the_slices_of_a_long_c_call_add_up() -> None:
    n = 150_000_007  # three slices and a rest
    assert KERNELS["nogil"](n) == KERNELS["held"](n) == n


def test_a_sliced_kernel_is_called_again_for_what_is_left() -> None:
    asked: list[int] = []

    def kernel(n: int) -> int:
        asked.append(n)
        return n

    sliced = in_slices(kernel)
    assert sliced(2 * SLICE + 7) == 2 * SLICE + 7
    assert asked == [SLICE, SLICE, 7]
    assert sliced(0) == 0
    with pytest.raises(ValueError, match="negative"):
        sliced(-1)


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
@COMPILED
def test_ctrl_c_does_not_wait_for_a_long_c_call(name: str) -> None:
    # 2**64 - 1 steps take over a century, so the call can only end by the signal.
    code = f"from gilstudy.measuring.kernels import {name}; print('counting', flush=True); {name}(2**64 - 1)"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "counting\n"
            time.sleep(0.1)
            child.send_signal(signal.SIGINT)
            _, errors = child.communicate(timeout=60)
        finally:
            child.kill()
    assert "KeyboardInterrupt" in errors


def test_the_clock_is_monotonic_and_sleeping_ends_no_earlier_than_asked() -> None:
    begin_ns = _native.now_ns()
    woke_ns = _native.sleep_until(begin_ns + 3_000_000)
    assert woke_ns >= begin_ns + 3_000_000
    assert _native.now_ns() >= woke_ns
    assert _native.sleep_until(begin_ns) >= woke_ns  # the past is no reason to wait


def test_a_native_crew_reports_every_thread_in_order_turn_after_turn() -> None:
    threads = _native.NativeThreads(3)
    for count in (3, 1, 3):
        begin_ns = _native.now_ns() + 1_000_000
        open_ns, close_ns = begin_ns + 1_000_000, begin_ns + 4_000_000
        spans = threads.run([-1] * count, 10_000, begin_ns, open_ns, close_ns)
        assert len(spans) == count
        for ready_ns, opened, closed in spans:
            assert ready_ns >= begin_ns
            assert opened[1] >= open_ns and closed[1] >= close_ns
            assert 0 <= opened[2] <= closed[2] and opened[3] <= closed[3]
    threads.close()
    threads.close()
    with pytest.raises(ValueError, match="closed"):
        threads.run([-1], 1, 0, 1, 2)


@pytest.mark.parametrize("count", [0, 4])
def test_a_native_crew_has_a_worker_at_least_and_no_more_than_it_was_opened_with(count: int) -> None:
    with pytest.raises(ValueError, match="not so many workers"):
        _native.NativeThreads(3).run([-1] * count, 1, 0, 1, 2)


def test_parked_native_threads_are_gone_after_close() -> None:
    before = psutil.Process().num_threads()
    threads = _native.NativeThreads(4)
    assert psutil.Process().num_threads() == before + 4
    threads.close()
    assert psutil.Process().num_threads() == before
