/* Hearing of Ctrl-C and of requests to end, without the program's noticing (POSIX).
 *
 * Python runs a signal's handler in its main thread when that comes to it: a program that is stuck cannot be ended by Ctrl-C.
 * Included by gilrescue.h alone.
 */
#ifndef GILSTUDY_GILSIGNALS_H
#define GILSTUDY_GILSIGNALS_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { GS_KINDS = 3, GS_ANSWER_MS = 1000 };
static const int gs_kinds[GS_KINDS] = {SIGINT, SIGTERM, SIGHUP};

/* Ours is put in front of what the C library has for a signal, counts, and calls what it is in front of.  Python's own
 * table, which is what signal.getsignal tells, is not touched; whatever the program sets replaces ours. */
static struct sigaction gs_behind[GS_KINDS];
static int gs_heard[GS_KINDS];    /* how often it came, by others' hands than the program's own */
static int gs_is_own[GS_KINDS];   /* the program has put a handler of its own in place: only if that does not run, is it stuck */
static void (*gs_pythons)(int);   /* the one C function by which Python hears of signals */
static int gs_stands_by;          /* a thread is there that acts on what was heard */
static pid_t gs_owner;            /* the process in which it is */

static int gs_ends_by_default(const struct sigaction *action)
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

static void gs_end_by(int number)
{
    struct sigaction action;
    sigset_t one;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(number, &action, NULL);
    kill(getpid(), number);
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

static void gs_on_signal(int number, siginfo_t *info, void *context)
{
    int before_errno = errno, kind = 0;
    while (kind < GS_KINDS - 1 && gs_kinds[kind] != number)
        kind++;
    struct sigaction behind = gs_behind[kind];
    int is_end = gs_ends_by_default(&behind), is_ours = getpid() == gs_owner; /* not in a child just forked */
    int is_self = info != NULL && info->si_pid == gs_owner; /* a terminal is nobody: 0 */
    if (is_ours && (is_end || !is_self))
        __atomic_add_fetch(&gs_heard[kind], 1, __ATOMIC_SEQ_CST);
    if (behind.sa_flags & SA_SIGINFO)
        behind.sa_sigaction(number, info, context);
    else if (!is_end && behind.sa_handler != SIG_IGN)
        behind.sa_handler(number);
    else if (is_end) { /* nothing that the program does after this is to be seen: in a moment this thread is no more */
        struct timespec moment = {0, 5000000};
        for (int tries = 0; is_ours && tries < 2000 && __atomic_load_n(&gs_stands_by, __ATOMIC_ACQUIRE); tries++)
            nanosleep(&moment, NULL);
        gs_end_by(number);
    }
    errno = before_errno;
}

static int gs_is_in_front(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == gs_on_signal;
}

/* Anew now and then: a program may set a handler for a while.  Other libraries' handlers are left alone, and so are signals
 * that are ignored, or would be by default (by the first process of a container). */
static void gs_put_in_front(int kind)
{
    struct sigaction now, ours;
    if (sigaction(gs_kinds[kind], NULL, &now) != 0 || gs_is_in_front(&now))
        return;
    int is_end = gs_ends_by_default(&now);
    int is_pythons = !(now.sa_flags & SA_SIGINFO) && gs_pythons != NULL && now.sa_handler == gs_pythons;
    if (!is_pythons && !(is_end && gs_owner != 1))
        return;
    ours = now;
    ours.sa_sigaction = gs_on_signal;
    ours.sa_flags |= SA_SIGINFO | (is_end ? SA_RESTART | SA_ONSTACK : 0);
    gs_behind[kind] = now;
    sigaction(gs_kinds[kind], &ours, NULL);
}

/* `int_is_own`: Ctrl-C is not handled as Python does by itself. */
static void gs_take_signals(int int_is_own)
{
    struct sigaction now;
    gs_owner = getpid();
    if (sigaction(SIGINT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler != SIG_DFL &&
        now.sa_handler != SIG_IGN)
        gs_pythons = now.sa_handler;
    for (int kind = 0; kind < GS_KINDS; kind++) {
        gs_heard[kind] = 0;
        gs_is_own[kind] = kind > 0 || int_is_own;
        gs_put_in_front(kind);
    }
    __atomic_store_n(&gs_stands_by, 1, __ATOMIC_RELEASE);
}

/* Also in a forked child, where it must not do more than a signal handler may. */
static void gs_leave_signals(void)
{
    struct sigaction now;
    if (!__atomic_exchange_n(&gs_stands_by, 0, __ATOMIC_ACQ_REL))
        return;
    for (int kind = 0; kind < GS_KINDS; kind++)
        if (sigaction(gs_kinds[kind], NULL, &now) == 0 && gs_is_in_front(&now))
            sigaction(gs_kinds[kind], &gs_behind[kind], NULL);
}

#endif
