"""A daemon: two forks, a session of its own, all descriptors closed; it writes a file and tells that it is done."""

import os

reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    os.umask(0o077)
    os.dup2(writer, 3)
    os.closerange(4, 256)
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    os.write(3, f"descriptor {null}, folder {os.getcwd()}".encode())
    os._exit(0)
os.close(writer)
print(os.wait()[1])
print(os.read(reader, 100))
