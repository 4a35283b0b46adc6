"""How far the probe can be trusted. Calls of which it is known what they do, over and over, on a quiet and a busy host.

    python bench/probe.py                20 runs each: as it is, beside a hog, on one CPU, on one CPU beside a hog
    python bench/probe.py --runs 3 --only one-cpu

Exit code 1 if a verdict was wrong. What is not installed is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import bz2
import contextlib
import ctypes
import hashlib
import importlib
import json
import logging
import lzma
import os
import random
import re
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator

from hog import hog

from gilstudy.host.runtime import this_runtime
from gilstudy.probing.asking import doubt
from gilstudy.probing.probe import probe_call
from gilstudy.watching.gil import gil_reason

Call = Callable[[], object]
R, H, OWN = ("releases",), ("holds",), ("not-judged",)
SOME = ("releases", "mixed")
"""It is known to let the GIL go, and the call is so short that the share depends on the host."""


def standard() -> dict[str, tuple[tuple[str, ...], Call]]:
    """Calls into the standard library, each with the verdicts that are right for it."""
    data, small = random.Random(0).randbytes(1_000_000), b"x" * 100
    squeezed = zlib.compress(data[:300_000])
    numbers = [random.Random(1).random() for _ in range(100_000)]
    table = {str(i): list(range(10)) for i in range(5_000)}
    text = json.dumps(table)
    base = sqlite3.connect(":memory:", check_same_thread=False)
    base.execute("create table t (a)")
    base.executemany("insert into t values (?)", [(i,) for i in range(50_000)])
    buffer = ctypes.create_string_buffer(1_000_000)
    libc_holds, libc_releases = ctypes.PyDLL(None), ctypes.CDLL(None)

    return {
        "sha256, 1 MB": (R, lambda: hashlib.sha256(data)),
        "sha256, 100 B": (H, lambda: hashlib.sha256(small)),
        "md5, 1 MB": (R, lambda: hashlib.md5(data)),
        "blake2b, 1 MB": (R, lambda: hashlib.blake2b(data)),
        "pbkdf2_hmac": (R, lambda: hashlib.pbkdf2_hmac("sha256", small, small, 20_000)),
        "crc32, 1 MB": (R, lambda: zlib.crc32(data)),
        "crc32, 100 B": (H, lambda: zlib.crc32(small)),
        "zlib.compress, 1 MB": (R, lambda: zlib.compress(data)),
        "zlib.compress, 100 B": (SOME, lambda: zlib.compress(small)),
        "zlib.decompress": (R, lambda: zlib.decompress(squeezed)),
        "bz2.compress": (R, lambda: bz2.compress(data[:200_000])),
        "lzma.compress": (SOME, lambda: lzma.compress(data[:50_000])),
        "json.dumps": (H, lambda: json.dumps(table)),
        "json.loads": (H, lambda: json.loads(text)),
        "json.loads, small": (H, lambda: json.loads("[1]")),
        "re.findall": (H, lambda: re.findall(r"\d+", text)),
        "re.match, small": (H, lambda: re.match("a+b", "aaab")),
        "sorted, 100 000": (H, lambda: sorted(numbers)),
        "sorted, 3": (H, lambda: sorted((3, 1, 2))),
        "struct.pack": (H, lambda: struct.pack(">Id", 5, 1.5)),
        "sum of a range": (H, lambda: sum(range(300_000))),
        "sqlite3 select": (R, lambda: base.execute("select sum(a * a) from t").fetchall()),
        "time.sleep, 5 ms": (R, lambda: time.sleep(0.005)),
        "time.sleep, 0.6 s": (R, lambda: time.sleep(0.6)),
        "time.sleep, 0": (SOME, lambda: time.sleep(0)),
        "socket, there and back": (SOME, talker()),
        "subprocess.run": (SOME, lambda: subprocess.run(["true"], check=True)),
        "PyDLL usleep": (H, lambda: libc_holds.usleep(5000)),
        "CDLL usleep": (R, lambda: libc_releases.usleep(5000)),
        "PyDLL memset, 1 MB": (H, lambda: libc_holds.memset(buffer, 0, 1_000_000)),
        "CDLL memset, 1 MB": (R, lambda: libc_releases.memset(buffer, 0, 1_000_000)),
        "a stat in 10 ms": (H, stat_in_the_midst),
        "a line of a log": (H, line_of_a_log()),
        "threads of its own, Python": (OWN, lambda: in_threads(lambda: sum(i * i for i in range(100_000)))),
        "threads of its own, C": (R, lambda: in_threads(lambda: hashlib.sha256(data))),
        "a coroutine that waits": (R, waits),
        "a coroutine that computes": (H, computes),
    }


def stat_in_the_midst() -> None:
    half = list(range(40_000))
    sum(i * i for i in half)
    os.stat(os.curdir)  # noqa: PTH116
    sum(i * i for i in half)


def line_of_a_log() -> Call:
    log = logging.getLogger("bench")
    log.propagate = False
    log.addHandler(logging.FileHandler(os.devnull))
    return lambda: log.warning("done: %d", 3)


def in_threads(work: Call) -> None:
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def waits() -> None:
    await asyncio.sleep(0.005)


async def computes() -> None:
    sum(range(10_000))


def talker() -> Call:
    here, there = socket.socketpair()

    def talk() -> None:
        here.send(b"x")
        there.recv(1)

    return talk


def third_party() -> dict[str, tuple[tuple[str, ...], Call]]:
    found: dict[str, tuple[tuple[str, ...], Call]] = {}
    with contextlib.suppress(ImportError):
        numpy = importlib.import_module("numpy")
        big, few = numpy.random.default_rng(0).random(1_000_000), numpy.arange(10.0)
        square = numpy.random.default_rng(1).random((300, 300))
        found["numpy.sin, 1 000 000"] = (R, lambda: numpy.sin(big))
        found["numpy.sin, 10"] = (H, lambda: numpy.sin(few))
        found["numpy matmul, 300 x 300"] = (R, lambda: square @ square)
        found["numpy.array of a list"] = (H, lambda: numpy.array(few.tolist() * 1000))
    with contextlib.suppress(ImportError):
        orjson = importlib.import_module("orjson")
        table = {str(i): list(range(10)) for i in range(5_000)}
        text = orjson.dumps(table)
        found["orjson.dumps"] = (H, lambda: orjson.dumps(table))
        found["orjson.loads"] = (H, lambda: orjson.loads(text))
    with contextlib.suppress(ImportError):
        scrypt = importlib.import_module("cryptography.hazmat.primitives.kdf.scrypt").Scrypt
        found["cryptography Scrypt"] = (R, lambda: scrypt(salt=b"x" * 16, length=32, n=2**12, r=8, p=1).derive(b"x"))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", choices=tuple(CONDITIONS))
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    if reason := gil_reason():
        print(f"{this_runtime().label}: {reason}")
        return 0
    wrong = 0
    for place in [args.only] if args.only else list(CONDITIONS):
        with CONDITIONS[place]():
            wrong += runs(place, args.runs, args.verbose)
    return 1 if wrong else 0


@contextlib.contextmanager
def one_cpu() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


@contextlib.contextmanager
def one_cpu_with_hog() -> Iterator[None]:
    with one_cpu(), hog(True):
        yield


CONDITIONS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "quiet": contextlib.nullcontext,
    "hog": lambda: hog(True),
    "one-cpu": one_cpu,
    "one-cpu-hog": one_cpu_with_hog,
}


def runs(place: str, count: int, verbose: bool) -> int:
    """Probe everything ``count`` times; return how many verdicts were wrong."""
    cases = standard() | third_party()
    verdicts: dict[str, Counter[str]] = {name: Counter() for name in cases}
    slowest, failed = 0.0, 0
    for _ in range(count):
        known = doubt()
        failed += known is not None
        for name, (_, call) in cases.items():
            begin = time.perf_counter()
            found = probe_call(name, call, doubt=known)
            slowest = max(slowest, time.perf_counter() - begin)
            verdicts[name][found.verdict] += 1
            if found.verdict == "inconclusive":
                print(f"    {name}: {found.reason}; {found.evidence}")
    right = wrong = withheld = 0
    for name, (truth, _) in cases.items():
        seen = verdicts[name]
        right += sum(seen[verdict] for verdict in truth)
        withheld += seen["inconclusive"]
        bad = sum(n for verdict, n in seen.items() if verdict not in (*truth, "inconclusive"))
        wrong += bad
        if bad or seen["inconclusive"] or verbose:
            print(f"  {name}: {dict(seen)}, right is {' or '.join(truth)}")
    print(
        f"{this_runtime().label} {place}: {len(cases)} calls x {count} runs: {right} right, {wrong} wrong, "
        f"{withheld} withheld; controls failed {failed} times; the slowest answer took {slowest:.2f} s",
        flush=True,
    )
    return wrong


if __name__ == "__main__":
    sys.exit(main())
