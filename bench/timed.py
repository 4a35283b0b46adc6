"""Loads whose time bench/faithful.py compares: each does a fixed amount of work, and prints how long it took.

    python bench/timed.py           names them
    python bench/timed.py LOAD      does one

It knows nothing of gilstudy, as the programs that people trace.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import http.server
import json
import multiprocessing
import os
import queue
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable


def count(number: int) -> None:
    while number:
        number -= 1


def in_threads(work: Callable[[int], object], argument: int, threads: int = 2) -> None:
    crew = [threading.Thread(target=work, args=(argument,)) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()


def alone() -> None:
    """One thread of pure Python."""
    count(15_000_000)


def threads() -> None:
    """Two threads that take turns."""
    in_threads(count, 8_000_000)


def hashing() -> None:
    """Two threads in C without the GIL, in long calls."""
    data = bytes(20_000_000)
    in_threads(lambda turns: [hashlib.sha256(data) for _ in range(turns)], 15)


def hand_offs() -> None:
    """Two threads that pass a token to and fro as fast as they can."""
    there: queue.SimpleQueue[int] = queue.SimpleQueue()
    back: queue.SimpleQueue[int] = queue.SimpleQueue()
    turns = 20_000

    def answer() -> None:
        for _ in range(turns):
            back.put(there.get())

    thread = threading.Thread(target=answer)
    thread.start()
    for turn in range(turns):
        there.put(turn)
        back.get()
    thread.join()


def short_threads() -> None:
    """Threads that come and go."""
    for _ in range(8_000):
        in_threads(abs, 1, threads=1)


def many_threads() -> None:
    """Many threads that wait, one that works."""
    go_on = threading.Event()
    crew = [threading.Thread(target=go_on.wait) for _ in range(300)]
    for thread in crew:
        thread.start()
    count(12_000_000)
    go_on.set()
    for thread in crew:
        thread.join()


def pool() -> None:
    """A pool of processes."""
    with multiprocessing.get_context("fork").Pool(2) as workers:
        workers.map(count, [1_000_000] * 20)


def forks() -> None:
    """Children that only leave."""
    for _ in range(400):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)


def children() -> None:
    """Other programs."""
    for _ in range(250):
        subprocess.run(["true"], check=True)


def loop() -> None:
    """A loop with an executor."""
    text = json.dumps([list(range(100))] * 2_000)

    async def main() -> None:
        with concurrent.futures.ThreadPoolExecutor(2) as executor:
            running = asyncio.get_running_loop()
            for _ in range(15):
                await asyncio.gather(*(running.run_in_executor(executor, json.loads, text) for _ in range(2)))
                await asyncio.gather(*(asyncio.sleep(0) for _ in range(200)))

    asyncio.run(main())


def server() -> None:
    """A web server in a thread, and its client."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"answer")

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one:
        threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(500):
            opener.open(f"http://127.0.0.1:{one.server_port}/").read()
        one.shutdown()


def database() -> None:
    """A database in memory, from two threads."""

    def work(rows: int) -> None:
        connection = sqlite3.connect(":memory:")
        connection.execute("create table numbers (number integer)")
        connection.executemany("insert into numbers values (?)", ((number,) for number in range(rows)))
        connection.execute("select sum(number) from numbers").fetchall()
        connection.close()

    in_threads(work, 400_000)


LOADS = (
    *(alone, threads, hashing, hand_offs, short_threads, many_threads),
    *(pool, forks, children, loop, server, database),
)

if __name__ == "__main__":
    by_name = {load.__name__: load for load in LOADS}
    if len(sys.argv) == 1:
        print(*by_name)
    else:
        begin = time.perf_counter()
        by_name[sys.argv[1]]()
        print(time.perf_counter() - begin)
