"""A second interpreter."""

import sys

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
run = interpreters.exec if sys.version_info >= (3, 13) else interpreters.run_string
one = interpreters.create()
run(one, "import sys; print('inside', __name__, flush=True)")
run(one, "import threading; t = threading.Thread(target=print, args=('its thread',)); t.start(); t.join()")
interpreters.destroy(one)
print(len(interpreters.list_all()))
