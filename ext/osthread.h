/* The little that is needed of the operating system: one clock, a sleep to an absolute time, pinning, threads.
 *
 * The clock is monotonic and shared by all processes of the host, so a time read in one may be waited for in another.
 */
#ifndef GILSTUDY_OSTHREAD_H
#define GILSTUDY_OSTHREAD_H

#include <stdint.h>

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <process.h>
#include <windows.h>

typedef HANDLE gs_thread;
#define GS_THREAD_RESULT unsigned __stdcall
typedef unsigned(__stdcall *gs_thread_main)(void *);

static inline int64_t gs_now_ns(void)
{
    LARGE_INTEGER ticks, per_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&per_second);
    int64_t whole = ticks.QuadPart / per_second.QuadPart, rest = ticks.QuadPart % per_second.QuadPart;
    return whole * 1000000000LL + rest * 1000000000LL / per_second.QuadPart;
}

static inline int64_t gs_thread_cpu_ns(void)
{
    FILETIME made, ended, kernel, user;
    if (!GetThreadTimes(GetCurrentThread(), &made, &ended, &kernel, &user))
        return 0;
    return 100LL * ((((int64_t)kernel.dwHighDateTime + user.dwHighDateTime) << 32) +
                    (int64_t)kernel.dwLowDateTime + user.dwLowDateTime);
}

static inline int64_t gs_sleep_until(int64_t wake_ns)
{
    int64_t now = gs_now_ns();
    while (now < wake_ns) { /* Sleep is coarse: it stops two ticks short and the rest is spun */
        int64_t left_ms = (wake_ns - now) / 1000000;
        if (left_ms > 32)
            Sleep((DWORD)(left_ms - 32));
        else
            YieldProcessor();
        now = gs_now_ns();
    }
    return now;
}

static inline int gs_pin(int cpu)
{
    return cpu >= 0 && cpu < 64 && SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)1 << cpu) != 0;
}

static inline int gs_start(gs_thread *thread, gs_thread_main run, void *arg)
{
    *thread = (HANDLE)_beginthreadex(NULL, 0, run, arg, 0, NULL);
    return *thread != NULL;
}

static inline void gs_join(gs_thread thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static inline void gs_die_with_parent(void) {}

#else /* POSIX */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>
#endif

typedef pthread_t gs_thread;
#define GS_THREAD_RESULT void *
typedef void *(*gs_thread_main)(void *);

static inline int64_t gs_read_clock(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline int64_t gs_now_ns(void) { return gs_read_clock(CLOCK_MONOTONIC); }

static inline int64_t gs_thread_cpu_ns(void) { return gs_read_clock(CLOCK_THREAD_CPUTIME_ID); }

/* Returns the time at which it woke: read here, before anything (such as the GIL) can be waited for. */
static inline int64_t gs_sleep_until(int64_t wake_ns)
{
#ifdef __linux__
    struct timespec t = {wake_ns / 1000000000LL, wake_ns % 1000000000LL};
    prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0); /* of this thread: 1 us instead of the usual 50 */
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
    }
    return gs_now_ns();
#else
    int64_t now;
    while ((now = gs_now_ns()) < wake_ns) {
        int64_t left = wake_ns - now;
        struct timespec t = {left / 1000000000LL, left % 1000000000LL};
        nanosleep(&t, NULL);
    }
    return now;
#endif
}

static inline int gs_pin(int cpu)
{
#ifdef __linux__
    cpu_set_t one;
    if (cpu < 0 || cpu >= CPU_SETSIZE)
        return 0;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0; /* 0: the calling thread */
#else
    (void)cpu; /* macOS has no way to pin a thread */
    return 0;
#endif
}

static inline int gs_start(gs_thread *thread, gs_thread_main run, void *arg)
{
    return pthread_create(thread, NULL, run, arg) == 0;
}

static inline void gs_join(gs_thread thread) { pthread_join(thread, NULL); }

/* Linux ends this process as soon as its parent is gone, even in the midst of a call that never returns. */
static inline void gs_die_with_parent(void)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

#endif
#endif
