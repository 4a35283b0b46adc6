"""Threads that come and go, some at once, beside forks."""

import os
import threading

for _ in range(30):
    threads = [threading.Thread(target=lambda: None) for _ in range(10)]
    for thread in threads:
        thread.start()
    pid = os.fork()
    if pid == 0:
        os._exit(len(threading.enumerate()) - 1)
    if os.waitpid(pid, 0)[1]:
        print("a child ended badly")
    for thread in threads:
        thread.join()
print(threading.active_count())
