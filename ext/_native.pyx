# cython: language_level=3, embedsignature=True, binding=True
# cython: freethreading_compatible=True, subinterpreters_compatible=own_gil
"""One clock, exact sleeping, pinning, and the crew of native threads that shows what the host can give.

Thread safety: nothing here is global; a crew's memory belongs to the call that runs it.
"""
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

cdef extern from "crew.h" nogil:
    ctypedef struct gs_edge:
        int64_t before_ns, after_ns, laps, cpu_ns
    ctypedef struct gs_worker:
        uint64_t lap
        int64_t begin_ns, open_ns, close_ns
        int cpu
        int64_t ready_ns
        gs_edge open, close
    int64_t gs_now_ns() noexcept
    int64_t gs_thread_cpu_ns() noexcept
    int64_t gs_sleep_until(int64_t wake_ns) noexcept
    int gs_pin(int cpu) noexcept
    void gs_die_with_parent() noexcept
    int gs_run_crew(gs_worker *workers, int count) noexcept


def now_ns():
    """The time in nanoseconds on the host's monotonic clock, which all its processes share."""
    return gs_now_ns()


def thread_cpu_ns():
    """The CPU time, in nanoseconds, that the calling thread has used."""
    return gs_thread_cpu_ns()


def sleep_until(int64_t wake_ns):
    """Sleep until `now_ns` reaches ``wake_ns``; return the time of waking, read before the GIL is taken again."""
    cdef int64_t woke_ns
    with nogil:
        woke_ns = gs_sleep_until(wake_ns)
    return woke_ns


def pin(int cpu):
    """Keep the calling thread on one CPU; return whether the system could do so."""
    return gs_pin(cpu) != 0


def die_with_parent():
    """Have the system end this process when its parent ends (Linux; elsewhere nothing happens)."""
    gs_die_with_parent()


cdef tuple edge(gs_edge e):
    return e.before_ns, e.after_ns, e.laps, e.cpu_ns


def crew(list cpus, uint64_t lap, int64_t begin_ns, int64_t open_ns, int64_t close_ns):
    """Run one native thread per entry of ``cpus`` (-1: not pinned) from ``begin_ns`` past ``close_ns``.

    Returns, for each thread, ``(ready_ns, open edge, close edge)``, an edge being ``(before_ns, after_ns, laps,
    cpu_ns)``. Raises OSError if the system refuses a thread.
    """
    cdef int count = len(cpus), missing = 0, i
    cdef gs_worker *workers = <gs_worker *>calloc(max(count, 1), sizeof(gs_worker))
    if workers == NULL:
        raise MemoryError()
    try:
        for i in range(count):
            workers[i].lap = lap
            workers[i].begin_ns = begin_ns
            workers[i].open_ns = open_ns
            workers[i].close_ns = close_ns
            workers[i].cpu = cpus[i]
        with nogil:
            missing = gs_run_crew(workers, count)
        if missing:
            raise OSError(f"the system refused {missing} of {count} native threads")
        return [(workers[i].ready_ns, edge(workers[i].open), edge(workers[i].close)) for i in range(count)]
    finally:
        free(workers)
