"""apply waits for its result: with three workers, still one task at a time."""

import os
from multiprocessing import Pool


def task(number):
    print("task", number, "starts in", os.getpid())
    print("task", number, "ends in", os.getpid())


if __name__ == "__main__":
    pool = Pool(3)
    for number in range(4):
        pool.apply(task, (number,))
    print("the parent goes on")
    pool.close()
    pool.join()
