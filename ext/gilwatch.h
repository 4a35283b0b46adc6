/* The GIL watch: one native thread that looks at the GIL, and now and then at the threads, and never takes the GIL.
 *
 * It writes what it saw into memory that was set aside before it began.  The two rings keep the newest entries and
 * count the ones that they overwrote; the two tables keep the living, and of the ended ones the newest.  One thread
 * writes; `head` and `count` are published after the entry, so that another thread may read while the watch runs.
 */
#ifndef GILSTUDY_GILWATCH_H
#define GILSTUDY_GILWATCH_H

#include "gilrescue.h"
#include "gilseen.h"
#include "gilthreads.h"

enum { GS_WATCHES = 16 };

/* The watches that run in this process, and how many; a fork begins a new generation, in which none does. */
static gs_watch *gs_active[GS_WATCHES];
static gs_shared gs_running, gs_interpreter_ends;
static int64_t gs_generation;

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

/* How many wait for it, read after who holds it: who got it just now had left the queue before. */
static void gs_look_at_queue(gs_watch *w, int64_t before_ns, int64_t now_ns)
{
    int64_t count = w->last.holder == GS_GIL_OFF ? 0 : gs_is_miscounted(w) ? -1 : gs_gil_queued();
    if (w->queue_head > 0 && w->queues[(w->queue_head - 1) % w->queue_room].count == count)
        return;
    gs_queue *q = &w->queues[w->queue_head % w->queue_room];
    q->at_ns = w->queue_head == 0 ? now_ns : before_ns + (now_ns - before_ns) / 2;
    q->count = count;
    GS_STORE(&w->queue_head, w->queue_head + 1);
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
static int64_t gs_credit(gs_watch *w, int changed, int64_t now_ns, uint64_t newest, int may_list)
{
    int64_t slot = gs_slot_of(w, w->last.holder, newest);
    int is_unknown = w->last.holder > GS_GIL_OFF && (slot < 0 || !w->seen[slot].bound);
    w->wants_list |= newest != w->newest || (changed && is_unknown);
    if (w->wants_list) {
        if (may_list)
            gs_list_threads(w, now_ns, newest);
        slot = w->wants_list ? -1 : gs_slot_of(w, w->last.holder, newest);
    }
    w->holder_id = slot < 0 ? 0 : (int64_t)w->seen[slot].thread.native_id;
    return slot;
}

/* Returns whether it has changed hands. */
static int gs_look_at_gil(gs_watch *w, int64_t before_ns, int64_t now_ns, int may_list)
{
    uint64_t newest = gs_gil_newest(); /* before the holder is read: who comes later cannot be the holder */
    gs_gil before = w->last;
    w->last = gs_gil_read();
    gs_look_at_queue(w, before_ns, now_ns);
    uint64_t handoffs = w->last.switches - before.switches;
    int changed = w->last.holder != before.holder || handoffs != 0;
    int64_t slot = gs_credit(w, changed, now_ns, newest, may_list), serial = slot < 0 ? -1 : w->seen[slot].serial;
    gs_change *c = &w->changes[(w->change_head - 1) % w->change_room];
    if (!changed && serial >= 0 && c->thread < 0 && w->seen[slot].thread.id <= w->change_newest)
        GS_STORE(&c->thread, serial); /* it was there when the change was seen */
    else if (changed || (serial >= 0 && serial != c->thread)) {
        gs_push_change(w, before_ns + (now_ns - before_ns) / 2, slot);
        w->change_newest = newest;
        changed = 1;
    }
    if (changed && may_list && w->holder_id != 0)
        gs_note_holder(w, now_ns);
    if (handoffs > 1 || (handoffs == 1 && (w->holder_id == 0 || !may_list)))
        w->unsure_ns = now_ns;
    w->last_switches = (int64_t)w->last.switches;
    w->others = gs_gil_others();
    int64_t interval_us = (int64_t)gs_gil_interval();
    w->interval_changes += interval_us != w->interval_us;
    w->interval_us = interval_us;
    return changed;
}

/* From half to twice the period (xorshift64).  Looks more even fall into step with what they look at: holds of two or three
 * of them would then seem as long as two or three looks, whichever is nearer, and the median with them. */
static int64_t gs_uneven(uint64_t *dice, int64_t period_ns)
{
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    return period_ns / 2 + (int64_t)(*dice % (uint64_t)(period_ns * 3 / 2 + 1));
}

/* How long to let threads be after a look of this cost, so that all looks together take two per cent of a CPU: these what
 * those at the GIL leave of it, and one per cent at least.  The usual cost counts: a single look may be interrupted. */
static int64_t gs_pause(gs_watch *w, int64_t now_ns, int64_t cost_ns)
{
    w->lane_looks++;
    w->lane_cost_ns += cost_ns;
    if (w->lane_looks > 16 && cost_ns > 4 * w->usual_cost_ns)
        cost_ns = 4 * w->usual_cost_ns;
    w->usual_cost_ns += (cost_ns - w->usual_cost_ns) / (w->lane_looks < 16 ? w->lane_looks : 16);
    double span_ns = (double)(now_ns - w->begin_ns + 1000000);
    double left = 0.02 - (double)(gs_thread_cpu_ns() - w->lane_cost_ns) / span_ns;
    return (int64_t)((double)w->usual_cost_ns / (left < 0.01 ? 0.01 : left > 0.015 ? 0.015 : left));
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
    w->soonest_lanes_ns = now_ns + gs_pause(w, now_ns, cost_ns);
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

static void gs_rescue_if_wanted(gs_watch *w, int64_t now_ns)
{
    int cause = gs_what_ends(w, now_ns);
    if (cause == GS_GOES_ON)
        return;
    if (gs_try_lock_looks()) /* never to be let go: nobody is there who could still want it */
        gs_close_tasks(w);
    gs_rescue_now(w, cause);
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
        gs_rescue_if_wanted(w, now_ns);
        if (stop) /* asked for before this look, which was the last one */
            break;
        before_ns = now_ns;
        gs_nap(now_ns + gs_uneven(&w->dice, w->period_ns));
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
    free(w->queues);
    free(w->seen);
    free(w->listing);
    free(w->places.at);
    free(w->spare.at);
    free(w->turns);
    free(w->lanes);
    free(w->tasks);
    free(w->names);
    gs_free_rescue(w->rescue);
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
    w->change_room = w->queue_room = w->turn_room = room;
    w->seen_room = w->lane_room = thread_room;
    w->listing_room = thread_room / 2 < GS_LISTING ? thread_room / 2 : GS_LISTING;
    w->changes = (gs_change *)calloc((size_t)room, sizeof *w->changes);
    w->queues = (gs_queue *)calloc((size_t)room, sizeof *w->queues);
    w->turns = (gs_turn *)calloc((size_t)room, sizeof *w->turns);
    w->seen = (gs_seen *)calloc((size_t)w->seen_room, sizeof *w->seen);
    w->listing = (gs_pythread *)calloc((size_t)w->listing_room, sizeof *w->listing);
    w->places.at = (gs_place *)calloc(4 * GS_LISTING, sizeof *w->places.at);
    w->spare.at = (gs_place *)calloc(4 * GS_LISTING, sizeof *w->spare.at);
    w->places.mask = w->spare.mask = 15;
    w->lanes = (gs_lane *)calloc((size_t)w->lane_room, sizeof *w->lanes);
    w->tasks = gs_new_tasks();
    w->names = (gs_names *)calloc(1, sizeof *w->names);
    int has_lists = w->listing && w->places.at && w->spare.at;
    if (w->changes && w->queues && w->turns && w->seen && has_lists && w->lanes && w->tasks && w->names)
        return w;
    gs_free_watch(w);
    return NULL;
}

#endif
