"""Without join the parent does not wait: its last line comes first."""

from multiprocessing import Barrier, Event, Process, current_process


def work(meeting, parent_is_done):
    meeting.wait()
    parent_is_done.wait()  # the children do nothing before the parent's last line
    for turn in range(2):
        print(current_process().name, "turn", turn)


if __name__ == "__main__":
    meeting, parent_is_done = Barrier(3), Event()
    p1 = Process(target=work, args=(meeting, parent_is_done), name="p1")
    p2 = Process(target=work, args=(meeting, parent_is_done), name="p2")
    p1.start()
    p2.start()
    meeting.wait()  # both children are alive
    # no p1.join(), no p2.join()
    print("the parent's last line")
    parent_is_done.set()
