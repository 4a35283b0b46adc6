/* What each thread of this process does, and how much CPU time each child process uses, from the kernel (Linux).
 *
 * Of a thread: its CPU clock, read twice (if it moved, the thread runs right now), and /proc/self/task/N/syscall, which
 * says "running" (on a CPU, or ready for one), or the system call in which it sleeps: if that is a futex inside the GIL,
 * it waits for the GIL.  Of a child process: its CPU clock.  Nothing of a thread's memory is touched, so a thread may
 * end at any time.  Included by gilwatch.h alone.
 */
#ifndef GILSTUDY_GILTHREADS_H
#define GILSTUDY_GILTHREADS_H

#ifdef __linux__

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GS_TASKS = 512, GS_PARSE = 160, GS_STILL = 4 };
static const int64_t GS_LIST_EVERY = 25000000, GS_CHILDREN_EVERY = 50000000, GS_PUSH_EVERY = 100000000;

/* An open file of ours.  The program may close all files (as daemons do) and open one of its own under the same number:
 * that one must not be closed, so it is kept which file it was. */
typedef struct {
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
} gs_file;

typedef struct {
    int64_t id;
    int32_t lane;
    int is_process, state;
    gs_file calls, times;
    gs_turn last;
    int64_t looked_ns;
    int still; /* looks at which it slept and its clock had not moved */
} gs_task;

struct gs_tasks {
    gs_task task[GS_TASKS];
    int count;
    int64_t next_list_ns, next_children_ns;
    uint64_t gil_begin, gil_end;
};

static struct gs_tasks *gs_new_tasks(void) { return (struct gs_tasks *)calloc(1, sizeof(struct gs_tasks)); }

static int64_t gs_own_id(void) { return syscall(SYS_gettid); }

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

static gs_file gs_open_proc(const char *pattern, int64_t id)
{
    char path[64];
    struct stat facts;
    gs_file file = {-1, 0, 0};
    snprintf(path, sizeof path, pattern, (long long)id);
    file.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file.fd >= 0 && fstat(file.fd, &facts) == 0) {
        file.device = facts.st_dev;
        file.inode = facts.st_ino;
    }
    return file;
}

static void gs_close_own(const gs_file *file)
{
    struct stat facts;
    if (file->fd >= 0 && fstat(file->fd, &facts) == 0 && facts.st_dev == file->device && facts.st_ino == file->inode)
        close(file->fd);
}

static int gs_read_proc(const gs_file *file, char *text, size_t room)
{
    ssize_t length = file->fd < 0 ? -1 : pread(file->fd, text, room - 1, 0);
    text[length > 0 ? length : 0] = 0;
    return length > 0;
}

/* -- which threads and processes there are -------------------------------------------------------------------------- */

static int32_t gs_new_lane(gs_watch *w, const gs_task *t, int64_t parent)
{
    if (w->lane_count == w->lane_room) {
        w->lane_lost++;
        return -1;
    }
    gs_lane *lane = &w->lanes[w->lane_count];
    gs_file file = gs_open_proc(t->is_process ? "/proc/%lld/comm" : "/proc/self/task/%lld/comm", t->id);
    gs_read_proc(&file, lane->name, sizeof lane->name);
    gs_close_own(&file);
    lane->name[strcspn(lane->name, "\n")] = 0;
    lane->id = t->id;
    lane->parent = parent;
    lane->is_process = t->is_process;
    GS_STORE(&w->lane_count, w->lane_count + 1);
    return (int32_t)(w->lane_count - 1);
}

static void gs_add_task(gs_watch *w, int64_t id, int is_process, int64_t parent)
{
    struct gs_tasks *all = w->tasks;
    for (int i = 0; i < all->count; i++)
        if (all->task[i].id == id)
            return;
    if (all->count == GS_TASKS) {
        w->lane_lost++;
        return;
    }
    gs_task *t = &all->task[all->count];
    memset(t, 0, sizeof *t);
    t->id = id;
    t->is_process = is_process;
    t->state = -1;
    t->calls.fd = t->times.fd = -1;
    if (gs_task_cpu_ns(t) < 0 || (t->lane = gs_new_lane(w, t, parent)) < 0)
        return;
    if (!is_process) {
        t->calls = gs_open_proc("/proc/self/task/%lld/syscall", id);
        t->times = gs_open_proc("/proc/self/task/%lld/schedstat", id);
    }
    all->count++;
}

struct gs_dirent { /* as getdents64(2) gives it */
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char kind;
    char name[];
};

static void gs_list_tasks(gs_watch *w)
{
    _Alignas(8) char entries[4096]; /* on the stack: this thread never calls malloc */
    gs_file folder = gs_open_proc("/proc/self/task", 0);
    long length;
    while ((length = syscall(SYS_getdents64, folder.fd, entries, sizeof entries)) > 0)
        for (long at = 0; at < length; at += ((struct gs_dirent *)(entries + at))->length) {
            int64_t id = atoll(((struct gs_dirent *)(entries + at))->name);
            if (id > 0 && id != w->own_id)
                gs_add_task(w, id, 0, 0);
        }
    gs_close_own(&folder);
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
    int count = w->tasks->count;
    for (int i = 0; i < count; i++) {
        const gs_task *t = &w->tasks->task[i];
        if (t->is_process) { /* of a process only its first thread's children: that is where forkserver forks */
            snprintf(pattern, sizeof pattern, "/proc/%lld/task/%%lld/children", (long long)t->id);
            gs_list_children_of(w, pattern, t->id);
        } else
            gs_list_children_of(w, "/proc/self/task/%lld/children", t->id);
    }
}

/* -- what they do --------------------------------------------------------------------------------------------------- */

static int gs_sleeps_in(const struct gs_tasks *all, const char *call)
{
    char *end;
    long number = strtol(call, &end, 10);
    if (number != SYS_futex || end == call)
        return GS_BLOCKED;
    uint64_t address = strtoull(end, NULL, 16);
    return address >= all->gil_begin && address < all->gil_end ? GS_WAITING : GS_BLOCKED;
}

/* Its clock moved just now; or it used most of the time since the last look, and it is this very look that keeps it off
 * its CPU. */
static int gs_runs(const gs_task *t, const gs_turn *turn, int moved, int64_t now_ns)
{
    return moved || (turn->cpu_ns - t->last.cpu_ns) * 2 > now_ns - t->looked_ns;
}

/* `turn` comes with the CPU time of just now.  What the GIL's holder does is not looked up, since its lane shows that it
 * holds.  Who slept, and has used no CPU time since, is mostly asleep still: that is looked up only now and then, which
 * makes a pool of idle threads cheap. */
static int gs_thread_state(const gs_watch *w, gs_task *t, gs_turn *turn, int64_t now_ns)
{
    char call[GS_PARSE];
    if (t->id == w->holder_id)
        return GS_RUNNING;
    if (t->state == GS_BLOCKED && turn->cpu_ns == t->last.cpu_ns && ++t->still % GS_STILL != 0)
        return GS_BLOCKED;
    int knows_call = gs_read_proc(&t->calls, call, sizeof call);
    if (knows_call && strncmp(call, "running", 7) != 0)
        return gs_sleeps_in(w->tasks, call);
    int64_t cpu_ns = gs_task_cpu_ns(t);
    if (cpu_ns < 0)
        return GS_ENDED;
    int moved = cpu_ns > turn->cpu_ns;
    turn->cpu_ns = cpu_ns;
    if (gs_runs(t, turn, moved, now_ns))
        return GS_RUNNING;
    return knows_call ? GS_READY : GS_OFF_CPU;
}

static int gs_process_state(const gs_task *t, const gs_turn *turn, int64_t now_ns)
{
    /* Its threads are not looked at: it counts as running if it used a quarter of the time since the last look. */
    return (turn->cpu_ns - t->last.cpu_ns) * 4 > now_ns - t->looked_ns ? GS_RUNNING : GS_OFF_CPU;
}

static void gs_read_times(const gs_task *t, gs_turn *turn)
{
    char times[GS_PARSE];
    if (!gs_read_proc(&t->times, times, sizeof times))
        return;
    char *at = strchr(times, ' ');
    turn->delay_ns = at ? strtoll(at, &at, 10) : 0;
    turn->slices = at ? strtoll(at, NULL, 10) : 0;
}

static void gs_look_at_task(gs_watch *w, gs_task *t, int64_t now_ns)
{
    gs_turn turn = t->last;
    int64_t cpu_ns = gs_task_cpu_ns(t);
    int state = GS_ENDED;
    if (cpu_ns >= 0) {
        turn.cpu_ns = cpu_ns;
        state = t->is_process ? gs_process_state(t, &turn, now_ns) : gs_thread_state(w, t, &turn, now_ns);
    }
    if (state != t->state || now_ns - t->last.at_ns > GS_PUSH_EVERY) {
        turn.at_ns = t->state < 0 ? now_ns : t->looked_ns + (now_ns - t->looked_ns) / 2;
        turn.looked_ns = now_ns;
        turn.lane = t->lane;
        turn.state = state;
        gs_read_times(t, &turn);
        w->turns[w->turn_head % w->turn_room] = turn;
        GS_STORE(&w->turn_head, w->turn_head + 1);
        t->last.at_ns = now_ns;
    }
    turn.at_ns = t->last.at_ns;
    t->last = turn;
    t->state = state;
    t->looked_ns = now_ns;
}

static void gs_drop_task(const gs_task *t)
{
    gs_close_own(&t->calls);
    gs_close_own(&t->times);
}

/* In a forked child, which has a copy of the table and of the open files. */
static void gs_drop_tasks(const struct gs_tasks *all)
{
    for (int i = 0; i < all->count; i++)
        gs_drop_task(&all->task[i]);
}

static void gs_look_at_tasks(gs_watch *w, int64_t now_ns)
{
    struct gs_tasks *all = w->tasks;
    if (now_ns >= all->next_list_ns) {
        gs_list_tasks(w);
        all->next_list_ns = now_ns + GS_LIST_EVERY;
    }
    if (now_ns >= all->next_children_ns) {
        gs_list_children(w);
        all->next_children_ns = now_ns + GS_CHILDREN_EVERY;
    }
    for (int i = 0; i < all->count; i++) {
        gs_look_at_task(w, &all->task[i], now_ns);
        if (all->task[i].state == GS_ENDED) {
            gs_drop_task(&all->task[i]);
            all->task[i--] = all->task[--all->count];
        }
    }
}

/* A last entry for each, so that the totals reach to the end. */
static void gs_close_tasks(gs_watch *w)
{
    int64_t now_ns = gs_now_ns();
    for (int i = 0; i < w->tasks->count; i++) {
        w->tasks->task[i].last.at_ns = 0;
        gs_look_at_task(w, &w->tasks->task[i], now_ns);
        gs_drop_task(&w->tasks->task[i]);
    }
    w->tasks->count = 0;
}

static const char *gs_lanes_reason(gs_watch *w)
{
    gs_gil_extent(&w->tasks->gil_begin, &w->tasks->gil_end);
    return access("/proc/self/task", R_OK) == 0 ? "" : "this system's /proc does not list threads";
}

#else /* not Linux */

struct gs_tasks {
    int none;
};

static struct gs_tasks *gs_new_tasks(void) { return (struct gs_tasks *)calloc(1, sizeof(struct gs_tasks)); }
static int64_t gs_own_id(void) { return 0; }
static void gs_drop_tasks(const struct gs_tasks *all) { (void)all; }
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
