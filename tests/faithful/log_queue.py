"""Logging through a queue and a listener, to a file and to standard error, and shutdown at the end."""

import logging
import logging.handlers
import queue
import threading

lines = queue.SimpleQueue()
to_file = logging.FileHandler("log.txt")
form = logging.Formatter("%(name)s %(levelname)s %(threadName)s %(module)s %(funcName)s %(lineno)d %(message)s")
for handler in (to_file, to_stderr := logging.StreamHandler()):
    handler.setFormatter(form)
listener = logging.handlers.QueueListener(lines, to_file, to_stderr)
logging.basicConfig(level=logging.INFO, handlers=[logging.handlers.QueueHandler(lines)])
listener.start()


def work():
    logging.getLogger("worker").info("at work")


for name in ("one", "two"):
    thread = threading.Thread(target=work, name=name)
    thread.start()
    thread.join()
logging.warning("from the main thread")
listener.stop()
