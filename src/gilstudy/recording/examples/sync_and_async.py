"""A call that waits for its answer, and one that is handed over and answered later."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event


def answer(may_answer):
    may_answer.wait()
    print("the answer is made")
    return 42


now, later = Event(), Event()
now.set()
print("synchronous call")
result = answer(now)
print("the caller goes on with", result)

with ThreadPoolExecutor(1) as pool:
    print("asynchronous call")
    future = pool.submit(answer, later)
    print("the caller goes on")
    later.set()
    print("the caller has", future.result())
