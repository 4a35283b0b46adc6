"""A process that is terminated in a try statement: its finally does not run."""

import multiprocessing
import signal
import sys


def work(begun):
    try:
        begun.set()
        signal.pause()
    finally:
        print("finally", flush=True)


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    for end in ("terminate", "kill"):
        begun = context.Event()
        process = context.Process(target=work, args=(begun,))
        process.start()
        begun.wait()
        getattr(process, end)()
        process.join()
        print(end, process.exitcode)
