"""Under spawn the child imports this file again, by another name."""

import multiprocessing
import sys

print("imported as", __name__, flush=True)


class Thing:
    def __init__(self, number):
        self.number = number


def double(thing):
    print("child", sys.argv, __name__, flush=True)
    return Thing(thing.number * 2)


def give(queue, thing):
    queue.put(double(thing))


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=give, args=(queue, Thing(21)))
    process.start()
    print(queue.get().number)
    process.join()
    print(process.exitcode)
