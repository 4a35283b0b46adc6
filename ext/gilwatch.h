/* The GIL watch: one native thread that looks at the GIL, and now and then at the threads, and never takes the GIL.
 *
 * It writes what it saw into memory that was set aside before it began.  The two rings keep the newest entries and
 * count the ones that they overwrote; the two tables keep the oldest and count the ones that found no room.  One thread
 * writes; `head` and `count` are published after the entry, so that another thread may read while the watch runs.
 */
#ifndef GILSTUDY_GILWATCH_H
#define GILSTUDY_GILWATCH_H

#include <stdlib.h>
#include <string.h>

#include "gilcore.h"
#include "gilnames.h"
#include "watchthread.h"

#if defined(__GNUC__) || defined(__clang__)
#define GS_LOAD(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define GS_STORE(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define GS_ADD(p, v) __atomic_add_fetch((p), (v), __ATOMIC_SEQ_CST)
#define GS_READS_END() __atomic_thread_fence(__ATOMIC_ACQUIRE) /* what was read before is not read again later */
#else
#define GS_LOAD(p) (*(volatile int64_t *)(p))
#define GS_STORE(p, v) (*(volatile int64_t *)(p) = (v))
#define GS_ADD(p, v) InterlockedAdd64((volatile LONG64 *)(p), (v))
#define GS_READS_END() MemoryBarrier()
#endif

/* What two threads share is read and written at once, for which it must be aligned: int64_t need not be where it is two
 * words.  In memory of malloc's, which is aligned for anything, a struct's fields are then aligned too. */
#if defined(__GNUC__) || defined(__clang__)
typedef int64_t gs_shared __attribute__((aligned(8)));
#else
typedef __declspec(align(8)) int64_t gs_shared;
#endif

typedef struct {
    int64_t at_ns; /* half-way between the look that found it so and the look before */
    uint64_t holder, switches;
    int64_t thread; /* the holder's place in the table of threads; -1: none, or not known */
} gs_change;

typedef struct {
    gs_pythread thread;
    int64_t first_ns; /* of the look that found it */
    int bound;        /* its ident is its own: it was seen to hold the GIL, or had begun */
} gs_seen;

enum { GS_RUNNING, GS_READY, GS_WAITING, GS_BLOCKED, GS_OFF_CPU, GS_ENDED };

typedef struct {
    int64_t at_ns; /* as in gs_change */
    int64_t looked_ns, cpu_ns, delay_ns, slices; /* of the look that found it so */
    int32_t lane, state;
} gs_turn;

typedef struct {
    int64_t id; /* the thread's native id, or the process id */
    int64_t parent;
    int is_process;
    char name[16];
} gs_lane;

struct gs_rescue; /* how to report when the program is stuck; see gilrescue.h */
struct gs_tasks; /* what is open of the threads that are being looked at; see gilthreads.h */

enum { GS_NEW, GS_STARTED, GS_STOPPING, GS_STOPPED, GS_LOADED };

typedef struct {
    int64_t period_ns, lane_period_ns;
    int64_t sees_gil, sees_lanes;
    /* GIL */
    gs_change *changes;
    int64_t change_room;
    gs_shared change_head; /* all that were ever written */
    gs_seen *seen;
    int64_t seen_room, seen_lost;
    gs_shared seen_count;
    gs_pythread *listing;
    gs_gil last;
    uint64_t newest;
    int64_t holder_id; /* its native id; 0: none, or not known */
    int wants_list;
    /* threads and processes */
    gs_turn *turns;
    int64_t turn_room;
    gs_shared turn_head;
    gs_lane *lanes;
    int64_t lane_room, lane_lost;
    gs_shared lane_count;
    struct gs_tasks *tasks;
    int64_t soonest_lanes_ns, next_lanes_ns;
    int wants_lanes;
    /* itself */
    int64_t begin_ns, first_switches, last_switches;
    int64_t longest_gap_ns, cpu_ns, own_id;
    gs_shared end_ns, polls, stop, phase;
    uint64_t dice;
    int64_t generation;
    gs_names *names;
    struct gs_rescue *rescue; /* NULL: none */
    gs_thread thread;
} gs_watch;

enum { GS_WATCHES = 16 };

/* The watches that run in this process, and how many; a fork begins a new generation, in which none does. */
static gs_watch *gs_active[GS_WATCHES];
static gs_shared gs_running, gs_interpreter_ends;
static int64_t gs_generation;

#include "gilthreads.h"

/* Both are held by a thread that forks, the first one first, so that in its child they are free and what they guard is
 * whole. Nobody waits for the GIL, runs Python or takes another's lock for longer than a try while he has one of them.
 *
 * The first: while a watch looks, begins or ends, and so also while CPython's lock of its list of threads is taken: its
 * child would find it taken for ever. The second, never held for long: for `gs_active` and the names. */
static gs_lock gs_looks_lock = GS_UNLOCKED, gs_names_lock = GS_UNLOCKED;

/* The watching thread waits for nobody: whoever has the lock may be stuck, and then its last report is wanted. */
static int gs_try_lock_looks(void)
{
    for (int tries = 0; tries < 20; tries++) {
        if (gs_try_acquire(&gs_looks_lock))
            return 1;
        gs_nap(gs_now_ns() + 50000);
    }
    return 0;
}

/* The newest entry with this address: an address may be used again, by a thread that comes later. */
static int64_t gs_place_of(gs_watch *w, uint64_t state)
{
    int64_t place = state > GS_GIL_OFF ? w->seen_count : 0;
    while (place-- > 0)
        if (w->seen[place].thread.state == state)
            break;
    return place;
}

static void gs_push_change(gs_watch *w, int64_t at_ns, gs_gil now)
{
    gs_change *c = &w->changes[w->change_head % w->change_room];
    c->at_ns = at_ns;
    c->holder = now.holder;
    c->switches = now.switches;
    c->thread = gs_place_of(w, now.holder);
    w->holder_id = c->thread < 0 ? 0 : (int64_t)w->seen[c->thread].thread.native_id;
    GS_STORE(&w->change_head, w->change_head + 1);
}

static gs_seen *gs_find_seen(gs_watch *w, uint64_t id)
{
    for (int64_t i = w->seen_count; i-- > 0;)
        if (w->seen[i].thread.id == id)
            return &w->seen[i];
    return NULL;
}

static void gs_note_thread(gs_watch *w, const gs_pythread *one, int64_t now_ns)
{
    gs_seen *s = gs_find_seen(w, one->id);
    if (s == NULL) {
        if (w->seen_count == w->seen_room) {
            w->seen_lost++;
            return;
        }
        s = &w->seen[w->seen_count];
        s->first_ns = now_ns;
        s->bound = 0;
        s->thread = *one;
        GS_STORE(&w->seen_count, w->seen_count + 1);
    }
    if (!s->bound) { /* a thread state is made by the parent, and gets its ids when its own thread begins */
        s->thread.ident = one->ident;
        s->thread.native_id = one->native_id;
    }
    s->bound |= one->state == w->last.holder;
}

enum { GS_LISTING = 4096 };

static void gs_list_threads(gs_watch *w, int64_t now_ns)
{
    int count = gs_gil_threads(w->listing, GS_LISTING);
    w->wants_list = count < 0; /* somebody else has the lock: at the next look */
    for (int i = count; i-- > 0;) /* the list is newest first, the table oldest first */
        gs_note_thread(w, &w->listing[i], now_ns);
    gs_want_tasks(w);
}

/* Returns whether it has changed hands. */
static int gs_look_at_gil(gs_watch *w, int64_t before_ns, int64_t now_ns, int may_list)
{
    gs_gil now = gs_gil_read();
    uint64_t newest = gs_gil_newest();
    int changed = now.holder != w->last.holder || now.switches != w->last.switches;
    if (changed && now.holder > GS_GIL_OFF) {
        int64_t place = gs_place_of(w, now.holder);
        w->wants_list |= place < 0 || !w->seen[place].bound;
    }
    w->last = now;
    w->wants_list |= newest != w->newest;
    w->newest = newest;
    if (w->wants_list && may_list)
        gs_list_threads(w, now_ns);
    if (changed)
        gs_push_change(w, before_ns + (now_ns - before_ns) / 2, now);
    w->last_switches = (int64_t)now.switches;
    return changed;
}

/* From half to twice the period (xorshift64).  Looks more even fall into step with what they look at: holds of two or three
 * of them would then seem as long as two or three looks, whichever is nearer, and the median with them. */
static int64_t gs_uneven(gs_watch *w)
{
    w->dice ^= w->dice << 13;
    w->dice ^= w->dice >> 7;
    w->dice ^= w->dice << 17;
    return w->period_ns / 2 + (int64_t)(w->dice % (uint64_t)(w->period_ns * 3 / 2 + 1));
}

/* Threads are looked at now and then, and whenever the GIL has changed hands: what they do most often changes then. */
static void gs_look_at_lanes(gs_watch *w, int64_t now_ns, int changed)
{
    w->wants_lanes |= changed || now_ns >= w->next_lanes_ns;
    if (!w->wants_lanes || now_ns < w->soonest_lanes_ns)
        return;
    w->wants_lanes = 0;
    int64_t cost_ns = -gs_thread_cpu_ns();
    gs_look_at_tasks(w, now_ns);
    cost_ns += gs_thread_cpu_ns();
    w->soonest_lanes_ns = now_ns + 200 * cost_ns; /* half a per cent of a CPU, however many threads there are */
    w->next_lanes_ns = now_ns + w->lane_period_ns;
}

static void gs_look(gs_watch *w, int64_t before_ns, int64_t now_ns)
{
    if (now_ns - before_ns > w->longest_gap_ns)
        w->longest_gap_ns = now_ns - before_ns;
    int has_lock = gs_try_lock_looks();
    int changed = w->sees_gil && gs_look_at_gil(w, before_ns, now_ns, has_lock);
    if (w->sees_lanes && has_lock)
        gs_look_at_lanes(w, now_ns, changed);
    if (has_lock)
        gs_release(&gs_looks_lock);
    GS_STORE(&w->end_ns, now_ns);
    GS_STORE(&w->polls, w->polls + 1);
}

#include "gilrescue.h"

static GS_THREAD_RESULT gs_watch_main(void *arg)
{
    gs_watch *w = (gs_watch *)arg;
    int64_t before_ns = w->begin_ns;
    gs_be_prompt("gil-watch", w->period_ns / 20);
    w->own_id = gs_own_id();
    while (!GS_LOAD(&gs_interpreter_ends)) {
        int64_t now_ns = gs_now_ns(), stop = GS_LOAD(&w->stop);
        gs_look(w, before_ns, now_ns);
        gs_rescue_if_wanted(w, now_ns);
        if (stop) /* asked for before this look, which was the last one */
            break;
        before_ns = now_ns;
        gs_nap(now_ns + gs_uneven(w));
    }
    gs_acquire(&gs_looks_lock);
    gs_close_tasks(w);
    gs_release(&gs_looks_lock);
    w->cpu_ns = gs_thread_cpu_ns();
    if (w->rescue != NULL)
        gs_leave_signals();
    GS_ADD(&gs_running, -1);
    return 0;
}

/* -- made and freed ------------------------------------------------------------------------------------------------ */

static void gs_free_watch(gs_watch *w)
{
    if (w == NULL)
        return;
    free(w->changes);
    free(w->seen);
    free(w->listing);
    free(w->turns);
    free(w->lanes);
    free(w->tasks);
    free(w->names);
    gs_free_rescue(w->rescue);
    free(w);
}

static gs_watch *gs_new_watch(int64_t period_ns, int64_t lane_period_ns, int64_t room)
{
    gs_watch *w = (gs_watch *)calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->period_ns = period_ns;
    w->lane_period_ns = lane_period_ns;
    w->change_room = w->turn_room = room;
    w->seen_room = w->lane_room = 8192;
    w->changes = (gs_change *)calloc((size_t)room, sizeof *w->changes);
    w->turns = (gs_turn *)calloc((size_t)room, sizeof *w->turns);
    w->seen = (gs_seen *)calloc((size_t)w->seen_room, sizeof *w->seen);
    w->listing = (gs_pythread *)calloc(GS_LISTING, sizeof *w->listing);
    w->lanes = (gs_lane *)calloc((size_t)w->lane_room, sizeof *w->lanes);
    w->tasks = gs_new_tasks();
    w->names = (gs_names *)calloc(1, sizeof *w->names);
    if (w->changes && w->turns && w->seen && w->listing && w->lanes && w->tasks && w->names)
        return w;
    gs_free_watch(w);
    return NULL;
}

#endif
