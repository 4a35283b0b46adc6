"""faulthandler: enabled, on a signal, and after a while."""

import faulthandler
import os
import signal
import sys
import tempfile

print(faulthandler.is_enabled())
faulthandler.enable()
faulthandler.register(signal.SIGUSR1, chain=False)
os.kill(os.getpid(), signal.SIGUSR1)
with tempfile.TemporaryFile("w+") as file:
    faulthandler.dump_traceback_later(0.001, file=file)
    while not os.fstat(file.fileno()).st_size:
        pass
    faulthandler.cancel_dump_traceback_later()
    file.seek(0)
    print(file.readline().partition(" (")[0])
if sys.argv[1:] == ["crash"]:
    faulthandler._sigsegv()
