/* The watches of this process: how they begin and end, beside forks and beside the end of the interpreter. */
#ifndef GILSTUDY_GILWATCHES_H
#define GILSTUDY_GILWATCHES_H

#include "gilwatch.h"

/* -- forks and the end -------------------------------------------------------------------------------------------- */

#ifdef _WIN32
static int gs_handle_forks(void) { return 0; }
#else
static void gs_before_fork(void)
{
    gs_acquire(&gs_looks_lock);
    gs_acquire(&gs_names_lock);
}

static void gs_after_fork(void)
{
    gs_release(&gs_names_lock);
    gs_release(&gs_looks_lock);
}

static void gs_after_fork_in_child(void) /* the watching threads are the parent's; the files they had open are copies */
{
    for (int i = 0; i < GS_WATCHES; i++) {
        if (gs_active[i] != NULL)
            gs_drop_tasks(gs_active[i]->tasks);
        gs_active[i] = NULL;
    }
    gs_running = 0;
    gs_generation++;
    gs_leave_signals();
    gs_after_fork();
}

/* Returns 0, or an error's number. */
static int gs_handle_forks(void) { return pthread_atfork(gs_before_fork, gs_after_fork, gs_after_fork_in_child); }
#endif

/* The handlers belong to the process, and each of its interpreters asks for them: once is enough, twice would have a fork
 * wait for itself.  Returns 0, or an error's number. */
static int gs_prepare_for_forks(void)
{
    static gs_shared asked;
    int error = GS_ADD(&asked, 1) == 1 ? gs_handle_forks() : 0;
    if (error)
        GS_ADD(&asked, -1);
    return error;
}

static gs_shared gs_exits_handled;

/* Whether it is left to the caller to have gs_at_interpreter_end called: as the above, but anew if the runtime begins again. */
static int gs_claims_exit(void)
{
    if (GS_ADD(&gs_exits_handled, 1) != 1)
        return 0;
    GS_STORE(&gs_interpreter_ends, 0);
    return 1;
}

/* The last interpreter has ended and its memory goes next: no look may be under way.  Watches are stopped long before, by
 * atexit; this is for the ones that were not. */
static void gs_at_interpreter_end(void)
{
    GS_STORE(&gs_interpreter_ends, 1);
    gs_leave_signals();
    for (int tries = 0; tries < 20000 && GS_LOAD(&gs_running) > 0; tries++)
        gs_nap(gs_now_ns() + 100000);
    GS_STORE(&gs_exits_handled, 0);
}

/* -- called from Python ------------------------------------------------------------------------------------------- */

/* Puts `now` in the place of `before` in the table of the watches that run; both may be NULL, for a free place. */
static int gs_swap_active(gs_watch *before, gs_watch *now)
{
    int place = 0;
    gs_acquire(&gs_names_lock);
    while (place < GS_WATCHES && gs_active[place] != before)
        place++;
    if (place < GS_WATCHES)
        gs_active[place] = now;
    gs_release(&gs_names_lock);
    return place < GS_WATCHES;
}

static int gs_begin_watch(gs_watch *w, int sees_gil, int sees_lanes)
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
        w->interval_us = (int64_t)gs_gil_interval();
        gs_push_change(w, w->begin_ns, gs_credit(w, 1, w->begin_ns, w->change_newest, 1));
    }
    if (!gs_swap_active(NULL, w))
        return 0;
    GS_ADD(&gs_running, 1);
    if (gs_start_undisturbed(&w->thread, gs_watch_main, w))
        return 1;
    GS_ADD(&gs_running, -1);
    gs_swap_active(w, NULL);
    return 0;
}

/* With the GIL held, so that the first entry says who called.  Returns 1; or 0 if there are too many, or no thread to be
 * had; or -1 if it was started before. */
static int gs_start_watch(gs_watch *w, int sees_gil, int sees_lanes)
{
    int started = -1;
    gs_acquire(&gs_looks_lock);
    if (w->phase == GS_NEW && (started = gs_begin_watch(w, sees_gil, sees_lanes)))
        GS_STORE(&w->phase, GS_STARTED);
    gs_release(&gs_looks_lock);
    return started;
}

/* Without the GIL.  Returns when its thread has ended, whoever asked it to.  In a forked child there is none to wait for,
 * and whoever was about to stop it in the parent is not there either. */
static void gs_stop_watch(gs_watch *w)
{
    int is_mine = 0;
    gs_acquire(&gs_looks_lock);
    if (w->phase == GS_STARTED) {
        is_mine = 1;
        GS_STORE(&w->phase, GS_STOPPING);
        GS_STORE(&w->stop, 1);
    }
    gs_release(&gs_looks_lock);
    if (w->generation != gs_generation)
        return;
    while (!is_mine && GS_LOAD(&w->phase) == GS_STOPPING)
        gs_nap(gs_now_ns() + 1000000);
    if (is_mine) {
        gs_join(w->thread);
        gs_swap_active(w, NULL);
        GS_STORE(&w->phase, GS_STOPPED);
    }
}

/* -- names -------------------------------------------------------------------------------------------------------- */

/* Tell one watch, or all that run, what a thread is called. */
static void gs_tell_name(gs_watch *w, int64_t id, const char *text, int64_t length)
{
    gs_acquire(&gs_names_lock);
    if (w != NULL)
        gs_add_name(w->names, id, text, length);
    for (int i = 0; w == NULL && i < GS_WATCHES; i++)
        if (gs_active[i] != NULL)
            gs_add_name(gs_active[i]->names, id, text, length);
    gs_release(&gs_names_lock);
}

/* A copy, to be freed by the caller: no object of Python's is made with the lock held.  NULL if there is no memory. */
static gs_names *gs_copy_names(gs_watch *w)
{
    gs_names *copy = (gs_names *)malloc(sizeof *copy);
    if (copy == NULL)
        return NULL;
    gs_acquire(&gs_names_lock);
    gs_copy_used_names(copy, w->names);
    gs_release(&gs_names_lock);
    return copy;
}

/* Whether any watch runs in this process: a forked child has none of its parent's. */
static int gs_any_runs(void)
{
    int any = 0;
    gs_acquire(&gs_names_lock);
    for (int i = 0; i < GS_WATCHES; i++)
        any |= gs_active[i] != NULL;
    gs_release(&gs_names_lock);
    return any;
}

#endif
