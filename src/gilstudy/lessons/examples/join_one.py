"""The parent joins the first child only, and does not wait for the second."""

from multiprocessing import Event, Process, current_process


def work(may_end):
    print(current_process().name, "starts")
    may_end.wait()
    print(current_process().name, "ends")


if __name__ == "__main__":
    at_once, parent_is_done = Event(), Event()
    at_once.set()
    p1 = Process(target=work, args=(at_once,), name="p1")
    p2 = Process(target=work, args=(parent_is_done,), name="p2")  # works longer than p1
    p1.start()
    p2.start()
    p1.join()
    # no p2.join()
    print("the parent's last line")
    parent_is_done.set()
