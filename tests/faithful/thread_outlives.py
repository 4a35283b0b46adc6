"""A thread that outlives the last line: the main module is there all along."""

import pickle
import sys
import threading
import typing

end_of_main = threading.Event()


class Held:
    what: "int"


def square(number):
    return number * number


def late():
    threading.main_thread().join()
    print(pickle.loads(pickle.dumps(square))(2), pickle.loads(pickle.dumps(Held())).__class__.__name__)
    print(sys.modules["__main__"].__dict__ is globals(), typing.get_type_hints(Held))
    threading.Thread(target=print, args=("a thread of a thread",)).start()


threading.Thread(target=late, name="late").start()
if sys.argv[1:] == ["error"]:
    raise ValueError("the last line")
print("the last line")
