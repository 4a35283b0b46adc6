/* Glances at who has the GIL: each one is kept, with the time for which it was planned, so that shares can be taken of those
 * alone that came when they were due.  For a probe; a watch keeps changes only.
 */
#ifndef GILSTUDY_GILGLANCES_H
#define GILSTUDY_GILGLANCES_H

#include "gilwatches.h"

#ifdef __linux__
#include <sys/resource.h>
#endif

/* The calling thread's CPU time, and how often the system took the CPU away from it while it could have gone on; both stay
 * at nought where it does not tell. */
static void gs_cpu_use(int64_t *cpu_ns, int64_t *preemptions)
{
    *cpu_ns = *preemptions = 0;
#ifdef __linux__
    struct rusage used;
    if (getrusage(RUSAGE_THREAD, &used) != 0)
        return;
    *cpu_ns = ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000LL +
              ((int64_t)used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
    *preemptions = used.ru_nivcsw;
#endif
}

typedef struct {
    int64_t planned_ns, before_ns, after_ns; /* it was taken between the latter two */
    uint64_t holder;
} gs_glance;

typedef struct {
    int64_t period_ns, capacity, count, generation, cpu_ns;
    gs_glance *kept;
    gs_shared stop;
    uint64_t dice;
    int runs;
    gs_thread thread;
} gs_glances;

/* There is no more room: every second one goes, and from now on they come half as often. */
static void gs_thin_out(gs_glances *g)
{
    for (int64_t i = 0; 2 * i < g->count; i++)
        g->kept[i] = g->kept[2 * i];
    g->count = (g->count + 1) / 2;
    g->period_ns *= 2;
}

static GS_THREAD_RESULT gs_glance_main(void *arg)
{
    gs_glances *g = (gs_glances *)arg;
    gs_be_prompt("gil-glances", g->period_ns / 20);
    int64_t planned_ns = gs_now_ns();
    while (!GS_LOAD(&g->stop) && !GS_LOAD(&gs_interpreter_ends)) {
        gs_glance *one = &g->kept[g->count++];
        one->planned_ns = planned_ns;
        one->before_ns = gs_now_ns();
        one->holder = gs_gil_read().holder;
        one->after_ns = gs_now_ns();
        gs_gil_pass_on();
        planned_ns = one->after_ns + gs_uneven(&g->dice, g->period_ns);
        if (g->count == g->capacity)
            gs_thin_out(g);
        gs_nap(planned_ns);
    }
    g->cpu_ns = gs_thread_cpu_ns();
    GS_ADD(&gs_running, -1);
    return 0;
}

static void gs_free_glances(gs_glances *g)
{
    if (g != NULL)
        free(g->kept);
    free(g);
}

static gs_glances *gs_new_glances(int64_t period_ns, int64_t capacity)
{
    gs_glances *g = (gs_glances *)calloc(1, sizeof *g);
    if (g == NULL)
        return NULL;
    g->period_ns = period_ns;
    g->capacity = capacity;
    g->kept = (gs_glance *)calloc((size_t)capacity, sizeof *g->kept);
    if (g->kept != NULL)
        return g;
    gs_free_glances(g);
    return NULL;
}

static int gs_start_glances(gs_glances *g)
{
    g->dice = (uint64_t)gs_now_ns() | 1;
    g->generation = gs_generation;
    GS_ADD(&gs_running, 1);
    g->runs = gs_start_undisturbed(&g->thread, gs_glance_main, g);
    if (!g->runs)
        GS_ADD(&gs_running, -1);
    return g->runs;
}

/* Without the GIL.  In a forked child there is nobody to wait for. */
static void gs_stop_glances(gs_glances *g)
{
    if (!g->runs)
        return;
    g->runs = 0;
    GS_STORE(&g->stop, 1);
    if (g->generation == gs_generation)
        gs_join(g->thread);
}

#endif
