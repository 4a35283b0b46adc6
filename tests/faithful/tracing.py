"""settrace and setprofile, of this thread and of new ones."""

import sys
import threading

seen = []


def tracer(frame, event, given):
    seen.append((event, frame.f_code.co_name))
    return tracer


def work():
    return 1


threading.settrace(tracer)
thread = threading.Thread(target=work)
thread.start()
thread.join()
threading.settrace(None)
sys.setprofile(lambda frame, event, given: seen.append((event, frame.f_code.co_name)))
thread = threading.Thread(target=work)
thread.start()
thread.join()
sys.setprofile(None)
sys.setswitchinterval(0.001)
print(sys.getswitchinterval(), threading.gettrace())
print([one for one in seen if one[1] not in ("__exit__", "__enter__", "acquire", "release")])
