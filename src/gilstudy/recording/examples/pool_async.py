"""Four tasks for three workers: apply_async hands them over and does not wait."""

import os
from multiprocessing import Barrier, Event, Pool


def share(*tools):
    global meeting, handed_over
    meeting, handed_over = tools


def task(number):
    print("task", number, "starts in", os.getpid())
    if number < 3:
        meeting.wait()  # the first three run at the same time,
        handed_over.wait()  # and none ends before the parent has handed over all four
    print("task", number, "ends in", os.getpid())


if __name__ == "__main__":
    meeting, handed_over = Barrier(3), Event()
    pool = Pool(3, share, (meeting, handed_over))
    for number in range(4):
        pool.apply_async(task, (number,))
    print("the parent goes on")
    handed_over.set()
    pool.close()
    pool.join()
    print("the parent's last line")
