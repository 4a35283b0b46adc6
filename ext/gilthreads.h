/* What each thread of this process does, and how much CPU time each child process uses, from the kernel (Linux).
 *
 * A thread's CPU clock is read at each look.  If it has not moved, the thread sleeps on; only if it has, more is read: how
 * long it waited for a CPU, and /proc/self/task/N/syscall, which says "running" (on a CPU, or ready for one), or the system
 * call in which it sleeps: if that is a futex inside the GIL, it waits for the GIL.  Of a child process its CPU clock is
 * read.  Nothing of a thread's memory is touched, so a thread may end at any time.
 */
#ifndef GILSTUDY_GILTHREADS_H
#define GILSTUDY_GILTHREADS_H

#include "gilrecord.h"

#ifdef __linux__

#include "giltasks.h"

static int gs_is_off(int state) { return state >= GS_READY && state <= GS_OFF_CPU; }

static int gs_read_file_of(gs_watch *w, gs_task *t, gs_kept *kept, const char *pattern, char *text)
{
    int done = gs_read_kept(kept, pattern, t->id, text, GS_PARSE, w->tasks->most_kept);
    if (done && kept->reads > 1 && kept->file.fd < 0 && !t->opened_anew) {
        t->opened_anew = 1;
        w->opened_anew++;
    }
    return done;
}

/* The futex in which it sleeps; 0: in something else. */
static uint64_t gs_futex_of(const char *call)
{
    char *end;
    long number = strtol(call, &end, 10);
    return number != SYS_futex || end == call ? 0 : strtoull(end, NULL, 16);
}

/* Whether one that sleeps in the GIL's condition is missing from the count of those that do.  It may have left meanwhile. */
static int gs_is_not_counted(gs_watch *w, gs_task *t, uint64_t futex)
{
    char call[GS_PARSE];
    return gs_gil_counts(futex) && gs_gil_waiters() == 0 &&
           gs_read_file_of(w, t, &t->calls, "/proc/self/task/%lld/syscall", call) && gs_futex_of(call) == futex &&
           gs_gil_waiters() == 0;
}

static int gs_sleeps_in(gs_watch *w, gs_task *t, const char *call)
{
    uint64_t futex = gs_futex_of(call);
    if (futex < w->tasks->gil_begin || futex >= w->tasks->gil_end)
        return GS_BLOCKED;
    w->tasks->is_miscounted |= gs_is_not_counted(w, t, futex);
    return GS_WAITING;
}

/* Whether its clock moves even now; or it used most of the time since the last look, and it is this very look that keeps
 * it off its CPU. */
static int gs_runs(const gs_task *t, const gs_turn *turn, int64_t cpu_ns)
{
    return cpu_ns > turn->cpu_ns || turn->ran_ns * 2 > turn->looked_ns - t->looked_ns;
}

/* What a thread does whose clock has moved since the last look, or that ran then.  What the GIL's holder does is not
 * looked up, since its lane shows that it holds; nor what another sleeps for if all who wait for the GIL are known.
 * (That one may be ready, and wait for a CPU: how long it did is known when it gets one, if the kernel counts that.) */
static int gs_thread_state(gs_watch *w, gs_task *t, const gs_turn *turn)
{
    char call[GS_PARSE];
    if (t->id == w->holder_id)
        return GS_HOLDING;
    int is_plain = w->tasks->all_known && w->tasks->tells_delay;
    int knows_call = !is_plain && gs_read_file_of(w, t, &t->calls, "/proc/self/task/%lld/syscall", call);
    if (knows_call && strncmp(call, "running", 7) != 0)
        return gs_sleeps_in(w, t, call);
    int64_t cpu_ns = gs_task_cpu_ns(t);
    if (cpu_ns < 0)
        return GS_ENDED;
    if (gs_runs(t, turn, cpu_ns))
        return GS_RUNNING;
    return is_plain ? GS_BLOCKED : knows_call ? GS_READY : GS_OFF_CPU;
}

static int gs_process_state(const gs_task *t, const gs_turn *turn)
{
    /* Its threads are not looked at: it counts as running if it used a quarter of the time since the last look. */
    return turn->ran_ns * 4 > turn->looked_ns - t->looked_ns ? GS_RUNNING : GS_OFF_CPU;
}

static void gs_read_times(gs_watch *w, gs_task *t, gs_turn *turn)
{
    char times[GS_PARSE];
    if (!gs_read_file_of(w, t, &t->times, "/proc/self/task/%lld/schedstat", times))
        return;
    char *at = strchr(times, ' ');
    turn->delay_ns = at ? strtoll(at, &at, 10) : 0;
    turn->slices = at ? strtoll(at, NULL, 10) : 0;
    turn->ready_ns = turn->delay_ns - t->delay_ns;
}

/* Whether it still waits for the GIL, though it has run a little: every few milliseconds it is woken to ask for it.  It
 * does so until it gets the GIL, and it has not: no hand-off was missed. */
static int gs_still_waits(const gs_watch *w, const gs_task *t)
{
    return t->waits && w->unsure_ns < t->looked_ns && t->held_ns < t->looked_ns && t->id != w->holder_id;
}

/* Whether all threads that wait for the GIL are known.  If one was found to wait that had not been counted, the count is
 * never believed again. */
static int gs_knows_all_waiters(gs_watch *w)
{
    struct gs_tasks *all = w->tasks;
    int waiters = !w->sees_gil || w->last.holder == GS_GIL_OFF ? 0 : all->is_miscounted ? -1 : gs_gil_waiters();
    for (int i = 0; i < all->count && waiters > 0; i++)
        waiters -= gs_still_waits(w, &all->task[i]);
    return waiters == 0;
}

/* Whether the time since the last look was not all of one kind, though both looks found the same. */
static int gs_is_mixed(const gs_watch *w, const gs_turn *turn)
{
    int64_t gap_ns = turn->looked_ns - turn->before_ns;
    if (gap_ns > w->unseen_ns)
        return 1;
    return gs_is_off(turn->state) ? (turn->ran_ns + turn->ready_ns) * 4 > gap_ns : turn->ran_ns * 4 < gap_ns * 3;
}

static void gs_push_turn(gs_watch *w, gs_task *t, const gs_turn *turn)
{
    w->turns[w->turn_head % w->turn_room] = *turn;
    GS_STORE(&w->turn_head, w->turn_head + 1);
    t->pushed_ns = turn->looked_ns;
}

/* A clock that has not moved says that the thread has not run: it is in the same sleep, and nothing else need be read.
 * (It may have been woken, and wait for a CPU: how long it did is known when it gets one.) */
static void gs_look_at_task(gs_watch *w, gs_task *t)
{
    int64_t now_ns = gs_now_ns(), cpu_ns = gs_task_cpu_ns(t);
    gs_turn turn = {t->looked_ns, now_ns, 0, 0, cpu_ns, t->delay_ns, t->slices, 0, t->state};
    int is_first = t->looked_ns == 0, moved = is_first || (cpu_ns != t->cpu_ns && !gs_still_waits(w, t));
    if (is_first)
        turn.before_ns = now_ns;
    turn.lane = (int32_t)w->lanes[t->lane].serial;
    turn.ran_ns = is_first || cpu_ns < 0 ? 0 : cpu_ns - t->cpu_ns;
    if (cpu_ns < 0)
        turn.state = GS_ENDED;
    else if (t->is_process)
        turn.state = gs_process_state(t, &turn);
    else if (moved || !gs_is_off(t->state))
        turn.state = gs_thread_state(w, t, &turn);
    if (turn.state == GS_ENDED)
        turn.cpu_ns = t->cpu_ns;
    else if (moved && !t->is_process)
        gs_read_times(w, t, &turn);
    if (is_first)
        turn.ready_ns = 0;
    if (turn.state != t->state || now_ns - t->pushed_ns > GS_PUSH_EVERY || (moved && !t->is_process && gs_is_mixed(w, &turn)))
        gs_push_turn(w, t, &turn);
    if (moved)
        t->waits = turn.state == GS_WAITING && w->last.holder > GS_GIL_OFF;
    t->still = moved ? 0 : t->still + 1;
    t->state = turn.state;
    t->looked_ns = now_ns;
    t->cpu_ns = turn.cpu_ns;
    t->delay_ns = turn.delay_ns;
    t->slices = turn.slices;
}

/* In a forked child, which has a copy of the table and of the open files. */
static void gs_drop_tasks(struct gs_tasks *all)
{
    for (int i = 0; i < all->count; i++)
        gs_drop_task(&all->task[i]);
}

/* Who has been still for a while mostly is so on: a pool of idle threads is looked at in turns. */
static int gs_may_be_passed(const gs_watch *w, const gs_task *t, int place, int64_t now_ns)
{
    return t->still >= GS_STILL && (place + w->tasks->looks) % GS_STILL != 0 && t->id != w->holder_id &&
           now_ns - t->looked_ns < w->unseen_ns / 2;
}

static void gs_look_at_tasks(gs_watch *w, int64_t now_ns)
{
    struct gs_tasks *all = w->tasks;
    gs_list(w, now_ns);
    all->looks++;
    all->all_known = gs_knows_all_waiters(w);
    for (int i = 0; i < all->count; i++) {
        gs_task *t = &all->task[i];
        if (gs_may_be_passed(w, t, i, now_ns))
            continue;
        gs_look_at_task(w, t);
        if (t->state == GS_ENDED) {
            w->lanes[t->lane].living = 0;
            gs_drop_task(t);
            all->threads -= !t->is_process;
            *t = all->task[--all->count];
            all->is_misplaced = 1;
            i--;
        }
    }
}

/* A last entry for each, so that the totals reach to the end. */
static void gs_close_tasks(gs_watch *w)
{
    for (int i = 0; i < w->tasks->count; i++) {
        w->tasks->task[i].pushed_ns = 0;
        gs_look_at_task(w, &w->tasks->task[i]);
        gs_drop_task(&w->tasks->task[i]);
    }
    w->tasks->count = 0;
}

static const char *gs_lanes_reason(gs_watch *w)
{
    w->tasks->room = w->lane_room / 2 < GS_TASKS ? (int)(w->lane_room / 2) : GS_TASKS;
    gs_gil_extent(&w->tasks->gil_begin, &w->tasks->gil_end);
    w->tasks->tells_delay = access("/proc/self/schedstat", R_OK) == 0;
    return access("/proc/self/task", R_OK) == 0 ? "" : "this system's /proc does not list threads";
}

#else /* not Linux */

struct gs_tasks {
    int none;
};

static struct gs_tasks *gs_new_tasks(void) { return (struct gs_tasks *)calloc(1, sizeof(struct gs_tasks)); }
static int64_t gs_own_id(void) { return 0; }
static void gs_drop_tasks(struct gs_tasks *all) { (void)all; }
static int gs_is_miscounted(const gs_watch *w) { return (void)w, 0; }
static void gs_want_tasks(gs_watch *w) { (void)w; }
static void gs_look_at_tasks(gs_watch *w, int64_t now_ns) { (void)w, (void)now_ns; }
static void gs_close_tasks(gs_watch *w) { (void)w; }
static const char *gs_lanes_reason(gs_watch *w)
{
    (void)w;
    return "what each thread does is read from Linux's /proc, and this is another system";
}

#endif
#endif
