"""Two deposits of 1 without a lock: one is lost, because it came between the other's read and write."""

from threading import Event, Thread

balance = 0
has_read, has_deposited = Event(), Event()


def slow():
    global balance
    seen = balance
    has_read.set()
    has_deposited.wait()  # the other thread runs here
    balance = seen + 1


def quick():
    global balance
    has_read.wait()
    balance = balance + 1
    has_deposited.set()


threads = [Thread(target=slow, name="slow"), Thread(target=quick, name="quick")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("balance", balance)
