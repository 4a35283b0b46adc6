"""A process runs its run method: nothing by default, or one that is assigned, or one that is overridden."""

from multiprocessing import Process, current_process


def hello():
    print("hello from", current_process().name)


class Greeter(Process):
    def run(self):
        hello()


if __name__ == "__main__":
    empty = Process(name="empty")
    assigned = Process(name="assigned")
    assigned.run = hello
    overridden = Greeter(name="overridden")
    for process in (empty, assigned, overridden):
        process.start()
        process.join()
        print(process.name, "ended with exit code", process.exitcode)
