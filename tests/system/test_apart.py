"""A child that works apart from us: whatever it does, we hear of it, and go on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gilstudy.system.apart import Apart, Send

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def heard(work: Callable[[Send], None], *, is_mute: bool = True) -> tuple[list[Any], int | None]:
    child = Apart(work, is_mute=is_mute)
    return [message for message in child.messages() if message is not None], child.code


def test_all_that_it_sends_is_heard() -> None:
    long = "x\n\ud800" * 100_000

    def work(send: Send) -> None:
        for number in range(100):
            send({"number": number})
        send({"long": long})

    messages, code = heard(work)
    assert ([message.get("number") for message in messages[:-1]], messages[-1], code) == (
        list(range(100)),
        {"long": long},
        0,
    )


def fails(send: Send) -> None:
    raise LookupError("no")


@pytest.mark.parametrize(
    ("work", "code"),
    [
        (lambda send: os._exit(0), 0),
        (lambda send: os._exit(7), 7),
        (lambda send: sys.exit(3), 3),
        (lambda send: sys.exit("words"), 1),
        (lambda send: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL),
        (fails, 1),
    ],
)
def test_its_end_is_not_ours(work: Callable[[Send], None], code: int) -> None:
    assert heard(work) == ([], code)


def test_a_process_that_it_leaves_behind_keeps_nobody_waiting(tmp_path: Path) -> None:
    def work(send: Send) -> None:
        child = os.fork()
        if not child:
            time.sleep(1000)
        (tmp_path / "left").write_text(str(child))
        send({"left": child})
        os._exit(0)

    messages, code = heard(work)
    os.kill(int((tmp_path / "left").read_text()), signal.SIGKILL)
    assert ([*messages[0]], code) == (["left"], 0)


def test_if_it_closes_every_file_we_hear_no_more_of_it_and_go_on() -> None:
    def work(send: Send) -> None:
        os.closerange(3, 100)
        send({"lost": True})

    messages, code = heard(work)
    assert (messages, code) == ([], 1)


def test_it_waits_for_its_threads_and_runs_its_own_exit_functions(tmp_path: Path) -> None:
    import atexit

    def later() -> None:
        time.sleep(0.05)
        (tmp_path / "thread").touch()

    def work(send: Send) -> None:
        atexit.register((tmp_path / "its own").touch)
        threading.Thread(target=later).start()

    atexit.register((tmp_path / "ours").touch)
    assert heard(work) == ([], 0)
    atexit.unregister((tmp_path / "ours").touch)
    assert {path.name for path in tmp_path.iterdir()} == {"thread", "its own"}


@pytest.mark.parametrize("is_mute", [True, False])
def test_what_it_writes_goes_nowhere_if_so_asked(is_mute: bool, capfd: pytest.CaptureFixture[str]) -> None:
    def work(send: Send) -> None:
        os.write(1, b"written\n")
        os.system("echo from a shell")

    heard(work, is_mute=is_mute)
    assert capfd.readouterr().out == ("" if is_mute else "written\nfrom a shell\n")


def test_a_request_to_end_is_passed_on() -> None:
    def work(send: Send) -> None:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(9))
        send({"ready": True})
        while True:
            time.sleep(0.01)

    child = Apart(work, is_mute=True)
    messages = child.messages()
    while next(messages) is None:
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    assert [message for message in messages if message is not None] == []
    assert (child.code, child.was_asked_to_end) == (9, True)
