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

typedef struct {
    int64_t at_ns; /* half-way between the look that found it so and the look before */
    uint64_t holder, switches;
    int64_t thread; /* the holder's serial number in the table of threads; -1: none, or not known */
} gs_change;

typedef struct {
    int64_t serial; /* its own for ever, unlike its slot; -1 while it is being written */
    gs_pythread thread;
    int64_t first_ns; /* of the look that found it */
    int64_t listed;   /* the last listing that it was in */
    int bound;        /* its ident is its own: it was seen to hold the GIL, or had begun */
} gs_seen;

enum { GS_RUNNING, GS_READY, GS_WAITING, GS_BLOCKED, GS_OFF_CPU, GS_HOLDING, GS_ENDED };

typedef struct {
    int64_t before_ns, looked_ns;     /* the look before, and the look that found it so */
    int64_t ran_ns, ready_ns;         /* between the two: on a CPU, and waiting for one */
    int64_t cpu_ns, delay_ns, slices; /* in all, at the latter */
    int32_t lane, state;
} gs_turn;

typedef struct {
    int64_t serial; /* as in gs_seen */
    int64_t id;     /* the thread's native id, or the process id */
    int64_t parent;
    int is_process, living;
    char name[16];
} gs_lane;

typedef struct {
    uint64_t state; /* 0: empty */
    int64_t slot;
} gs_place;

/* The threads of one listing by their address; see gilseen.h. */
typedef struct {
    gs_place *at;
    uint64_t mask;
} gs_places;

struct gs_tasks; /* what is open of the threads that are being looked at; see gilthreads.h */

typedef struct {
    int64_t period_ns, lane_period_ns, unseen_ns;
    int64_t sees_gil, sees_lanes;
    /* GIL */
    gs_change *changes;
    int64_t change_room, change_head; /* head: all that were ever written */
    gs_seen *seen;
    int64_t seen_room, seen_count, seen_next, seen_serial, seen_lost, seen_unlisted;
    gs_pythread *listing;
    int64_t listing_room, listings;
    gs_places places, spare;
    gs_gil last;
    uint64_t newest, change_newest; /* thread states made before the last listing, and before the last change */
    int64_t holder_id; /* its native id; 0: none, or not known */
    int64_t unsure_ns; /* the last look since whose predecessor it may have been with a thread that was not seen */
    int wants_list;
    /* threads and processes */
    gs_turn *turns;
    int64_t turn_room, turn_head;
    gs_lane *lanes;
    int64_t lane_room, lane_count, lane_next, lane_serial, lane_lost, lane_without, opened_anew;
    struct gs_tasks *tasks;
    int64_t soonest_lanes_ns, next_lanes_ns, lane_looks, lane_cost_ns, usual_cost_ns;
    int wants_lanes;
    /* itself */
    int64_t begin_ns, end_ns, first_switches, last_switches;
    int64_t polls, longest_gap_ns, cpu_ns, own_id;
    int64_t stop;
    uint64_t dice;
    int64_t generation;
    gs_thread thread;
} gs_watch;

enum { GS_WATCHES = 16 };

/* The watches that run in this process, and how many; a fork begins a new generation, in which none does. */
static gs_watch *gs_active[GS_WATCHES];
static int64_t gs_running, gs_generation, gs_interpreter_ends;

#include "gilseen.h"
#include "gilthreads.h"

/* Held while threads are looked at, and while this process forks. */
#ifdef _WIN32
static void gs_lock_tasks(void) {}
static void gs_unlock_tasks(void) {}
#else
static pthread_mutex_t gs_tasks_lock = PTHREAD_MUTEX_INITIALIZER;
static void gs_lock_tasks(void) { pthread_mutex_lock(&gs_tasks_lock); }
static void gs_unlock_tasks(void) { pthread_mutex_unlock(&gs_tasks_lock); }
#endif

/* Who holds it is credited to `slot`, -1 being nobody. */
static void gs_push_change(gs_watch *w, int64_t at_ns, int64_t slot)
{
    gs_change *c = &w->changes[w->change_head % w->change_room];
    c->at_ns = at_ns;
    c->holder = w->last.holder;
    c->switches = w->last.switches;
    GS_STORE(&c->thread, slot < 0 ? -1 : w->seen[slot].serial);
    GS_STORE(&w->change_head, w->change_head + 1);
}

/* Lists the threads that there are; `newest` and w->last were read before. */
static void gs_list_threads(gs_watch *w, int64_t now_ns, uint64_t newest)
{
    int count = gs_gil_threads(w->listing, (int)w->listing_room);
    w->wants_list = count < 0; /* somebody else has the lock: at the next look */
    if (count < 0)
        return;
    gs_note_threads(w, count, now_ns, newest);
    w->newest = newest;
    gs_want_tasks(w);
}

/* Whose hold it is.  If the threads could not be listed just now, it may be one that has come since: nobody's then, until
 * it can be told. */
static int64_t gs_credit(gs_watch *w, int changed, int64_t now_ns, uint64_t newest)
{
    int64_t slot = gs_slot_of(w, w->last.holder, newest);
    int is_unknown = w->last.holder > GS_GIL_OFF && (slot < 0 || !w->seen[slot].bound);
    if (w->wants_list || newest != w->newest || (changed && is_unknown)) {
        gs_list_threads(w, now_ns, newest);
        slot = w->wants_list ? -1 : gs_slot_of(w, w->last.holder, newest);
    }
    w->holder_id = slot < 0 ? 0 : (int64_t)w->seen[slot].thread.native_id;
    return slot;
}

/* Returns whether it has changed hands. */
static int gs_look_at_gil(gs_watch *w, int64_t before_ns, int64_t now_ns)
{
    uint64_t newest = gs_gil_newest(); /* before the holder is read: who comes later cannot be the holder */
    gs_gil before = w->last;
    w->last = gs_gil_read();
    uint64_t handoffs = w->last.switches - before.switches;
    int changed = w->last.holder != before.holder || handoffs != 0;
    int64_t slot = gs_credit(w, changed, now_ns, newest), serial = slot < 0 ? -1 : w->seen[slot].serial;
    gs_change *c = &w->changes[(w->change_head - 1) % w->change_room];
    if (!changed && serial >= 0 && c->thread < 0 && w->seen[slot].thread.id <= w->change_newest)
        GS_STORE(&c->thread, serial); /* it was there when the change was seen */
    else if (changed || (serial >= 0 && serial != c->thread)) {
        gs_push_change(w, before_ns + (now_ns - before_ns) / 2, slot);
        w->change_newest = newest;
        changed = 1;
    }
    if (changed && w->holder_id != 0)
        gs_note_holder(w, now_ns);
    if (handoffs > 1 || (handoffs == 1 && w->holder_id == 0))
        w->unsure_ns = now_ns;
    w->last_switches = (int64_t)w->last.switches;
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

/* How long to let threads be after a look of this cost, so that all looks together take two per cent of a CPU: these what
 * those at the GIL leave of it, and half a per cent at least. */
static int64_t gs_pause(gs_watch *w, int64_t now_ns, int64_t cost_ns)
{
    w->lane_looks++;
    w->lane_cost_ns += cost_ns;
    w->usual_cost_ns += (cost_ns - w->usual_cost_ns) / (w->lane_looks < 16 ? w->lane_looks : 16);
    double span_ns = (double)(now_ns - w->begin_ns + 1000000);
    double left = 0.02 - (double)(gs_thread_cpu_ns() - w->lane_cost_ns) / span_ns;
    return (int64_t)((double)w->usual_cost_ns / (left < 0.005 ? 0.005 : left > 0.015 ? 0.015 : left));
}

/* Threads are looked at now and then, and whenever the GIL has changed hands: what they do most often changes then. */
static void gs_look_at_lanes(gs_watch *w, int64_t now_ns, int changed)
{
    w->wants_lanes |= changed || now_ns >= w->next_lanes_ns;
    if (!w->wants_lanes || now_ns < w->soonest_lanes_ns)
        return;
    w->wants_lanes = 0;
    int64_t cost_ns = -gs_thread_cpu_ns();
    gs_lock_tasks();
    gs_look_at_tasks(w, now_ns);
    gs_unlock_tasks();
    cost_ns += gs_thread_cpu_ns();
    w->soonest_lanes_ns = now_ns + gs_pause(w, now_ns, cost_ns);
    w->next_lanes_ns = now_ns + w->lane_period_ns;
}

static void gs_look(gs_watch *w, int64_t before_ns, int64_t now_ns)
{
    if (now_ns - before_ns > w->longest_gap_ns)
        w->longest_gap_ns = now_ns - before_ns;
    int changed = w->sees_gil && gs_look_at_gil(w, before_ns, now_ns);
    if (w->sees_lanes)
        gs_look_at_lanes(w, now_ns, changed);
    GS_STORE(&w->end_ns, now_ns);
    GS_STORE(&w->polls, w->polls + 1);
}

static GS_THREAD_RESULT gs_watch_main(void *arg)
{
    gs_watch *w = (gs_watch *)arg;
    int64_t before_ns = w->begin_ns;
    gs_be_prompt("gil-watch", w->period_ns / 20);
    w->own_id = gs_own_id();
    while (!GS_LOAD(&gs_interpreter_ends)) {
        int64_t now_ns = gs_now_ns(), stop = GS_LOAD(&w->stop);
        gs_look(w, before_ns, now_ns);
        if (stop) /* asked for before this look, which was the last one */
            break;
        before_ns = now_ns;
        gs_nap(now_ns + gs_uneven(w));
    }
    gs_lock_tasks();
    gs_close_tasks(w);
    gs_unlock_tasks();
    w->cpu_ns = gs_thread_cpu_ns();
    GS_ADD(&gs_running, -1);
    return 0;
}

/* -- called from Python ------------------------------------------------------------------------------------------- */

#ifdef _WIN32
static int gs_prepare_for_forks(void) { return 0; }
#else
static void gs_after_fork_in_child(void) /* the watching threads are the parent's; the files they had open are copies */
{
    for (int i = 0; i < GS_WATCHES; i++) {
        if (gs_active[i] != NULL)
            gs_drop_tasks(gs_active[i]->tasks);
        gs_active[i] = NULL;
    }
    gs_running = 0;
    gs_generation++;
    gs_unlock_tasks();
}

/* No fork falls into a look at threads, in which files are open that no table has yet.  Returns 0, or an error's number. */
static int gs_prepare_for_forks(void) { return pthread_atfork(gs_lock_tasks, gs_unlock_tasks, gs_after_fork_in_child); }
#endif

/* The interpreter has ended and its memory goes next: no look may be under way.  Watches are stopped long before, by
 * atexit; this is for the ones that were not. */
static void gs_at_interpreter_end(void)
{
    GS_STORE(&gs_interpreter_ends, 1);
    for (int tries = 0; tries < 20000 && GS_LOAD(&gs_running) > 0; tries++)
        gs_nap(gs_now_ns() + 100000);
}

static void gs_free_watch(gs_watch *w)
{
    if (w == NULL)
        return;
    free(w->changes);
    free(w->seen);
    free(w->listing);
    free(w->places.at);
    free(w->spare.at);
    free(w->turns);
    free(w->lanes);
    free(w->tasks);
    free(w);
}

/* `room`: entries in each ring; `thread_room`: threads in each table, of which half may live at once. */
static gs_watch *gs_new_watch(int64_t period_ns, int64_t lane_period_ns, int64_t unseen_ns, int64_t room,
                              int64_t thread_room)
{
    gs_watch *w = (gs_watch *)calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->period_ns = period_ns;
    w->lane_period_ns = lane_period_ns;
    w->unseen_ns = unseen_ns;
    w->change_room = w->turn_room = room;
    w->seen_room = w->lane_room = thread_room;
    w->listing_room = thread_room / 2 < GS_LISTING ? thread_room / 2 : GS_LISTING;
    w->changes = (gs_change *)calloc((size_t)room, sizeof *w->changes);
    w->turns = (gs_turn *)calloc((size_t)room, sizeof *w->turns);
    w->seen = (gs_seen *)calloc((size_t)w->seen_room, sizeof *w->seen);
    w->listing = (gs_pythread *)calloc((size_t)w->listing_room, sizeof *w->listing);
    w->places.at = (gs_place *)calloc(4 * GS_LISTING, sizeof *w->places.at);
    w->spare.at = (gs_place *)calloc(4 * GS_LISTING, sizeof *w->spare.at);
    w->places.mask = w->spare.mask = 15;
    w->lanes = (gs_lane *)calloc((size_t)w->lane_room, sizeof *w->lanes);
    w->tasks = gs_new_tasks();
    if (w->changes && w->turns && w->seen && w->listing && w->places.at && w->spare.at && w->lanes && w->tasks)
        return w;
    gs_free_watch(w);
    return NULL;
}

/* Starts and stops of all watches are serialised by their caller. */
static int gs_enter(gs_watch *w)
{
    for (int i = 0; i < GS_WATCHES; i++)
        if (gs_active[i] == NULL) {
            gs_active[i] = w;
            return 1;
        }
    return 0;
}

static void gs_leave(gs_watch *w)
{
    for (int i = 0; i < GS_WATCHES; i++)
        if (gs_active[i] == w)
            gs_active[i] = NULL;
}

/* With the GIL held, so that the first entry says who called.  Returns 0 if there are too many, or no thread to be had. */
static int gs_start_watch(gs_watch *w, int sees_gil, int sees_lanes)
{
    w->sees_gil = sees_gil;
    w->sees_lanes = sees_lanes;
    w->begin_ns = w->end_ns = gs_now_ns();
    w->dice = (uint64_t)w->begin_ns | 1;
    w->generation = gs_generation;
    w->wants_list = 1;
    if (sees_gil) {
        w->change_newest = gs_gil_newest();
        w->last = gs_gil_read();
        w->first_switches = w->last_switches = (int64_t)w->last.switches;
        gs_push_change(w, w->begin_ns, gs_credit(w, 1, w->begin_ns, w->change_newest));
    }
    if (!gs_enter(w))
        return 0;
    GS_ADD(&gs_running, 1);
    if (gs_start_undisturbed(&w->thread, gs_watch_main, w))
        return 1;
    GS_ADD(&gs_running, -1);
    gs_leave(w);
    return 0;
}

/* Without the GIL.  In a forked child there is no thread to wait for. */
static void gs_stop_watch(gs_watch *w)
{
    GS_STORE(&w->stop, 1);
    if (w->generation == gs_generation) {
        gs_join(w->thread);
        gs_leave(w);
    }
}

#endif
