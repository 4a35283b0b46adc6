/* The last report: when time is up, or when the program does not answer Ctrl-C, all that was seen goes into a file, and a
 * fresh interpreter takes this process over that reports it (POSIX).
 *
 * That is done by the watching thread, which needs neither the GIL nor any lock for it: it is just when the program is
 * stuck that its trace is wanted.  What it needs of Python, it was given before.
 */
#ifndef GILSTUDY_GILRESCUE_H
#define GILSTUDY_GILRESCUE_H

#include "gilrecord.h"

/* What a thread does at the very end. */
typedef struct {
    int64_t id;
    char call[24]; /* the number of the system call in which it sleeps; "running"; "" if that cannot be told */
} gs_last_call;

enum { GS_TIME_IS_UP = 0, GS_GOES_ON = -1 }; /* what ends the program now, beside a signal's number */

#ifdef _WIN32

static int gs_what_ends(gs_watch *w, int64_t now_ns)
{
    (void)w, (void)now_ns;
    return GS_GOES_ON;
}
static void gs_rescue_now(gs_watch *w, int cause) { (void)w, (void)cause; }
static void gs_leave_signals(void) {}
static void gs_free_rescue(struct gs_rescue *r) { (void)r; }
static int gs_arm(gs_watch *w, char **argv, char **envp, int64_t deadline_ns, int takes_signals, int int_is_own)
{
    (void)w, (void)argv, (void)envp, (void)deadline_ns, (void)takes_signals, (void)int_is_own;
    return 0;
}
static gs_watch *gs_load(int file, gs_last_call **calls, int64_t *count)
{
    (void)file, (void)calls, (void)count;
    return NULL;
}

#else

#include "gilsignals.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mman.h>
#include <sys/syscall.h>
#endif

/* -- when ----------------------------------------------------------------------------------------------------------- */

typedef struct gs_rescue {
    char **argv, **envp; /* argv ends in two words that are filled in then: the file's number, and what ended the program */
    int64_t deadline_ns; /* 0: none */
    int takes_signals;
    int64_t front_ns, waits_since_ns; /* when to put ours in front again; since when a signal waits for Python, 0: none does */
    int has_told;
    sigset_t mask;
    char file[16], cause[16];
} gs_rescue;

static void gs_say(const char *text) /* unless that would have to be waited for */
{
    struct pollfd where = {STDERR_FILENO, POLLOUT, 0};
    if (poll(&where, 1, 0) == 1 && (where.revents & POLLOUT))
        (void)!write(STDERR_FILENO, text, strlen(text));
}

/* A handler of Python's runs in the main thread, when that comes to it; until then the signal waits. */
static void gs_tell_how_to_end(gs_rescue *r, int waits, int64_t now_ns)
{
    if (!waits)
        r->waits_since_ns = r->has_told = 0;
    else if (r->waits_since_ns == 0)
        r->waits_since_ns = now_ns;
    else if (!r->has_told && now_ns - r->waits_since_ns > GS_ANSWER_MS * 1000000LL) {
        r->has_told = 1;
        gs_say("gilstudy: the program has not answered for 1 s; Ctrl-C again ends it and shows what was seen\n");
    }
}

static void gs_keep_in_front(gs_rescue *r, int64_t now_ns)
{
    struct sigaction now;
    if (now_ns < r->front_ns)
        return;
    r->front_ns = now_ns + 100000000;
    for (int kind = 0; kind < GS_KINDS; kind++)
        if (sigaction(gs_kinds[kind], NULL, &now) == 0 && !gs_is_in_front(&now)) {
            gs_is_own[kind] = 1;
            gs_put_in_front(kind);
        }
}

/* The number of the signal that ends the program now: one that ends it by default, or the second one of a kind; or, if the
 * program handles it itself, the second while the first still waits to be handled. */
static int gs_signal_that_ends(gs_rescue *r, int64_t now_ns)
{
    int ending = GS_GOES_ON, waits = gs_gil_signal_waits();
    gs_keep_in_front(r, now_ns);
    for (int kind = 0; kind < GS_KINDS; kind++) {
        int heard = __atomic_load_n(&gs_heard[kind], __ATOMIC_ACQUIRE);
        int is_handled = gs_is_own[kind] && !waits;
        if (heard && (gs_ends_by_default(&gs_behind[kind]) || (heard > 1 && !is_handled)))
            ending = gs_kinds[kind];
        else if (heard && is_handled)
            __atomic_sub_fetch(&gs_heard[kind], heard, __ATOMIC_SEQ_CST);
    }
    gs_tell_how_to_end(r, waits && __atomic_load_n(&gs_heard[0], __ATOMIC_ACQUIRE) > 0, now_ns);
    return ending;
}

/* -- what ----------------------------------------------------------------------------------------------------------- */

enum { GS_LAST_CALLS = 1024 };

typedef struct {
    char magic[8];
    int64_t watch, change, seen, turn, lane, names, calls; /* sizes: whoever reads it must be of the same build */
} gs_dump_head;

static gs_dump_head gs_new_dump_head(void)
{
    gs_dump_head head = {"gilwatch", sizeof(gs_watch), sizeof(gs_change), sizeof(gs_seen),
                         sizeof(gs_turn), sizeof(gs_lane), sizeof(gs_names), 0};
    return head;
}

typedef struct {
    void *at;
    int64_t bytes;
} gs_part;

enum { GS_PARTS = 6 };

static int64_t gs_used(int64_t head, int64_t room) { return head < room ? head : room; }

/* What is read of a watch. */
static void gs_parts_of(gs_watch *w, gs_part parts[GS_PARTS])
{
    gs_part all[GS_PARTS] = {
        {w->changes, gs_used(w->change_head, w->change_room) * (int64_t)sizeof *w->changes},
        {w->queues, gs_used(w->queue_head, w->queue_room) * (int64_t)sizeof *w->queues},
        {w->turns, gs_used(w->turn_head, w->turn_room) * (int64_t)sizeof *w->turns},
        {w->seen, w->seen_room * (int64_t)sizeof *w->seen},
        {w->lanes, w->lane_room * (int64_t)sizeof *w->lanes},
        {w->names, (int64_t)sizeof *w->names},
    };
    memcpy(parts, all, sizeof all);
}

static int gs_write_all(int file, const void *from, int64_t bytes)
{
    for (const char *at = (const char *)from; bytes > 0;) {
        ssize_t done = write(file, at, (size_t)bytes);
        if (done < 0 && errno != EINTR)
            return 0;
        at += done < 0 ? 0 : done;
        bytes -= done < 0 ? 0 : done;
    }
    return 1;
}

/* What each thread does right now. */
static int64_t gs_read_last_calls(const gs_watch *w, gs_last_call *calls)
{
    int64_t count = 0;
#ifdef __linux__
    for (int64_t i = 0; i < w->lane_count && count < GS_LAST_CALLS; i++) {
        char path[64];
        if (w->lanes[i].is_process || !w->lanes[i].living)
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%lld/syscall", (long long)w->lanes[i].id);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            continue;
        ssize_t length = read(file, calls[count].call, sizeof calls[count].call - 1);
        close(file);
        calls[count].call[length > 0 ? length : 0] = 0;
        calls[count].call[strcspn(calls[count].call, " \n")] = 0;
        calls[count++].id = w->lanes[i].id;
    }
#else
    (void)w, (void)calls;
#endif
    return count;
}

static int gs_dump(gs_watch *w, int file)
{
    static gs_last_call calls[GS_LAST_CALLS];
    gs_part parts[GS_PARTS];
    gs_dump_head head = gs_new_dump_head();
    head.calls = gs_read_last_calls(w, calls);
    int is_whole = gs_write_all(file, &head, sizeof head) && gs_write_all(file, w, sizeof *w);
    gs_parts_of(w, parts);
    for (int i = 0; i < GS_PARTS && is_whole; i++)
        is_whole = gs_write_all(file, parts[i].at, parts[i].bytes);
    return is_whole && gs_write_all(file, calls, head.calls * (int64_t)sizeof *calls) && lseek(file, 0, SEEK_SET) == 0;
}

/* A file that has no name and is gone when nobody has it open; -1 if there is none to be had. */
static int gs_open_nameless(void)
{
#if defined(__linux__) && defined(SYS_memfd_create)
    int file = (int)syscall(SYS_memfd_create, "gilstudy", 0);
    if (file < 0 && close(STDIN_FILENO) == 0) /* no number was free; the program reads nothing any more */
        file = (int)syscall(SYS_memfd_create, "gilstudy", 0);
    return file;
#else
    char path[] = "/tmp/gilstudy-XXXXXX";
    int file = mkstemp(path);
    if (file >= 0)
        unlink(path);
    return file;
#endif
}

/* Whoever waits for the other end of a pipe or socket of the program's need not wait for our report too. */
static void gs_leave_files(int kept)
{
#if defined(__linux__) && defined(SYS_close_range)
    if ((kept <= 3 || syscall(SYS_close_range, 3, kept - 1, 4 /* CLOEXEC */) == 0) &&
        syscall(SYS_close_range, kept < 3 ? 3 : kept + 1, ~0U, 4) == 0)
        return;
#endif
    for (int file = 3; file < 4096; file++)
        if (file != kept)
            fcntl(file, F_SETFD, FD_CLOEXEC);
}

/* -- how ------------------------------------------------------------------------------------------------------------ */

/* Does not return: all other threads end with execve, and this one goes on as the process's only one. */
static void gs_rescue_now(gs_watch *w, int cause)
{
    gs_rescue *r = w->rescue;
    struct itimerval never = {{0, 0}, {0, 0}};
    struct sigaction ignore;
    int file = gs_open_nameless();
    if (file < 0 || !gs_dump(w, file))
        file = -1;
    snprintf(r->file, sizeof r->file, "%d", file);
    snprintf(r->cause, sizeof r->cause, "%d", cause);
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN; /* until all is saved */
    sigaction(SIGINT, &ignore, NULL);
    setitimer(ITIMER_REAL, &never, NULL); /* which would go on, and end the one that reports */
    setitimer(ITIMER_VIRTUAL, &never, NULL);
    setitimer(ITIMER_PROF, &never, NULL);
    gs_leave_files(file);
    pthread_sigmask(SIG_SETMASK, &r->mask, NULL);
    execve(r->argv[0], r->argv, r->envp);
    gs_say("gilstudy: cannot report: the interpreter cannot be started again\n");
    if (cause != GS_TIME_IS_UP)
        gs_end_by(cause);
    _exit(124);
}

/* -- called from Python --------------------------------------------------------------------------------------------- */

/* A copy of words in one block; with room for two more. */
static char **gs_copy_words(char **words)
{
    size_t count = 0, bytes = 0;
    for (; words[count] != NULL; count++)
        bytes += strlen(words[count]) + 1;
    char **copy = (char **)calloc(1, (count + 3) * sizeof *copy + bytes);
    char *text = (char *)(copy + count + 3);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = strcpy(text, words[i]);
        text += strlen(text) + 1;
    }
    return copy;
}

static void gs_free_rescue(gs_rescue *r)
{
    if (r == NULL)
        return;
    free(r->argv);
    free(r->envp);
    free(r);
}

/* Once for a watch that has started, in the thread whose signal mask is the program's.  Returns 0 if there is no memory,
 * or if another watch in this process listens to signals. */
static int gs_arm(gs_watch *w, char **argv, char **envp, int64_t deadline_ns, int takes_signals, int int_is_own)
{
    gs_rescue *r = (gs_rescue *)calloc(1, sizeof *r);
    size_t count = 0;
    if (r == NULL || w->rescue != NULL || (takes_signals && __atomic_load_n(&gs_stands_by, __ATOMIC_ACQUIRE)) ||
        !(r->argv = gs_copy_words(argv)) || !(r->envp = gs_copy_words(envp))) {
        gs_free_rescue(r);
        return 0;
    }
    while (r->argv[count] != NULL)
        count++;
    r->argv[count] = r->file;
    r->argv[count + 1] = r->cause;
    r->deadline_ns = deadline_ns;
    r->takes_signals = takes_signals;
    pthread_sigmask(SIG_SETMASK, NULL, &r->mask);
    if (takes_signals)
        gs_take_signals(int_is_own);
    __atomic_store_n(&w->rescue, r, __ATOMIC_RELEASE);
    return 1;
}

static int gs_read_all(int file, void *to, int64_t bytes)
{
    for (char *at = (char *)to; bytes > 0;) {
        ssize_t done = read(file, at, (size_t)bytes);
        if (done <= 0 && !(done < 0 && errno == EINTR))
            return 0;
        at += done < 0 ? 0 : done;
        bytes -= done < 0 ? 0 : done;
    }
    return 1;
}

/* What gs_dump wrote, to be read and never to be freed: what else it has pointers to was left behind.  NULL if it is not
 * whole, or another build's. */
static gs_watch *gs_load(int file, gs_last_call **calls, int64_t *count)
{
    gs_dump_head head, own = gs_new_dump_head();
    gs_watch *w = (gs_watch *)malloc(sizeof *w);
    gs_part parts[GS_PARTS];
    if (w == NULL || !gs_read_all(file, &head, sizeof head))
        return NULL;
    *count = own.calls = head.calls;
    if (memcmp(&head, &own, sizeof head) != 0 || head.calls < 0 || head.calls > GS_LAST_CALLS ||
        !gs_read_all(file, w, sizeof *w))
        return NULL;
    w->phase = GS_LOADED;
    w->changes = (gs_change *)calloc((size_t)w->change_room, sizeof *w->changes);
    w->queues = (gs_queue *)calloc((size_t)w->queue_room, sizeof *w->queues);
    w->turns = (gs_turn *)calloc((size_t)w->turn_room, sizeof *w->turns);
    w->seen = (gs_seen *)calloc((size_t)w->seen_room, sizeof *w->seen);
    w->lanes = (gs_lane *)calloc((size_t)w->lane_room, sizeof *w->lanes);
    w->names = (gs_names *)calloc(1, sizeof *w->names);
    *calls = (gs_last_call *)calloc((size_t)head.calls + 1, sizeof **calls);
    gs_parts_of(w, parts);
    for (int i = 0; i < GS_PARTS; i++)
        if (parts[i].at == NULL || !gs_read_all(file, parts[i].at, parts[i].bytes))
            return NULL;
    return *calls != NULL && gs_read_all(file, *calls, head.calls * (int64_t)sizeof **calls) ? w : NULL;
}

/* -- called by the watching thread ---------------------------------------------------------------------------------- */

static int gs_what_ends(gs_watch *w, int64_t now_ns)
{
    gs_rescue *r = __atomic_load_n(&w->rescue, __ATOMIC_ACQUIRE);
    int cause = r != NULL && r->takes_signals ? gs_signal_that_ends(r, now_ns) : GS_GOES_ON;
    if (cause == GS_GOES_ON && r != NULL && r->deadline_ns && now_ns >= r->deadline_ns)
        cause = GS_TIME_IS_UP;
    return cause;
}

#endif
#endif
