# cython: language_level=3, embedsignature=True, binding=True
# cython: freethreading_compatible=True
"""The GIL watch: a native thread that looks at the GIL and at the threads, and never takes the GIL.

It is not for subinterpreters: what it reads is the main interpreter's. Thread safety: a `Sampler`'s entries are written
by its own thread alone and published entry by entry (see gilwatch.h); starts, stops and names are guarded by native
locks, which are free in a forked child.
"""
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport calloc, free

cdef extern from "Python.h" nogil:
    int Py_AtExit(void (*func)() noexcept)

cdef extern from "gilglances.h" nogil:
    ctypedef struct gs_pythread:
        uint64_t state, id, ident, native_id
    ctypedef struct gs_change:
        int64_t at_ns, thread
        uint64_t holder, switches
    ctypedef struct gs_queue:
        int64_t at_ns, count
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
    ctypedef struct gs_name:
        int64_t id, length
        int64_t begin
    ctypedef struct gs_names:
        int64_t count
        char text[1]
    enum: GS_NAME_TEXT, GS_LOADED
    ctypedef struct gs_last_call:
        int64_t id
        char call[24]
    ctypedef struct gs_watch:
        gs_change *changes
        int64_t change_room, change_head
        gs_queue *queues
        int64_t queue_room, queue_head
        gs_seen *seen
        int64_t seen_count, seen_lost, seen_unlisted
        gs_turn *turns
        int64_t turn_room, turn_head
        gs_lane *lanes
        int64_t lane_count, lane_lost, lane_without, opened_anew
        int64_t lane_looks, lane_cost_ns
        int64_t begin_ns, end_ns, first_switches, last_switches
        int64_t interval_us, interval_changes, others
        int64_t polls, longest_gap_ns, cpu_ns, own_id, phase
    const char *gs_gil_reason(unsigned long interval_us) noexcept
    const char *gs_lanes_reason(gs_watch *w) noexcept
    int gs_module_wants_gil(void *module) noexcept
    gs_watch *gs_new_watch(
        int64_t period_ns, int64_t lane_period_ns, int64_t unseen_ns, int64_t room, int64_t thread_room
    ) noexcept
    void gs_free_watch(gs_watch *w) noexcept
    int gs_start_watch(gs_watch *w, int sees_gil, int sees_lanes) noexcept
    void gs_stop_watch(gs_watch *w) noexcept
    void gs_tell_name(gs_watch *w, int64_t id, const char *text, int64_t length) noexcept
    gs_names *gs_copy_names(gs_watch *w) noexcept
    int64_t gs_first_name(const gs_names *all) noexcept
    const gs_name *gs_name_at(const gs_names *all, int64_t place) noexcept
    int gs_any_runs() noexcept
    int gs_arm(
        gs_watch *w, char **argv, char **envp, int64_t deadline_ns, int takes_signals, int int_is_own) noexcept
    gs_watch *gs_load(int file, gs_last_call **calls, int64_t *count) noexcept
    int gs_prepare_for_forks() noexcept
    int gs_claims_exit() noexcept
    void gs_be_prompt(const char *name, int64_t slack_ns) noexcept
    void gs_at_interpreter_end() noexcept
    int64_t GS_LOAD(int64_t *p) noexcept
    ctypedef struct gs_glance:
        int64_t planned_ns, before_ns, after_ns
        uint64_t holder
    ctypedef struct gs_glances:
        int64_t count, cpu_ns
        gs_glance *kept
        int runs
    gs_glances *gs_new_glances(int64_t period_ns, int64_t capacity) noexcept
    int gs_start_glances(gs_glances *g) noexcept
    void gs_stop_glances(gs_glances *g) noexcept
    void gs_free_glances(gs_glances *g) noexcept
    void gs_cpu_use(int64_t *cpu_ns, int64_t *preemptions) noexcept
    void gs_gil_mark() noexcept
    int gs_gil_unmark() noexcept
    uint64_t gs_gil_self() noexcept
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


cdef void tell(gs_watch *watch, object native_id, object name) except *:
    cdef bytes text = name.encode("utf-8", "surrogatepass")
    gs_tell_name(watch, native_id, text, len(text))


def telling(object original):
    """A stand-in for ``threading.Thread._set_native_id``: it does the same, and tells all watches the new thread's name.

    It runs in the new thread, before any code of the program's, and has no frame that anybody could see. Whatever is
    unusual about the thread object is left alone.
    """
    def _set_native_id(thread):
        original(thread)
        try:
            tell(NULL, thread._native_id, thread._name)
        except Exception:
            pass
    _set_native_id.gilstudy_stands_for = original
    return _set_native_id


def any_runs():
    """Whether a watch runs in this process; in a forked child none does that its parent began."""
    return bool(gs_any_runs())


cdef class Sampler:
    """One watch: made, started once, stopped once, read at any time."""
    cdef gs_watch *watch

    def __cinit__(
        self, int64_t period_ns, int64_t lane_period_ns, int64_t room,
        int64_t unseen_ns=10_000_000, int64_t thread_room=1 << 15
    ):
        if room > 0:  # else one that was saved is put in place
            self.watch = gs_new_watch(period_ns, lane_period_ns, unseen_ns, room, thread_room)
            if self.watch == NULL:
                raise MemoryError()

    def __dealloc__(self):
        if self.watch == NULL or self.watch.phase == GS_LOADED:
            return
        with nogil:
            gs_stop_watch(self.watch)
        gs_free_watch(self.watch)

    def lanes_reason(self):
        """Why threads cannot be looked at, or "". Call it after `gil_reason`, before `start`."""
        return gs_lanes_reason(self.watch).decode()

    def start(self, bint sees_gil, bint sees_lanes):
        """Begin. Raises OSError if the system refuses a thread, or if too many watches run at once."""
        cdef int started = gs_start_watch(self.watch, sees_gil, sees_lanes)
        if started < 0:
            raise RuntimeError("a watch is started only once")
        if started == 0:
            raise OSError("the system refused a thread for the watch, or 16 watches run already")

    def stop(self):
        """End, and wait until the thread has ended. A second time it does nothing."""
        with nogil:
            gs_stop_watch(self.watch)

    def arm(self, list argv, list environment, int64_t deadline_ns, bint takes_signals, bint int_is_own):
        """Have the program end, and ``argv`` report in its place, at a time or by a signal. See `rescue`.

        ``argv``, with a path first, and ``environment`` are bytes; two words are added: the number of the open file that
        `saved` reads, or -1, and what ended the program: the number of a signal, or 0 if its time was up. Returns whether
        it can be done.
        """
        cdef char **words = <char **>calloc(len(argv) + 1, sizeof(char *))
        cdef char **settings = <char **>calloc(len(environment) + 1, sizeof(char *))
        cdef Py_ssize_t i
        try:
            if words == NULL or settings == NULL:
                raise MemoryError()
            for i in range(len(argv)):
                words[i] = <bytes?>argv[i]
            for i in range(len(environment)):
                settings[i] = <bytes?>environment[i]
            return bool(gs_arm(self.watch, words, settings, deadline_ns, takes_signals, int_is_own))
        finally:
            free(words)
            free(settings)

    def tell(self, native_id, name):
        """What a thread, or a process, is called; the newest name counts, and is cut after 4096 bytes."""
        tell(self.watch, native_id, name)

    def names(self):
        """The names that were told, by native id or process id."""
        cdef gs_names *all = gs_copy_names(self.watch)
        cdef const gs_name *one
        cdef const char *text
        cdef int64_t place
        cdef dict found = {}
        if all == NULL:
            raise MemoryError()
        try:
            for place in range(gs_first_name(all), all.count):
                one = gs_name_at(all, place)
                if one != NULL:
                    text = &all.text[0] + one.begin % GS_NAME_TEXT
                    found[one.id] = text[:one.length].decode("utf-8", "surrogatepass")
        finally:
            free(all)
        return found

    def facts(self):
        """The watch itself: its own thread's id, looks, times, and what was lost."""
        cdef gs_watch *w = self.watch
        return {
            "begin_ns": w.begin_ns, "end_ns": GS_LOAD(&w.end_ns), "polls": GS_LOAD(&w.polls),
            "longest_gap_ns": w.longest_gap_ns, "cpu_ns": w.cpu_ns, "own_id": w.own_id,
            "first_switches": w.first_switches, "last_switches": w.last_switches,
            "interval_us": w.interval_us, "interval_changes": w.interval_changes, "others": w.others,
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

    def queues(self):
        """How many threads waited for the GIL, whenever that changed, oldest first: ``(at_ns, count)``; -1: not known."""
        cdef gs_watch *w = self.watch
        cdef int64_t head = GS_LOAD(&w.queue_head), i
        cdef int64_t first = max(0, head - w.queue_room)
        cdef list found = []
        cdef gs_queue q
        for i in range(first, head):
            q = w.queues[i % w.queue_room]
            found.append((q.at_ns, q.count))
        GS_READS_END()
        return found[max(0, GS_LOAD(&w.queue_head) + 1 - w.queue_room - first):]

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


def mark():
    """Mark this thread's hold of the GIL, until it is let go for the first time, or `unmark` is called.

    Only where `gil_reason` says "", and while `Glances` run: they pass on what other threads ask of a marked one.
    """
    gs_gil_mark()


def unmark():
    """Take the mark away, and tell whether this thread has held the GIL without a break since it called `mark`."""
    return gs_gil_unmark() != 0


def cpu_use():
    """This thread's CPU time in nanoseconds, and how often it was preempted; both 0 where the system does not tell."""
    cdef int64_t cpu_ns, preemptions
    gs_cpu_use(&cpu_ns, &preemptions)
    return cpu_ns, preemptions


def holder_id():
    """What `Glances` tells of this thread while it has the GIL."""
    return gs_gil_self()


cdef class Glances:
    """Glances at who has the GIL, each kept: made where `gil_reason` says "", started once, stopped, read afterwards."""
    cdef gs_glances *glances

    def __cinit__(self, int64_t period_ns, int64_t capacity):
        self.glances = gs_new_glances(period_ns, capacity)
        if self.glances == NULL:
            raise MemoryError()

    def __dealloc__(self):
        if self.glances != NULL:
            with nogil:
                gs_stop_glances(self.glances)
            gs_free_glances(self.glances)

    def start(self):
        """Begin. Raises OSError if the system refuses a thread."""
        if not gs_start_glances(self.glances):
            raise OSError("the system refused a thread")

    def stop(self):
        """End, and wait until the thread has ended. A second time it does nothing."""
        with nogil:
            gs_stop_glances(self.glances)

    def cpu_ns(self):
        """The CPU time that it used, once it has been stopped."""
        return self.glances.cpu_ns

    def kept(self):
        """All glances, oldest first: ``(planned_ns, before_ns, after_ns, holder)``; 0 is nobody, 1 that the GIL is off."""
        cdef int64_t i
        cdef gs_glance one
        cdef list found = []
        if self.glances.runs:
            raise RuntimeError("it has not been stopped")
        for i in range(self.glances.count):
            one = self.glances.kept[i]
            found.append((one.planned_ns, one.before_ns, one.after_ns, one.holder))
        return found


def saved(int file):
    """A watch as it was written to an open file when it was armed, and what each thread did at the end.

    That is by native id: the number of the system call in which it slept, "running", or "" if it was not told. Raises
    ValueError if the file is another build's, or not whole.
    """
    cdef gs_last_call *calls = NULL
    cdef int64_t count = 0, i
    cdef Sampler sampler = Sampler(0, 0, 0)
    sampler.watch = gs_load(file, &calls, &count)
    if sampler.watch == NULL:
        raise ValueError("this is not what a watch of this build has saved")
    return sampler, {calls[i].id: calls[i].call.decode("ascii", "replace") for i in range(count)}


if gs_prepare_for_forks() or (gs_claims_exit() and Py_AtExit(gs_at_interpreter_end)):
    raise ImportError("the system has no room for another exit function, without which a watch would not be safe")
