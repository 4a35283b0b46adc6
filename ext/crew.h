/* The ceiling: the countdown in plain native threads, with no Python at all.
 *
 * Each worker sleeps to `begin`, then runs lap after lap until it has passed `close`.  It keeps the pair of lap
 * boundaries that straddles `open`, and the pair that straddles `close` (it may be the same), so that the work done between the two
 * instants, which are the same for all workers, can be told to within a lap.
 */
#ifndef GILSTUDY_CREW_H
#define GILSTUDY_CREW_H

#include "loops.h"
#include "osthread.h"

typedef struct {
    int64_t before_ns, after_ns; /* the last lap boundary before the instant, and the first one at or after it */
    int64_t laps;                /* laps done at before_ns */
    int64_t cpu_ns;              /* this thread's CPU time at after_ns */
} gs_edge;

typedef struct {
    uint64_t lap;
    int64_t begin_ns, open_ns, close_ns;
    int cpu; /* -1: not pinned */
    int64_t ready_ns;
    gs_edge open, close;
    gs_thread thread;
    int started;
} gs_worker;

/* Runs laps until one has passed the instant; the last one may have done so already. */
static gs_edge gs_run_past(const gs_worker *w, int64_t instant_ns, gs_edge edge)
{
    while (edge.after_ns < instant_ns || edge.laps < 0) {
        edge.before_ns = edge.after_ns;
        gs_countdown(w->lap);
        edge.after_ns = gs_now_ns();
        edge.laps++;
    }
    edge.cpu_ns = gs_thread_cpu_ns();
    return edge;
}

static GS_THREAD_RESULT gs_work(void *arg)
{
    gs_worker *w = (gs_worker *)arg;
    gs_edge start = {0, 0, -1, 0};
    if (w->cpu >= 0)
        gs_pin(w->cpu);
    w->ready_ns = gs_sleep_until(w->begin_ns);
    start.before_ns = start.after_ns = gs_now_ns();
    w->open = gs_run_past(w, w->open_ns, start);
    w->close = gs_run_past(w, w->close_ns, w->open);
    return 0;
}

/* Runs all workers and waits for them; returns how many could not be started. */
static int gs_run_crew(gs_worker *workers, int count)
{
    int missing = 0;
    for (int i = 0; i < count; i++) {
        workers[i].started = gs_start(&workers[i].thread, gs_work, &workers[i]);
        missing += !workers[i].started;
    }
    for (int i = 0; i < count; i++)
        if (workers[i].started)
            gs_join(workers[i].thread);
    return missing;
}

#endif
