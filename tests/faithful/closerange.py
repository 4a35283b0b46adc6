"""It closes all descriptors but three, as daemons do, and uses the numbers for files of its own, beside threads."""

import os
import sys
import threading

os.closerange(3, 256)
names = [f"file{number}" for number in range(40)]
files = [os.open(name, os.O_CREAT | os.O_RDWR, 0o600) for name in names]


def write(number):
    for _ in range(50):
        os.write(number, b"a line of forty bytes, with the newline.\n"[-40:])


for _ in range(5):
    threads = [threading.Thread(target=write, args=(number,)) for number in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(
    {os.fstat(number).st_size for number in files},
    [os.readlink(f"/proc/self/fd/{number}")[-6:] for number in files[:3]],
)
if "thread" in sys.argv:
    threading.Thread(target=lambda: (threading.main_thread().join(), os.write(files[0], b"late\n"))).start()
