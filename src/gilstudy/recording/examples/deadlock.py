"""Two locks, taken in opposite order: each thread holds what the other wants, for ever."""

from threading import Barrier, Lock, Thread

lock_a, lock_b = Lock(), Lock()
each_has_one = Barrier(2)


def transfer(first, second):
    with first:
        each_has_one.wait()  # now each thread holds its first lock
        with second:
            print("never printed")


Thread(target=transfer, args=(lock_a, lock_b), name="forth").start()
Thread(target=transfer, args=(lock_b, lock_a), name="back").start()
