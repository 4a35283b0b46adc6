"""Every process has a main thread; other threads have the name they are given, or an automatic one."""

from threading import Thread, current_thread


def loop():
    for turn in range(2):
        print(current_thread().name, "turn", turn)


print(current_thread().name, "starts")
named = Thread(target=loop, name="LoopThread")
unnamed = Thread(target=loop)
for thread in (named, unnamed):
    thread.start()
    thread.join()
print(current_thread().name, "ends")
