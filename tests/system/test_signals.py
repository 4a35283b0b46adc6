"""The first signal interrupts; a second one ends, with all that was started, whatever became of the first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

SWALLOWS = """
import subprocess, sys, threading
from gilstudy.system import children
from gilstudy.system.signals import interrupted_once
sleeps = [sys.executable, "-c", "import time; time.sleep(1000)"]
child = children.Family(sleeps, stdout=subprocess.DEVNULL, **children.own_group())
with interrupted_once():
    try:
        print(child.pid, flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        print("swallowed", flush=True)
    threading.Event().wait()
"""
PATIENCE_S = 120


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_ends_what_swallowed_the_first_and_its_children(second: signal.Signals) -> None:
    command = [sys.executable, "-c", SWALLOWS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "swallowed\n"
        end = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < end:  # at first it counts as the same wish
            process.send_signal(second)
            time.sleep(0.05)
        process.kill()
    assert process.returncode == 130
    psutil.wait_procs([child], timeout=PATIENCE_S)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
