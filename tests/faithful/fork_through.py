"""A child that falls through to the end, as its parent does; and its own child, too."""

import atexit
import os
import sys

atexit.register(lambda: print("atexit of", who))
who = "parent"
pid = os.fork()
if pid == 0:
    who = "child"
    if os.fork() == 0:
        who = "grandchild"
    else:
        print("grandchild ended", os.wait()[1])
    print(who, "falls through", flush=True)
    if sys.argv[1:] == ["badly"]:
        raise ValueError(who)
else:
    print("child ended", os.waitpid(pid, 0)[1])
