# cython: language_level=3, embedsignature=True, binding=True
# cython: freethreading_compatible=True
"""The GIL watch: a native thread that looks at the GIL and at the threads, and never takes the GIL.

It is not for subinterpreters: what it reads is the main interpreter's. Thread safety: a `Sampler`'s entries are written
by its own thread alone and published entry by entry (see gilwatch.h); starts and stops are serialised by a lock.
"""
import threading

from libc.stdint cimport int32_t, int64_t, uint64_t

cdef extern from "Python.h" nogil:
    int Py_AtExit(void (*func)() noexcept)

cdef extern from "gilwatch.h" nogil:
    ctypedef struct gs_pythread:
        uint64_t state, id, ident, native_id
    ctypedef struct gs_change:
        int64_t at_ns, thread
        uint64_t holder, switches
    ctypedef struct gs_seen:
        int64_t serial
        gs_pythread thread
        int64_t first_ns
    ctypedef struct gs_turn:
        int64_t before_ns, looked_ns, ran_ns, ready_ns, cpu_ns, delay_ns, slices
        int32_t lane, state
    ctypedef struct gs_lane:
        int64_t serial, id, parent
        int is_process
        char name[16]
    ctypedef struct gs_watch:
        gs_change *changes
        int64_t change_room, change_head
        gs_seen *seen
        int64_t seen_count, seen_lost, seen_unlisted
        gs_turn *turns
        int64_t turn_room, turn_head
        gs_lane *lanes
        int64_t lane_count, lane_lost, lane_without, opened_anew
        int64_t lane_looks, lane_cost_ns
        int64_t begin_ns, end_ns, first_switches, last_switches
        int64_t polls, longest_gap_ns, cpu_ns, own_id
    const char *gs_gil_reason(unsigned long interval_us) noexcept
    const char *gs_lanes_reason(gs_watch *w) noexcept
    int gs_module_wants_gil(void *module) noexcept
    gs_watch *gs_new_watch(
        int64_t period_ns, int64_t lane_period_ns, int64_t unseen_ns, int64_t room, int64_t thread_room
    ) noexcept
    void gs_free_watch(gs_watch *w) noexcept
    int gs_start_watch(gs_watch *w, int sees_gil, int sees_lanes) noexcept
    void gs_stop_watch(gs_watch *w) noexcept
    int gs_prepare_for_forks() noexcept
    void gs_be_prompt(const char *name, int64_t slack_ns) noexcept
    void gs_at_interpreter_end() noexcept
    int64_t GS_LOAD(int64_t *p) noexcept
    void GS_READS_END() noexcept


def gil_reason(unsigned long interval_us):
    """Why the GIL cannot be read, or "". ``interval_us``: ``sys.getswitchinterval()`` in microseconds."""
    return gs_gil_reason(interval_us).decode()


def be_prompt(str name):
    """Let the calling thread be put on a CPU soon after it is woken (Linux 6.12 and later; elsewhere nothing happens)."""
    cdef bytes told = name.encode()
    gs_be_prompt(told, 1000)


def module_wants_gil(object module):
    """Whether a module turns the GIL of a free-threaded build on: True, False, or None if that cannot be told."""
    cdef int wants = gs_module_wants_gil(<void *>module)
    return None if wants < 0 else wants == 1


cdef int64_t lost(int64_t head, int64_t room):
    return head + 1 - room if head > room else 0  # one more than was overwritten: the oldest may be just now


cdef class Sampler:
    """One watch: made, started once, stopped once, read at any time."""
    cdef gs_watch *watch
    cdef int state  # 0 new, 1 started, 2 stopped

    def __cinit__(
        self, int64_t period_ns, int64_t lane_period_ns, int64_t unseen_ns, int64_t room, int64_t thread_room
    ):
        self.watch = gs_new_watch(period_ns, lane_period_ns, unseen_ns, room, thread_room)
        if self.watch == NULL:
            raise MemoryError()

    def __dealloc__(self):
        if self.state == 1:
            with nogil:
                gs_stop_watch(self.watch)
        gs_free_watch(self.watch)

    def lanes_reason(self):
        """Why threads cannot be looked at, or "". Call it after `gil_reason`, before `start`."""
        return gs_lanes_reason(self.watch).decode()

    def start(self, bint sees_gil, bint sees_lanes):
        """Begin. Raises OSError if the system refuses a thread, or if too many watches run at once."""
        with starting:
            if self.state:
                raise RuntimeError("a watch is started only once")
            if not gs_start_watch(self.watch, sees_gil, sees_lanes):
                raise OSError("the system refused a thread for the watch, or 16 watches run already")
            self.state = 1

    def stop(self):
        """End, and wait until the thread has ended. A second time it does nothing."""
        if self.state != 1:  # also at the interpreter's end, when the lock is gone
            return
        with starting:
            if self.state == 1:
                with nogil:
                    gs_stop_watch(self.watch)
                self.state = 2

    def facts(self):
        """The watch itself: its own thread's id, looks, times, and what was lost."""
        cdef gs_watch *w = self.watch
        return {
            "begin_ns": w.begin_ns, "end_ns": GS_LOAD(&w.end_ns), "polls": GS_LOAD(&w.polls),
            "longest_gap_ns": w.longest_gap_ns, "cpu_ns": w.cpu_ns, "own_id": w.own_id,
            "first_switches": w.first_switches, "last_switches": w.last_switches,
            "lost_changes": lost(w.change_head, w.change_room), "lost_turns": lost(w.turn_head, w.turn_room),
            "lost_threads": w.seen_lost + w.seen_unlisted, "lost_lanes": w.lane_lost + w.lane_without,
            "opened_anew": w.opened_anew, "lane_looks": w.lane_looks, "lane_cost_ns": w.lane_cost_ns,
        }

    def changes(self):
        """All kept changes of the holder, oldest first: ``(at_ns, holder, switches, its number in threads)``."""
        cdef gs_watch *w = self.watch
        cdef int64_t head = GS_LOAD(&w.change_head), i
        cdef int64_t first = max(0, head - w.change_room)
        cdef list found = []
        cdef gs_change c
        for i in range(first, head):
            c = w.changes[i % w.change_room]
            found.append((c.at_ns, c.holder, c.switches, c.thread))
        GS_READS_END()  # what was overwritten meanwhile, should the watch still run, is not believed
        return found[max(0, GS_LOAD(&w.change_head) + 1 - w.change_room - first):]

    def turns(self):
        """All kept turns of threads and processes, oldest first: see `assemble.Turn`."""
        cdef gs_watch *w = self.watch
        cdef int64_t head = GS_LOAD(&w.turn_head), i
        cdef int64_t first = max(0, head - w.turn_room)
        cdef list found = []
        cdef gs_turn t
        for i in range(first, head):
            t = w.turns[i % w.turn_room]
            found.append((
                t.lane, t.state, t.before_ns, t.looked_ns, t.ran_ns, t.ready_ns, t.cpu_ns, t.delay_ns, t.slices
            ))
        GS_READS_END()
        return found[max(0, GS_LOAD(&w.turn_head) + 1 - w.turn_room - first):]

    def threads(self):
        """All thread states that are remembered, oldest first: ``(number, ident, native_id, first_ns)``."""
        cdef gs_watch *w = self.watch
        cdef int64_t i, number
        cdef gs_seen s
        cdef list found = []
        for i in range(GS_LOAD(&w.seen_count)):
            number = GS_LOAD(&w.seen[i].serial)
            s = w.seen[i]
            GS_READS_END()  # if the slot is being given to another one, neither is believed
            if number >= 0 and number == GS_LOAD(&w.seen[i].serial):
                found.append((number, s.thread.ident, s.thread.native_id, s.first_ns))
        return sorted(found)

    def lanes(self):
        """All remembered threads and processes that were looked at: ``(number, id, parent, is_process, name)``."""
        cdef gs_watch *w = self.watch
        cdef int64_t i, number
        cdef gs_lane one
        cdef list found = []
        for i in range(GS_LOAD(&w.lane_count)):
            number = GS_LOAD(&w.lanes[i].serial)
            one = w.lanes[i]
            GS_READS_END()
            if number >= 0 and number == GS_LOAD(&w.lanes[i].serial):
                name = one.name.decode("utf-8", "replace")
                found.append((number, one.id, one.parent, bool(one.is_process), name))
        return sorted(found)


starting = threading.RLock()  # a forgotten watch may be collected, and so stopped, while it is held
if gs_prepare_for_forks() or Py_AtExit(gs_at_interpreter_end):
    raise ImportError("the system has no room for another exit function, without which a watch would not be safe")
