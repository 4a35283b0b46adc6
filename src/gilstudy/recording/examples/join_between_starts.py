"""start, join, start, join: the second child cannot begin before the first has ended."""

from multiprocessing import Process, current_process


def work():
    for turn in range(2):
        print(current_process().name, "turn", turn)


if __name__ == "__main__":
    p1 = Process(target=work, name="p1")
    p2 = Process(target=work, name="p2")
    p1.start()
    p1.join()
    p2.start()
    p2.join()
    print("the parent's last line")
