/* Which threads this process has, and which child processes, from the kernel (Linux). */
#ifndef GILSTUDY_GILTASKS_H
#define GILSTUDY_GILTASKS_H

#include "gilrecord.h"

#include <sys/wait.h>

#include "procfiles.h"

enum { GS_TASKS = 1024, GS_PARSE = 160, GS_STILL = 4 };
static const int64_t GS_LIST_EVERY = 25000000, GS_CHILDREN_EVERY = 50000000, GS_PUSH_EVERY = 100000000;

typedef struct {
    int64_t id;
    int64_t lane; /* its slot */
    int is_process, state;
    gs_kept calls, times;
    int64_t looked_ns, pushed_ns; /* 0: not yet */
    int64_t held_ns;              /* the last look at which it had got the GIL */
    int waits;                    /* at the last look it waited for the GIL, which another one held */
    int64_t cpu_ns, delay_ns, slices;
    int still; /* looks, one after the other, at which it slept and its clock had not moved */
    int opened_anew;
} gs_task;

struct gs_tasks {
    gs_task task[GS_TASKS];
    int count, threads, room; /* threads: how many of them are no processes */
    short place[4 * GS_TASKS]; /* by id, 1 more than the place in `task` */
    int is_misplaced;          /* `place` is to be made anew */
    int64_t looks, most_kept, next_list_ns, soonest_list_ns, next_children_ns;
    uint64_t gil_begin, gil_end;
    int tells_delay; /* the kernel counts how long threads wait for a CPU */
    int all_known;   /* at this look: nobody else waits for the GIL but those of whom it is known */
    int is_miscounted;
};

static struct gs_tasks *gs_new_tasks(void) { return (struct gs_tasks *)calloc(1, sizeof(struct gs_tasks)); }

static int64_t gs_own_id(void) { return syscall(SYS_gettid); }

static int gs_is_miscounted(const gs_watch *w) { return w->tasks->is_miscounted; }

static void gs_want_tasks(gs_watch *w) { w->tasks->next_list_ns = 0; }

/* The kernel's own numbering of CPU clocks (clock_getcpuclockid(3), pthread_getcpuclockid(3)): no thread is followed. */
static int64_t gs_task_cpu_ns(const gs_task *t)
{
    struct timespec ts;
    clockid_t clock = (clockid_t)(~(unsigned)t->id << 3 | (t->is_process ? 2u : 6u));
    if (clock_gettime(clock, &ts) != 0)
        return -1;
    return (int64_t)ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void gs_drop_task(gs_task *t)
{
    gs_let_go(&t->calls);
    gs_let_go(&t->times);
}

/* -- which threads and processes there are -------------------------------------------------------------------------- */

/* An unused slot, or that of a thread which has ended: there is one, since no more tasks are kept than half of the room. */
static int64_t gs_free_lane(gs_watch *w)
{
    if (w->lane_count < w->lane_room)
        return w->lane_count;
    while (w->lanes[w->lane_next % w->lane_room].living)
        w->lane_next++;
    w->lane_lost++;
    return w->lane_next++ % w->lane_room;
}

static int64_t gs_new_lane(gs_watch *w, const gs_task *t, int64_t parent)
{
    int64_t slot = gs_free_lane(w);
    gs_lane *lane = &w->lanes[slot];
    GS_STORE(&lane->serial, -1); /* not to be read meanwhile */
    gs_file file = gs_open_proc(t->is_process ? "/proc/%lld/comm" : "/proc/self/task/%lld/comm", t->id);
    gs_read_proc(&file, lane->name, sizeof lane->name);
    gs_close_own(&file);
    lane->name[strcspn(lane->name, "\n")] = 0;
    lane->id = t->id;
    lane->parent = parent;
    lane->is_process = t->is_process;
    lane->living = 1;
    GS_STORE(&lane->serial, w->lane_serial++);
    if (slot == w->lane_count)
        GS_STORE(&w->lane_count, w->lane_count + 1);
    return slot;
}

static short *gs_place_of_task(struct gs_tasks *all, int64_t id)
{
    unsigned at = (unsigned)id * 0x9E3779B1u >> 8;
    while (all->place[at % (4 * GS_TASKS)] && all->task[all->place[at % (4 * GS_TASKS)] - 1].id != id)
        at++;
    return &all->place[at % (4 * GS_TASKS)];
}

static void gs_find_places(struct gs_tasks *all)
{
    if (!all->is_misplaced)
        return;
    all->is_misplaced = 0;
    memset(all->place, 0, sizeof all->place);
    for (int i = 0; i < all->count; i++)
        *gs_place_of_task(all, all->task[i].id) = (short)(i + 1);
}

static void gs_note_holder(gs_watch *w, int64_t now_ns)
{
    gs_find_places(w->tasks);
    int place = *gs_place_of_task(w->tasks, w->holder_id);
    if (place)
        w->tasks->task[place - 1].held_ns = now_ns;
}

/* Returns 0 if there is no room for it. */
static int gs_add_task(gs_watch *w, int64_t id, int is_process, int64_t parent)
{
    struct gs_tasks *all = w->tasks;
    short *place = gs_place_of_task(all, id);
    if (*place)
        return 1;
    if (all->count == all->room)
        return 0;
    gs_task *t = &all->task[all->count];
    memset(t, 0, sizeof *t);
    t->id = id;
    t->is_process = is_process;
    t->state = -1;
    t->calls.file.fd = t->times.file.fd = -1;
    if (gs_task_cpu_ns(t) < 0)
        return 1;
    t->lane = gs_new_lane(w, t, parent);
    *place = (short)++all->count;
    all->threads += !is_process;
    return 1;
}

struct gs_dirent { /* as getdents64(2) gives it */
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char kind;
    char name[];
};

/* Whether there may be threads that are not known: the folder's links are counted, which is one call. */
static int gs_has_others(const struct gs_tasks *all)
{
    struct stat facts;
    return stat("/proc/self/task", &facts) != 0 || (int64_t)facts.st_nlink != all->threads + 3; /* this one, and two */
}

static void gs_list_tasks(gs_watch *w)
{
    _Alignas(8) char entries[4096]; /* on the stack: this thread never calls malloc */
    gs_file folder = gs_open_proc("/proc/self/task", 0);
    int64_t without = 0;
    long length;
    while ((length = syscall(SYS_getdents64, folder.fd, entries, sizeof entries)) > 0)
        for (long at = 0; at < length; at += ((struct gs_dirent *)(entries + at))->length) {
            int64_t id = atoll(((struct gs_dirent *)(entries + at))->name);
            if (id > 0 && id != w->own_id)
                without += !gs_add_task(w, id, 0, 0);
        }
    gs_close_own(&folder);
    if (without > w->lane_without)
        w->lane_without = without;
}

/* Most programs have no child, and one call tells (it ends none and takes no notice of its end away). */
static int gs_has_children(void)
{
    siginfo_t facts;
    return waitid(P_ALL, 0, &facts, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

static void gs_list_children_of(gs_watch *w, const char *pattern, int64_t id)
{
    char text[1024], *at = text, *end;
    gs_file file = gs_open_proc(pattern, id);
    gs_read_proc(&file, text, sizeof text);
    gs_close_own(&file);
    for (;;) {
        long long child = strtoll(at, &end, 10);
        if (end == at || *end == 0) /* a number that is cut off is not believed */
            return;
        gs_add_task(w, child, 1, id);
        at = end;
    }
}

static void gs_list_children(gs_watch *w)
{
    char pattern[64];
    int count = w->tasks->count, has_children = gs_has_children();
    for (int i = 0; i < count; i++) {
        const gs_task *t = &w->tasks->task[i];
        if (t->is_process) { /* of a process only its first thread's children: that is where forkserver forks */
            snprintf(pattern, sizeof pattern, "/proc/%lld/task/%%lld/children", (long long)t->id);
            gs_list_children_of(w, pattern, t->id);
        } else if (has_children)
            gs_list_children_of(w, "/proc/self/task/%lld/children", t->id);
    }
}

/* No more open files than may be: the program may have changed its limit. */
static void gs_keep_fewer(struct gs_tasks *all)
{
    all->most_kept = gs_most_kept();
    for (int i = 0; i < all->count && gs_files_kept > all->most_kept; i++)
        gs_drop_task(&all->task[i]);
}

/* Half a per cent of a CPU at most for each, so that many threads do not keep it from looking at them. */
static void gs_list(gs_watch *w, int64_t now_ns)
{
    struct gs_tasks *all = w->tasks;
    if (now_ns >= all->next_list_ns && now_ns >= all->soonest_list_ns) {
        int64_t cost_ns = -gs_thread_cpu_ns();
        gs_keep_fewer(all);
        if (gs_has_others(all)) {
            gs_find_places(all);
            gs_list_tasks(w);
        }
        cost_ns += gs_thread_cpu_ns();
        all->soonest_list_ns = now_ns + 200 * cost_ns;
        all->next_list_ns = now_ns + GS_LIST_EVERY;
    }
    if (now_ns >= all->next_children_ns) {
        int64_t cost_ns = -gs_thread_cpu_ns();
        gs_find_places(all);
        gs_list_children(w);
        cost_ns += gs_thread_cpu_ns();
        all->next_children_ns = now_ns + (200 * cost_ns > GS_CHILDREN_EVERY ? 200 * cost_ns : GS_CHILDREN_EVERY);
    }
}

#endif
