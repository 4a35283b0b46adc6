"""The same two deposits with a lock: the second thread has to wait for its turn, and nothing is lost."""

from threading import Event, Lock, Thread

balance = 0
lock = Lock()
has_read, has_tried = Event(), Event()


def slow():
    global balance
    lock.acquire()
    try:
        seen = balance
        has_read.set()
        has_tried.wait()  # the other thread tries here, and cannot
        balance = seen + 1
    finally:
        lock.release()  # also after an error, or the others would wait for ever


def quick():
    global balance
    has_read.wait()
    print("the lock was free:", lock.acquire(blocking=False))
    has_tried.set()
    with lock:  # acquires, and releases whatever happens
        balance = balance + 1


threads = [Thread(target=slow, name="slow"), Thread(target=quick, name="quick")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("balance", balance)
