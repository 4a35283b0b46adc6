"""start, start, join, join: both children are alive at the same time."""

from multiprocessing import Barrier, Process, current_process


def work(meeting):
    for turn in range(2):
        meeting.wait()  # would never return if the other child could not begin
        print(current_process().name, "turn", turn)


if __name__ == "__main__":
    meeting = Barrier(2)
    p1 = Process(target=work, args=(meeting,), name="p1")
    p2 = Process(target=work, args=(meeting,), name="p2")
    p1.start()
    p2.start()
    p1.join()
    p2.join()
    print("the parent's last line")
