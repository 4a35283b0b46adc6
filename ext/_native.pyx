# cython: language_level=3, embedsignature=True, binding=True
# cython: freethreading_compatible=True, subinterpreters_compatible=own_gil
"""One clock, exact sleeping, pinning, and the crew of native threads that shows what the host can give.

Thread safety: nothing here is global; a crew's memory belongs to the object that opened it.
"""
from libc.stdint cimport int64_t, uint64_t

cdef extern from "crew.h" nogil:
    ctypedef struct gs_edge:
        int64_t before_ns, after_ns, batches, cpu_ns
    ctypedef struct gs_worker:
        int cpu, refused
        int64_t ready_ns
        gs_edge open, close
    ctypedef struct gs_crew:
        gs_worker *workers
        uint64_t batch
        int64_t begin_ns, open_ns, close_ns
    int64_t gs_now_ns() noexcept
    int64_t gs_thread_cpu_ns() noexcept
    int64_t gs_sleep_until(int64_t wake_ns) noexcept
    int gs_pin(int cpu) noexcept
    void gs_die_with_parent() noexcept
    gs_crew *gs_open_crew(int count) noexcept
    void gs_run_crew(gs_crew *crew, int wanted) noexcept
    void gs_close_crew(gs_crew *crew) noexcept


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
    return e.before_ns, e.after_ns, e.batches, e.cpu_ns


cdef class NativeThreads:
    """Up to ``workers`` native threads, parked between turns. Use it from one thread at a time.

    Raises OSError if the system refuses a thread.
    """
    cdef gs_crew *crew
    cdef int count

    def __cinit__(self, int workers):
        if workers < 1:
            raise ValueError("a crew has one worker at least")
        self.count = workers
        self.crew = gs_open_crew(workers)
        if self.crew == NULL:
            raise OSError(f"the system refused {workers} native threads")

    def __dealloc__(self):
        self.close()

    def close(self):
        """Send every thread home and wait for it. A second time it does nothing."""
        cdef gs_crew *crew = self.crew
        self.crew = NULL
        if crew != NULL:
            with nogil:
                gs_close_crew(crew)

    def run(self, list cpus, uint64_t batch, int64_t begin_ns, int64_t open_ns, int64_t close_ns):
        """Have a thread per entry of ``cpus`` (-1: not pinned) work from ``begin_ns`` past ``close_ns``.

        Returns, for each thread, ``(ready_ns, open edge, close edge)``, an edge being ``(before_ns, after_ns, batches,
        cpu_ns)``. Raises OSError if the system refuses to keep a thread on its CPU.
        """
        cdef gs_crew *crew = self.crew
        cdef int wanted = len(cpus), i
        cdef list seen = []
        if crew == NULL or not 1 <= wanted <= self.count:
            raise ValueError("the crew is closed, or has not so many workers")
        crew.batch, crew.begin_ns, crew.open_ns, crew.close_ns = batch, begin_ns, open_ns, close_ns
        for i in range(wanted):
            crew.workers[i].cpu = cpus[i]
        with nogil:
            gs_run_crew(crew, wanted)
        for i in range(wanted):
            if crew.workers[i].refused:
                raise OSError(f"the system refused to keep a worker on CPU {crew.workers[i].cpu}")
            seen.append((crew.workers[i].ready_ns, edge(crew.workers[i].open), edge(crew.workers[i].close)))
        return seen
