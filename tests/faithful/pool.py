"""A pool in a with statement, which terminates it; and one that is closed and joined."""

import multiprocessing
import sys


def square(number):
    return number * number


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        print(pool.map(square, range(10)))
    print({process.exitcode in (0, -15) for process in pool._pool})  # told to end, or terminated, whichever is first
    other = context.Pool(1)
    print(other.apply(square, (12,)))
    other.close()
    other.join()
    print([process.exitcode for process in other._pool])
