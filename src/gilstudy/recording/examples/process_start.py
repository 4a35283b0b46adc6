"""Two children with names and ids; they run side by side with the parent."""

import os
from multiprocessing import Barrier, Process, current_process


def work(meeting):
    for turn in range(3):
        meeting.wait()  # neither child goes on before both are here
        print(current_process().name, os.getpid(), "turn", turn)


if __name__ == "__main__":
    print("parent", os.getpid(), "starts")
    meeting = Barrier(2)
    p1 = Process(target=work, args=(meeting,), name="p1")
    p2 = Process(target=work, args=(meeting,), name="p2")
    p1.start()
    p2.start()
    p1.join()
    p2.join()
    print("parent", os.getpid(), "ends")
