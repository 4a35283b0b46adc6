"""It closes its own streams."""

import os
import sys

print("before")
how = sys.argv[1]
if how == "stdout":
    sys.stdout.close()
elif how == "descriptors":
    sys.stdout.flush()
    os.close(1)
    os.close(2)
elif how == "all":
    os.close(0)
    sys.stdin = None
    sys.stdout.flush()
    sys.stdout = sys.stderr = None
elif how == "stderr":
    sys.stderr.close()
elif how == "replaced":
    import io

    sys.stdout = io.StringIO()
    print("into the replacement")
elif how == "redirected":
    sys.stdout.flush()
    os.dup2(os.open("out.txt", os.O_CREAT | os.O_WRONLY), 1)
    print("into the file")
