"""What the children see: forked, spawned, and run with all descriptors that may be inherited."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading


def descriptors():
    found = {}
    for number in range(64):
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}").partition(":")[0]
        except OSError:
            continue
    return found


def tell(who):
    print(who, "argv", sys.argv, "name", __name__)
    for folder in sys.path:
        print(who, "path", folder)
    for number in sorted(signal.valid_signals()):
        print(who, "handler", number, signal.getsignal(number))
    print(who, "mask", signal.pthread_sigmask(signal.SIG_BLOCK, []))
    with open("/proc/self/status") as file:
        lines = [line.split() for line in file]
    for line in lines:
        if line[0] in ("SigBlk:", "SigIgn:", "SigCgt:"):  # without those that the C library has for itself
            mask = int(line[1], 16) & ~(3 << 31)
            print(who, line[0], [number for number in range(64) if mask >> number & 1])
        elif line[0] == "Threads:":
            print(who, line)
    print(who, "threads", [thread.name for thread in threading.enumerate()])
    print(who, "hooks", sys.excepthook is sys.__excepthook__, sys.unraisablehook is sys.__unraisablehook__)
    print(who, "start", threading.Thread.start.__module__, threading.Thread.start.__qualname__)
    print(who, "descriptors", sorted(descriptors().values()), flush=True)


if __name__ == "__main__":
    print("before", flush=True)
    pid = os.fork()
    if pid == 0:
        tell("forked")
        os._exit(5)
    print("forked ended", os.waitpid(pid, 0)[1], flush=True)
    look = (
        "import os, signal, sys\n"
        "print({n: os.readlink(f'/proc/self/fd/{n}').partition(':')[0] for n in range(64)"
        " if os.path.lexists(f'/proc/self/fd/{n}')})\n"
        "print([line.strip() for line in open('/proc/self/status') if line.startswith(('SigB', 'SigI', 'SigC'))])\n"
        "print(sorted(os.environ.items()), sys.argv, sys.path, sys.flags)\n"
    )
    print("run", subprocess.run([sys.executable, "-c", look, "its", "words"], close_fds=False).returncode, flush=True)
    if "spawn" in sys.argv:
        child = multiprocessing.get_context("spawn").Process(target=tell, args=("spawned",))
        child.start()
        child.join()
        print("spawned ended", child.exitcode)
