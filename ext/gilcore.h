/* What is read of the interpreter's own structures, behind a few plain functions.
 *
 * Only gilcore.c is compiled with CPython's internal headers; nothing else in the package sees them.
 */
#ifndef GILSTUDY_GILCORE_H
#define GILSTUDY_GILCORE_H

#include <stdint.h>

#define GS_GIL_FREE 0u /* nobody holds the GIL */
#define GS_GIL_OFF 1u  /* a free-threaded build, and its GIL is off; no thread state has this address */

typedef struct {
    uint64_t holder;   /* the address of the holder's thread state: to be compared, never to be followed */
    uint64_t switches; /* hand-offs since the interpreter began, by its own count */
} gs_gil;

typedef struct {
    uint64_t state;     /* the thread state's address */
    uint64_t id;        /* its number: never used again, unlike its address */
    uint64_t ident;     /* threading.get_ident() */
    uint64_t native_id; /* threading.get_native_id(); 0 while the thread has not begun */
} gs_pythread;

/* Why the GIL cannot be read, or "".  Call it with the GIL held, or attached, in the thread that asks; `interval_us` is
 * sys.getswitchinterval(): what is read must agree with it and with what the interpreter says by its public functions. */
const char *gs_gil_reason(unsigned long interval_us);

/* The rest may be called from any thread, GIL or not, from the time that gs_gil_reason has said "" until the
 * interpreter has ended.  None of them takes the GIL, blocks, or reads memory that can have been freed. */
gs_gil gs_gil_read(void);
uint64_t gs_gil_interval(void); /* the switch interval, in microseconds */
int64_t gs_gil_others(void);    /* interpreters that were made beside the main one; each may have a GIL of its own */
uint64_t gs_gil_newest(void); /* grows with every new thread state */
/* Lists the main interpreter's thread states, newest first, under the lock that guards their list, and returns how many
 * there are, also those that found no room; -1 if that lock is not free. */
int gs_gil_threads(gs_pythread *out, int room);
/* Where the GIL's own lock and condition lie: a thread that waits for one of them waits for the GIL. */
void gs_gil_extent(uint64_t *begin, uint64_t *end);
/* Whether it lies in one of the conditions whose waiters are counted, and not in the lock: who waits for that does not. */
int gs_gil_counts(uint64_t address);
/* How many threads wait for the GIL, by the C library's own count; -1 if that cannot be told.  The count is no promise of
 * the library: it is to be believed only while nothing speaks against it. */
int gs_gil_waiters(void);
/* How many of them want it: not those who have let it go and wait until another one has it. */
int gs_gil_queued(void);

/* Marks the calling thread's hold of the GIL, which it must have; the mark is gone as soon as it lets go, be it for an
 * instant, and gs_gil_read does not show it.  The second takes it away, in the same thread and with the GIL, and tells whether it was
 * still there.  Between the two somebody must call the third now and then: since 3.13 a thread that has waited for the GIL
 * for a switch interval asks for it where the mark is, and this passes it on. */
void gs_gil_mark(void);
int gs_gil_unmark(void);
void gs_gil_pass_on(void);
/* The calling thread's state, to be compared with holders. */
uint64_t gs_gil_self(void);

/* Whether a signal waits for Python's main thread to handle it. */
int gs_gil_signal_waits(void);

/* Whether a module object asked for the GIL: 1 yes, 0 no, -1 this build cannot tell. */
int gs_module_wants_gil(void *module);

#endif
