"""Several processes with several threads each."""

import os
import sys
from multiprocessing import Barrier, Process
from threading import Thread, get_native_id


def work(meeting):
    meeting.wait()  # returns when all threads of all processes are here
    print("process", os.getpid(), "thread", get_native_id())


def run(threads, meeting):
    crew = [Thread(target=work, args=(meeting,)) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()


if __name__ == "__main__":
    processes, threads = int(sys.argv[1]), int(sys.argv[2])
    meeting = Barrier(processes * threads)
    crew = [Process(target=run, args=(threads, meeting)) for _ in range(processes)]
    for process in crew:
        process.start()
    for process in crew:
        process.join()
