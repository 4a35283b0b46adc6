"""Children by subprocess: pipes, preexec_fn, groups, signals, a time limit, a shell."""

import os
import signal
import subprocess
import sys

print(subprocess.run(["cat"], input=b"through cat\n", stdout=subprocess.PIPE))
print(subprocess.run(["sh", "-c", "kill -TERM $$"]).returncode)
print(subprocess.run(["sh", "-c", "exit 9"], preexec_fn=os.setsid, start_new_session=False).returncode)
print(
    subprocess.check_output([sys.executable, "-c", "import signal; print(signal.getsignal(15), signal.getsignal(2))"])
)
print(subprocess.run("echo $0 words >&2", shell=True, stderr=subprocess.PIPE).stderr)
first = subprocess.Popen(["printf", "b\\na\\n"], stdout=subprocess.PIPE)
second = subprocess.Popen(["sort"], stdin=first.stdout, stdout=subprocess.PIPE)
first.stdout.close()
print(second.communicate()[0], first.wait())
waiting = subprocess.Popen(
    ["cat"], stdin=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL)
)
try:
    waiting.wait(0.01)
except subprocess.TimeoutExpired:
    print("it waits")
waiting.terminate()
print(waiting.wait())
try:
    subprocess.Popen(["/no/such/program"])
except FileNotFoundError as error:
    print(error)
