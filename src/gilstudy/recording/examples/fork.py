"""fork is called once and returns twice."""

import os

print("before the fork:", os.getpid())
answer = os.fork()
if answer == 0:
    print("in the child, fork returned", answer, "and I am", os.getpid(), "child of", os.getppid())
else:
    os.waitpid(answer, 0)
    print("in the parent, fork returned", answer, "and I am", os.getpid())
