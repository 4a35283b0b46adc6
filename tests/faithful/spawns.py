"""Children by older means."""

import os

pid = os.posix_spawn("/bin/sh", ["sh", "-c", "kill -INT $$"], os.environ)
print(os.waitpid(pid, 0)[1])
print(os.system("exit 6"))
with os.popen("echo popen") as pipe:
    print(pipe.read())
print(os.spawnlp(os.P_WAIT, "sh", "sh", "-c", "exit 8"))
try:
    os.wait()
except ChildProcessError as error:
    print(error)
