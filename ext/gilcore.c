/* The only file that is compiled with CPython's internal headers.  See gilcore.h.
 *
 * Where the headers are missing, or the version is not one whose layout was checked, it still compiles, and says so.
 */
#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "gilcore.h"

#if !defined(__has_include)
#define GS_NO_GIL "this compiler cannot tell whether CPython's internal headers are there"
#elif defined(PYPY_VERSION) || defined(GRAALVM_PYTHON)
#define GS_NO_GIL "only CPython's GIL can be read, and this is another implementation"
#elif PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x03100000
#define GS_NO_GIL "gilstudy knows where the GIL lies in CPython 3.11 to 3.15 only"
#elif !__has_include("internal/pycore_runtime.h") || !__has_include("internal/pycore_interp.h")
#define GS_NO_GIL "gilstudy was built without CPython's internal headers; install them and build it again"
#endif

#ifdef GS_NO_GIL

const char *gs_gil_reason(unsigned long interval_us)
{
    (void)interval_us;
    return GS_NO_GIL;
}

gs_gil gs_gil_read(void)
{
    gs_gil none = {GS_GIL_FREE, 0};
    return none;
}

uint64_t gs_gil_interval(void) { return 0; }

int64_t gs_gil_others(void) { return 0; }

uint64_t gs_gil_newest(void) { return 0; }

int gs_gil_threads(gs_pythread *out, int room)
{
    (void)out, (void)room;
    return 0;
}

void gs_gil_extent(uint64_t *begin, uint64_t *end) { *begin = *end = 0; }

void gs_gil_mark(void) {}
int gs_gil_unmark(void) { return 0; }
void gs_gil_pass_on(void) {}
uint64_t gs_gil_self(void) { return 0; }

int gs_gil_signal_waits(void) { return 0; }
int gs_gil_waiters(void) { return -1; }

int gs_gil_counts(uint64_t address)
{
    (void)address;
    return 0;
}
int gs_gil_queued(void) { return -1; }

int gs_module_wants_gil(void *module)
{
    (void)module;
    return -1;
}

#else

#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#if PY_VERSION_HEX >= 0x030D0000
#include "internal/pycore_ceval.h"
#include "internal/pycore_lock.h"
#endif
#ifdef Py_GIL_DISABLED
#include "internal/pycore_moduleobject.h"
#endif

#if defined(__GNUC__) || defined(__clang__)
#define GS_READ(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define GS_READ_SWITCHES() GS_READ(the_gil->switch_number)
#else /* MSVC: an aligned word is read at once; no two reads may be made one, since the word may change between them */
#define GS_READ(field) (field)
#define GS_READ_SWITCHES() (*(volatile unsigned long *)&the_gil->switch_number)
#endif
#if PY_VERSION_HEX < 0x030D0000 /* the field is an atomic one in a struct of its own, which only its own macros may read */
#include "internal/pycore_atomic.h"
#define GS_ATOMIC(field) _Py_atomic_load_relaxed(&(field))
#define GS_SET_HOLDER(state) _Py_atomic_store_relaxed(&the_gil->last_holder, (uintptr_t)(state))
#else
#define GS_ATOMIC(field) GS_READ(field)
#define GS_SET_HOLDER(state) _Py_atomic_store_ptr_relaxed(&the_gil->last_holder, (state))
#endif

/* Both lie in the interpreter's static memory, which is there for as long as the process is. */
static PyInterpreterState *the_interpreter;
static struct _gil_runtime_state *the_gil;

/* In the place of a holder that is marked.  The interpreter writes the real one there whenever the GIL is let go, and before
 * that nobody reads more of this one than the word in which a thread that has waited for long asks it to let go. */
static PyThreadState the_mark;
static PyThreadState *the_marked; /* who that is: only who has the GIL can be */

static int is_on(void)
{
#ifdef Py_GIL_DISABLED
    return GS_READ(the_gil->enabled) != 0;
#else
    return 1;
#endif
}

static struct _gil_runtime_state *find_gil(void)
{
#if PY_VERSION_HEX < 0x030C0000
    return &_PyRuntime.ceval.gil;
#else
    /* The main interpreter's own.  Were it another's, that one's memory could be freed. */
    return the_interpreter->ceval.gil == &the_interpreter->_gil ? &the_interpreter->_gil : NULL;
#endif
}

/* Since 3.13 the interpreter tells its layout to debuggers; before, only what it holds can be compared. */
static int is_laid_out_otherwise(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    const _Py_DebugOffsets *told = &_PyRuntime.debug_offsets;
    return memcmp(told->cookie, "xdebugpy", 8) != 0 ||
           told->interpreter_state.ceval_gil != offsetof(PyInterpreterState, ceval.gil) ||
           told->interpreter_state.gil_runtime_state != offsetof(PyInterpreterState, _gil) ||
           told->interpreter_state.gil_runtime_state_locked != offsetof(PyInterpreterState, _gil.locked) ||
           told->interpreter_state.gil_runtime_state_holder != offsetof(PyInterpreterState, _gil.last_holder) ||
           told->interpreter_state.threads_head != offsetof(PyInterpreterState, threads.head);
#else
    return 0;
#endif
}

static int lists_otherwise(PyThreadState *self)
{
    uint64_t newest = the_interpreter->threads.next_unique_id;
    return _PyRuntime.interpreters.main != the_interpreter ||
           the_interpreter->threads.head != PyInterpreterState_ThreadHead(the_interpreter) || newest < self->id ||
           newest - self->id > ((uint64_t)1 << 40);
}

const char *gs_gil_reason(unsigned long interval_us)
{
    static const char *other = "this interpreter is laid out otherwise than the one gilstudy was built for; build it again";
    PyThreadState *self = PyThreadState_Get();
    if (PyInterpreterState_Get() != PyInterpreterState_Main())
        return "only the main interpreter can be watched, and this is another";
    the_interpreter = PyInterpreterState_Main();
    if (is_laid_out_otherwise())
        return other;
    the_gil = find_gil();
    if (the_gil == NULL || lists_otherwise(self) || GS_READ(the_gil->interval) != interval_us)
        return other;
    if (is_on() && gs_gil_read().holder != (uint64_t)(uintptr_t)self)
        return other;
    return "";
}

gs_gil gs_gil_read(void)
{
    gs_gil now;
    if (!is_on()) {
        now.holder = GS_GIL_OFF;
        now.switches = GS_READ_SWITCHES();
        return now;
    }
    /* Three words, not read at one instant: read again until no hand-off fell between. */
    for (int tries = 0; tries < 4; tries++) {
        now.switches = GS_READ_SWITCHES();
        now.holder = (uint64_t)(uintptr_t)GS_ATOMIC(the_gil->last_holder);
        if (now.holder == (uint64_t)(uintptr_t)&the_mark)
            now.holder = (uint64_t)(uintptr_t)GS_READ(the_marked);
        if (GS_ATOMIC(the_gil->locked) != 1)
            now.holder = GS_GIL_FREE;
        if (now.switches == GS_READ_SWITCHES())
            break;
    }
    return now;
}

void gs_gil_mark(void)
{
    the_marked = PyThreadState_Get();
    GS_SET_HOLDER(&the_mark);
}

static int is_marked(void) { return (void *)GS_ATOMIC(the_gil->last_holder) == (void *)&the_mark; }

int gs_gil_unmark(void)
{
    gs_gil_pass_on();
    if (!is_marked())
        return 0;
    GS_SET_HOLDER(the_marked);
    return 1;
}

/* The holder may let go between the two: then it does so once more when it has the GIL again. */
void gs_gil_pass_on(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    if (!_Py_eval_breaker_bit_is_set(&the_mark, _PY_GIL_DROP_REQUEST_BIT))
        return;
    _Py_unset_eval_breaker_bit(&the_mark, _PY_GIL_DROP_REQUEST_BIT);
    if (is_marked())
        _Py_set_eval_breaker_bit(GS_READ(the_marked), _PY_GIL_DROP_REQUEST_BIT);
#endif
}

uint64_t gs_gil_self(void) { return (uint64_t)(uintptr_t)PyThreadState_Get(); }

uint64_t gs_gil_interval(void) { return GS_READ(the_gil->interval); }

/* The main one has number 0. */
int64_t gs_gil_others(void) { return (int64_t)GS_READ(_PyRuntime.interpreters.next_id) - 1; }

uint64_t gs_gil_newest(void) { return GS_READ(the_interpreter->threads.next_unique_id); }

/* The lock that CPython calls HEAD_LOCK: thread states are linked, and unlinked before they are freed, under it. */
static int try_lock_list(void)
{
#if PY_VERSION_HEX < 0x030D0000
    return PyThread_acquire_lock(_PyRuntime.interpreters.mutex, NOWAIT_LOCK) == PY_LOCK_ACQUIRED;
#else
    uint8_t expected = _Py_UNLOCKED;
    return _Py_atomic_compare_exchange_uint8(&_PyRuntime.interpreters.mutex._bits, &expected, _Py_LOCKED);
#endif
}

static void unlock_list(void)
{
#if PY_VERSION_HEX < 0x030D0000
    PyThread_release_lock(_PyRuntime.interpreters.mutex);
#else
    PyMutex_Unlock(&_PyRuntime.interpreters.mutex);
#endif
}

int gs_gil_threads(gs_pythread *out, int room)
{
    int count = 0;
    if (!try_lock_list())
        return -1;
    for (PyThreadState *one = the_interpreter->threads.head; one != NULL; one = one->next, count++) {
        if (count >= room)
            continue;
        out[count].state = (uint64_t)(uintptr_t)one;
        out[count].id = one->id;
        out[count].ident = GS_READ(one->thread_id);
        out[count].native_id = GS_READ(one->native_thread_id);
    }
    unlock_list();
    return count;
}

void gs_gil_extent(uint64_t *begin, uint64_t *end)
{
    *begin = (uint64_t)(uintptr_t)the_gil;
    *end = *begin + sizeof *the_gil;
}

/* In static memory too: the runtime, or its first thread's state. */
int gs_gil_signal_waits(void)
{
#if PY_VERSION_HEX < 0x030D0000
    return GS_ATOMIC(_PyRuntime.ceval.signals_pending) != 0;
#else
    PyThreadState *main = GS_READ(_PyRuntime.main_tstate);
    return main != NULL && (GS_READ(main->eval_breaker) & _PY_SIGNALS_PENDING_BIT) != 0;
#endif
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 25)
/* The C library counts who waits for a condition, also who has been woken and had no CPU yet; three bits are flags.  It
 * has moved the count since (2.41), so the library must be of the version that this was built with. */
#define GS_WAITERS(cond) ((int)(GS_READ((cond).__data.__wrefs) >> 3))
#endif

#ifdef GS_WAITERS
static int counts_waiters_as_built(void)
{
    static int does = -1;
    char built[24];
    if (does < 0) {
        snprintf(built, sizeof built, "%d.%d", __GLIBC__, __GLIBC_MINOR__);
        does = strcmp(built, gnu_get_libc_version()) == 0;
    }
    return does;
}
#endif

#ifdef GS_WAITERS
static int lies_in(const pthread_cond_t *cond, uint64_t address)
{
    return address - (uint64_t)(uintptr_t)cond < sizeof *cond;
}
#endif

int gs_gil_counts(uint64_t address)
{
#if !defined(GS_WAITERS)
    (void)address;
    return 0;
#elif defined(FORCE_SWITCHING)
    return lies_in(&the_gil->cond, address) || lies_in(&the_gil->switch_cond, address);
#else
    return lies_in(&the_gil->cond, address);
#endif
}

int gs_gil_queued(void)
{
#if !defined(GS_WAITERS)
    return -1;
#else
    return counts_waiters_as_built() ? GS_WAITERS(the_gil->cond) : -1;
#endif
}

int gs_gil_waiters(void)
{
    int count = gs_gil_queued();
#if defined(GS_WAITERS) && defined(FORCE_SWITCHING)
    if (count >= 0)
        count += GS_WAITERS(the_gil->switch_cond);
#endif
    return count;
}

int gs_module_wants_gil(void *module)
{
#if !defined(Py_GIL_DISABLED)
    (void)module;
    return -1;
#elif PY_VERSION_HEX < 0x030F0000
    return PyModule_Check((PyObject *)module) ? ((PyModuleObject *)module)->md_gil == Py_MOD_GIL_USED : -1;
#else
    return PyModule_Check((PyObject *)module) ? ((PyModuleObject *)module)->md_requires_gil : -1;
#endif
}

#endif
