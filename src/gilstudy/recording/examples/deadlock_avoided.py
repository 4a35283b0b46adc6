"""The same two locks, always taken in the same order: nobody can hold what an earlier one waits for."""

from threading import Barrier, Lock, Thread

lock_a, lock_b = Lock(), Lock()
both_are_here = Barrier(2)


def transfer(first, second):
    both_are_here.wait()
    with first, second:
        print("transferred")


Thread(target=transfer, args=(lock_a, lock_b), name="forth").start()
Thread(target=transfer, args=(lock_a, lock_b), name="back").start()
