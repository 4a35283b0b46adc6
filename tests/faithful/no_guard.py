"""Without the guard, spawn fails in the child, with a long explanation."""

import multiprocessing

process = multiprocessing.get_context("spawn").Process(target=print)
process.start()
process.join()
print(process.exitcode)
