/* What sets the watching thread apart from others: short sleeps, woken at once, no signals; and the lock that it shares. */
#ifndef GILSTUDY_WATCHTHREAD_H
#define GILSTUDY_WATCHTHREAD_H

#include "osthread.h"

#ifndef _WIN32
#include <signal.h>
#endif
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#ifdef _WIN32
typedef SRWLOCK gs_lock;
#define GS_UNLOCKED SRWLOCK_INIT
static inline void gs_acquire(gs_lock *lock) { AcquireSRWLockExclusive(lock); }
static inline int gs_try_acquire(gs_lock *lock) { return TryAcquireSRWLockExclusive(lock) != 0; }
static inline void gs_release(gs_lock *lock) { ReleaseSRWLockExclusive(lock); }
#else
typedef pthread_mutex_t gs_lock;
#define GS_UNLOCKED PTHREAD_MUTEX_INITIALIZER
static inline void gs_acquire(gs_lock *lock) { pthread_mutex_lock(lock); }
static inline int gs_try_acquire(gs_lock *lock) { return pthread_mutex_trylock(lock) == 0; }
static inline void gs_release(gs_lock *lock) { pthread_mutex_unlock(lock); }
#endif

static inline void gs_nap(int64_t wake_ns)
{
#ifdef __linux__
    struct timespec t = {wake_ns / 1000000000LL, wake_ns % 1000000000LL};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
#elif defined(_WIN32)
    (void)wake_ns;
    Sleep(1); /* the shortest there is; gs_sleep_until would spin */
#else
    gs_sleep_until(wake_ns);
#endif
}

#ifdef __linux__
/* Woken at once and with its name to be seen.  Since Linux 6.12 a thread may ask for short turns on the CPU, and in
 * return need not wait, often for a tick of 4 ms, until the one that runs has had its long turn; before, this is ignored. */
static inline void gs_be_prompt(const char *name, int64_t slack_ns)
{
    struct { /* struct sched_attr, which no C library's header has for sure */
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attr;
    if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) == 0 && attr.policy == 0 /* SCHED_OTHER */) {
        attr.runtime = 100000;
        syscall(SYS_sched_setattr, 0, &attr, 0);
    }
    prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns, 0, 0, 0); /* the usual is 50 us */
    prctl(PR_SET_NAME, name, 0, 0, 0);
}
#else
static inline void gs_be_prompt(const char *name, int64_t slack_ns) { (void)name, (void)slack_ns; }
#endif

#ifdef _WIN32
static inline int gs_start_undisturbed(gs_thread *thread, gs_thread_main run, void *arg) { return gs_start(thread, run, arg); }
#else
/* Signals are for the program's own threads: one that our thread took would not wake the one that sleeps for it. */
static inline int gs_start_undisturbed(gs_thread *thread, gs_thread_main run, void *arg)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL}; /* our own: whoever reports crashes is to hear of them */
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int started = gs_start(thread, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}
#endif

#endif
