"""The parent joins the first child only, and does not wait for the second."""

from multiprocessing import Barrier, Event, Process, current_process


def work(meeting, may_end):
    print(current_process().name, "starts")
    meeting.wait()
    may_end.wait()
    print(current_process().name, "ends")


if __name__ == "__main__":
    meeting, at_once, parent_is_done = Barrier(3), Event(), Event()
    at_once.set()
    p1 = Process(target=work, args=(meeting, at_once), name="p1")
    p2 = Process(target=work, args=(meeting, parent_is_done), name="p2")  # works longer than p1
    p1.start()
    p2.start()
    meeting.wait()  # both children are alive
    p1.join()
    # no p2.join()
    print("the parent's last line")
    parent_is_done.set()
