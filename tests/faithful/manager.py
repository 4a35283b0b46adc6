"""A manager, shared memory with its tracker, and queues with feeder threads at the end."""

import multiprocessing
import multiprocessing.managers
import multiprocessing.shared_memory


def work(shared, name, queue):
    shared.append(1)
    memory = multiprocessing.shared_memory.SharedMemory(name)
    memory.buf[0] = 42
    memory.close()
    queue.put("done")


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=10)
    queue = context.Queue()
    with multiprocessing.managers.SyncManager(ctx=context) as manager:
        manager_list = manager.list()
        process = context.Process(target=work, args=(manager_list, memory.name, queue))
        process.start()
        print(queue.get())
        process.join()
        print(list(manager_list), memory.buf[0], process.exitcode)
    memory.close()
    memory.unlink()
    queue.put("never fetched")
