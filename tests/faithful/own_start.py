"""It has a Thread whose start is its own, and replaces Thread.start for a while, as profilers do."""

import threading


class Own(threading.Thread):
    def start(self):
        print("starts", self.name)
        super().start()

    def run(self):
        print("runs", self.name)


before = threading.Thread.start
own = Own()
own.start()
own.join()


def start(thread):
    print("replaced", thread.name)
    before(thread)


threading.Thread.start = start
for _ in range(2):
    thread = threading.Thread(target=print, args=("target",))
    thread.start()
    thread.join()
threading.Thread.start = before
thread = threading.Thread(target=print, args=("as before",))
thread.start()
thread.join()
print(threading.Thread.start is before)
try:
    thread.start()
except RuntimeError as error:
    print(error)
