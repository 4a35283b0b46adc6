"""close, then join; join alone is an error; terminate drops the tasks that wait."""

import time
from multiprocessing import Event, Pool


def share(event):
    global begun
    begun = event


def long_task():
    begun.set()
    time.sleep(3600)  # would take an hour


def short_task():
    return 1


if __name__ == "__main__":
    first = Pool(1)
    try:
        first.join()
    except ValueError as error:
        print("join without close:", type(error).__name__)
    waiting = [first.apply_async(short_task) for _ in range(3)]
    first.close()
    first.join()
    print("done after close and join:", sum(result.ready() for result in waiting))

    begun = Event()
    second = Pool(1, share, (begun,))
    second.apply_async(long_task)
    waiting = [second.apply_async(short_task) for _ in range(3)]
    begun.wait()
    second.terminate()
    second.join()
    print("done after terminate:", sum(result.ready() for result in waiting))
