"""A thread forks; the child goes on in that thread alone, starts threads and leaves."""

import os
import threading


def forks(name):
    pid = os.fork()
    if pid == 0:
        print([thread.name for thread in threading.enumerate()], threading.current_thread() is threading.main_thread())
        thread = threading.Thread(target=print, args=("a thread of the child",))
        thread.start()
        thread.join()
        return
    print(name, "saw its child end with", os.waitpid(pid, 0)[1])


thread = threading.Thread(target=forks, args=("the thread",), name="forks")
thread.start()
thread.join()
print("the last line")
