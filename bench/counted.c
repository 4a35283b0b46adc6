/* Sleeps and waits that measure themselves, for bench/sleeps.py.  Called without the GIL: what they return has nothing of
 * the wait for it in it.  The time for which the thread had been woken and waited for a CPU is not sleep: the kernel
 * counts it (schedstat). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* How long this thread has waited for a CPU so far. */
int64_t ready_ns(void)
{
    static __thread int file;
    char text[100] = "", *end;
    if (file == 0)
        file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (pread(file, text, sizeof text - 1, 0) <= 0)
        return 0;
    strtoll(text, &end, 10);
    return strtoll(end, NULL, 10);
}

/* Time, less the time on a CPU and waiting for one. */
static int64_t idle_ns(void) { return now_ns(CLOCK_MONOTONIC) - now_ns(CLOCK_THREAD_CPUTIME_ID) - ready_ns(); }

int64_t counted_sleep(int64_t length_ns)
{
    struct timespec length = {length_ns / 1000000000, length_ns % 1000000000};
    int64_t begin = idle_ns();
    nanosleep(&length, NULL);
    return idle_ns() - begin;
}

int64_t counted_poll(int file, int most_ms)
{
    struct pollfd one = {file, POLLIN, 0};
    int64_t begin = idle_ns();
    poll(&one, 1, most_ms);
    return idle_ns() - begin;
}

static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;

/* Waits for a lock that all threads share, and keeps it asleep for a while. */
int64_t counted_lock(int64_t keep_ns)
{
    struct timespec keep = {keep_ns / 1000000000, keep_ns % 1000000000};
    int64_t begin = idle_ns();
    pthread_mutex_lock(&the_lock);
    nanosleep(&keep, NULL);
    pthread_mutex_unlock(&the_lock);
    return idle_ns() - begin;
}

/* Computes for so long, by the thread's own clock: with the GIL or without, as it was called. */
int64_t compute(int64_t length_ns)
{
    int64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + length_ns;
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end) {
    }
    return 0;
}
