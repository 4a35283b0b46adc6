"""A ProcessPoolExecutor; one whose worker leaves; and one that is still referenced at the end."""

import concurrent.futures
import multiprocessing
import os
import sys


def half(number):
    return number / 2


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
        print(list(executor.map(half, range(5))))
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        try:
            executor.submit(os._exit, 3).result()
        except concurrent.futures.process.BrokenProcessPool as error:
            print(type(error).__name__)
    sys.modules["keep"] = executor = concurrent.futures.ProcessPoolExecutor(1, mp_context=context)
    print(executor.submit(half, 3).result())
