"""A ThreadPoolExecutor that is still referenced at the end: its idle workers are told to go."""

import atexit
import concurrent.futures
import sys

sys.modules["keep"] = executor = concurrent.futures.ThreadPoolExecutor(2)
print(list(executor.map(abs, range(-4, 0))))
executor.submit(lambda: print("the last task"))
atexit.register(print, "atexit")
