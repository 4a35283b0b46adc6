"""A signal that is blocked in all threads of the program, and waited for: nobody else may take it."""

import os
import signal
import threading

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
for number in (signal.SIGUSR1, signal.SIGTERM):
    got = []
    thread = threading.Thread(target=lambda: got.append(signal.sigwait({number})))
    thread.start()
    os.kill(os.getpid(), number)
    thread.join()
    print(got)
