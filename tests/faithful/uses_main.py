"""It looks for itself in many ways."""

import importlib
import inspect
import os
import pkgutil
import runpy
import sys

import __main__


class Thing:
    pass


def frames():
    return len(inspect.getsource(Thing))


print(Thing.__module__, repr(Thing).partition(" at ")[0], frames(), os.path.basename(inspect.getfile(Thing)))
print(inspect.getmodule(Thing) is __main__, __main__.Thing is Thing)
print(os.path.basename(sys.argv[0]), os.path.dirname(os.path.abspath(__file__)) == sys.path[0])
print(pkgutil.find_loader("uses_main") is not None if sys.version_info < (3, 12) else None)
again = runpy.run_path(__file__, run_name="again") if __name__ == "__main__" else {}
print(sorted(again) if again else __name__)
if __name__ == "__main__":
    print(importlib.import_module("uses_main") is not __main__)
    sys.stderr.write(f"{__file__}\n")
