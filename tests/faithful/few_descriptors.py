"""As many files as its limit allows, beside many threads."""

import os
import resource
import threading

resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
go_on = threading.Event()
threads = [threading.Thread(target=go_on.wait) for _ in range(200)]
for thread in threads:
    thread.start()
turns = threading.Barrier(2)


def takes_turns():
    for _ in range(200):
        turns.wait()


other = threading.Thread(target=takes_turns)
other.start()
takes_turns()  # some tens of hand-offs: whoever looks on has seen the threads
other.join()
files = [os.open(os.devnull, os.O_RDONLY) for _ in range(60)]
print(len(files), "files")
go_on.set()
for thread in threads:
    thread.join()
