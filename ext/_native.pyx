# cython: language_level=3, embedsignature=True, binding=True
# cython: freethreading_compatible=True, subinterpreters_compatible=own_gil
"""One clock, exact sleeping, pinning, and the crew of native threads that shows what the host can give.

Thread safety: nothing here is global; a crew's memory belongs to who opened it.
"""
from cpython.ref cimport PyObject
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
        int count
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

cdef extern from *:
    """
    #define GS_CREW "gilstudy native crew"
    #define GS_CLOSED "gilstudy native crew, closed"
    static void gs_forget_crew(PyObject *capsule)
    {
        gs_crew *crew = (gs_crew *)PyCapsule_GetPointer(capsule, GS_CREW);
        if (crew != NULL)
            gs_close_crew(crew);
    }
    """
    const char *GS_CREW
    const char *GS_CLOSED
    void gs_forget_crew(PyObject *capsule) noexcept

cdef extern from "Python.h":
    ctypedef void (*PyCapsule_Destructor)(PyObject *) noexcept
    object PyCapsule_New(void *pointer, const char *name, PyCapsule_Destructor destructor)
    void *PyCapsule_GetPointer(object capsule, const char *name) except NULL
    bint PyCapsule_IsValid(object capsule, const char *name) noexcept
    int PyCapsule_SetDestructor(object capsule, PyCapsule_Destructor destructor) except -1
    int PyCapsule_SetName(object capsule, const char *name) except -1


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


def open_crew(int workers):
    """Start ``workers`` native threads, which are parked between turns; use them from one thread at a time.

    It is no class: a type of an extension is one object for all interpreters, and they would all free it. Threads that
    were not sent home by `close_crew` are when the crew is forgotten.

    Raises OSError if the system refuses a thread.
    """
    if workers < 1:
        raise ValueError("a crew has one worker at least")
    cdef gs_crew *crew = gs_open_crew(workers)
    if crew == NULL:
        raise OSError(f"the system refused {workers} native threads")
    try:
        return PyCapsule_New(crew, GS_CREW, gs_forget_crew)
    except:
        gs_close_crew(crew)
        raise


def close_crew(crew):
    """Send every thread home and wait for it. A second time it does nothing."""
    cdef gs_crew *threads
    if PyCapsule_IsValid(crew, GS_CREW):
        threads = <gs_crew *>PyCapsule_GetPointer(crew, GS_CREW)
        PyCapsule_SetDestructor(crew, NULL)
        PyCapsule_SetName(crew, GS_CLOSED)
        with nogil:
            gs_close_crew(threads)


def run_crew(crew, list cpus, uint64_t batch, int64_t begin_ns, int64_t open_ns, int64_t close_ns):
    """Have a thread per entry of ``cpus`` (-1: not pinned) work from ``begin_ns`` past ``close_ns``.

    Returns, for each thread, ``(ready_ns, open edge, close edge)``, an edge being ``(before_ns, after_ns, batches,
    cpu_ns)``. Raises OSError if the system refuses to keep a thread on its CPU, ValueError if the crew was closed.
    """
    if not PyCapsule_IsValid(crew, GS_CREW):
        raise ValueError("the crew is closed")
    cdef gs_crew *threads = <gs_crew *>PyCapsule_GetPointer(crew, GS_CREW)
    cdef int wanted = len(cpus), i
    cdef list seen = []
    if not 1 <= wanted <= threads.count:
        raise ValueError("the crew has not so many workers")
    threads.batch, threads.begin_ns, threads.open_ns, threads.close_ns = batch, begin_ns, open_ns, close_ns
    for i in range(wanted):
        threads.workers[i].cpu = cpus[i]
    with nogil:
        gs_run_crew(threads, wanted)
    for i in range(wanted):
        if threads.workers[i].refused:
            raise OSError(f"the system refused to keep a worker on CPU {threads.workers[i].cpu}")
        seen.append((threads.workers[i].ready_ns, edge(threads.workers[i].open), edge(threads.workers[i].close)))
    return seen
