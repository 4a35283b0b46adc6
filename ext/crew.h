/* The ceiling: the countdown in plain native threads, with no Python at all, parked between turns as all crews are.
 *
 * In a turn each worker sleeps to `begin`, then runs batch after batch until it has passed `close`.  It keeps the pair of batch
 * boundaries that straddles `open`, and the pair that straddles `close` (it may be the same), so that the work done between
 * the two instants, which are the same for all workers, can be told to within a batch.
 */
#ifndef GILSTUDY_CREW_H
#define GILSTUDY_CREW_H

#include <stdlib.h>

#include "loops.h"
#include "osthread.h"

#ifdef _WIN32
typedef SRWLOCK gs_mutex;
typedef CONDITION_VARIABLE gs_condition;
static inline void gs_mutex_init(gs_mutex *mutex) { InitializeSRWLock(mutex); }
static inline void gs_mutex_lock(gs_mutex *mutex) { AcquireSRWLockExclusive(mutex); }
static inline void gs_mutex_unlock(gs_mutex *mutex) { ReleaseSRWLockExclusive(mutex); }
static inline void gs_mutex_end(gs_mutex *mutex) { (void)mutex; }
static inline void gs_condition_init(gs_condition *condition) { InitializeConditionVariable(condition); }
static inline void gs_condition_wait(gs_condition *condition, gs_mutex *mutex)
{
    SleepConditionVariableSRW(condition, mutex, INFINITE, 0);
}
static inline void gs_condition_wake_all(gs_condition *condition) { WakeAllConditionVariable(condition); }
static inline void gs_condition_end(gs_condition *condition) { (void)condition; }
#else
typedef pthread_mutex_t gs_mutex;
typedef pthread_cond_t gs_condition;
static inline void gs_mutex_init(gs_mutex *mutex) { pthread_mutex_init(mutex, NULL); }
static inline void gs_mutex_lock(gs_mutex *mutex) { pthread_mutex_lock(mutex); }
static inline void gs_mutex_unlock(gs_mutex *mutex) { pthread_mutex_unlock(mutex); }
static inline void gs_mutex_end(gs_mutex *mutex) { pthread_mutex_destroy(mutex); }
static inline void gs_condition_init(gs_condition *condition) { pthread_cond_init(condition, NULL); }
static inline void gs_condition_wait(gs_condition *condition, gs_mutex *mutex) { pthread_cond_wait(condition, mutex); }
static inline void gs_condition_wake_all(gs_condition *condition) { pthread_cond_broadcast(condition); }
static inline void gs_condition_end(gs_condition *condition) { pthread_cond_destroy(condition); }
#endif

typedef struct {
    int64_t before_ns, after_ns; /* the last batch boundary before the instant, and the first one at or after it */
    int64_t batches;                /* batches done at before_ns */
    int64_t cpu_ns;              /* this thread's CPU time at after_ns */
} gs_edge;

struct gs_crew;

typedef struct {
    struct gs_crew *crew;
    int cpu;     /* -1: not pinned */
    int pinned;  /* the CPU on which it was put last */
    int refused; /* whether the system refused to put it on `cpu` */
    int64_t ready_ns;
    gs_edge open, close;
    gs_thread thread;
} gs_worker;

/* The lock guards all that is below it; a worker reads its turn before it lets the lock go, and nobody writes it until
 * all are done. */
typedef struct gs_crew {
    gs_worker *workers;
    int count;
    gs_mutex lock;
    gs_condition begins, ends;
    uint64_t batch;
    int64_t begin_ns, open_ns, close_ns;
    int64_t turn; /* counts turns; -1: go home */
    int wanted, busy;
} gs_crew;

/* Runs batches until one has passed the instant; the last one may have done so already. */
static gs_edge gs_run_past(uint64_t batch, int64_t instant_ns, gs_edge edge)
{
    while (edge.after_ns < instant_ns || edge.batches < 0) {
        edge.before_ns = edge.after_ns;
        gs_countdown(batch);
        edge.after_ns = gs_now_ns();
        edge.batches++;
    }
    edge.cpu_ns = gs_thread_cpu_ns();
    return edge;
}

static void gs_take_turn(gs_worker *w)
{
    const gs_crew *crew = w->crew;
    gs_edge start = {0, 0, -1, 0};
    w->refused = w->cpu >= 0 && w->cpu != w->pinned && !gs_pin(w->cpu);
    if (w->cpu >= 0 && !w->refused)
        w->pinned = w->cpu;
    w->ready_ns = gs_sleep_until(crew->begin_ns);
    start.before_ns = start.after_ns = gs_now_ns();
    w->open = gs_run_past(crew->batch, crew->open_ns, start);
    w->close = gs_run_past(crew->batch, crew->close_ns, w->open);
}

static GS_THREAD_RESULT gs_work(void *arg)
{
    gs_worker *w = (gs_worker *)arg;
    gs_crew *crew = w->crew;
    int64_t done = 0;
    gs_mutex_lock(&crew->lock);
    for (;;) {
        while (crew->turn == done)
            gs_condition_wait(&crew->begins, &crew->lock);
        if (crew->turn < 0)
            break;
        done = crew->turn;
        if (w - crew->workers >= crew->wanted)
            continue;
        gs_mutex_unlock(&crew->lock);
        gs_take_turn(w);
        gs_mutex_lock(&crew->lock);
        if (--crew->busy == 0)
            gs_condition_wake_all(&crew->ends);
    }
    gs_mutex_unlock(&crew->lock);
    return 0;
}

/* Has the first `wanted` workers take a turn, and waits for them; their CPUs and the crew's times have been set. */
static void gs_run_crew(gs_crew *crew, int wanted)
{
    gs_mutex_lock(&crew->lock);
    crew->wanted = crew->busy = wanted;
    crew->turn++;
    gs_condition_wake_all(&crew->begins);
    while (crew->busy)
        gs_condition_wait(&crew->ends, &crew->lock);
    gs_mutex_unlock(&crew->lock);
}

static void gs_close_crew(gs_crew *crew)
{
    gs_mutex_lock(&crew->lock);
    crew->turn = -1;
    gs_condition_wake_all(&crew->begins);
    gs_mutex_unlock(&crew->lock);
    while (crew->count)
        gs_join(crew->workers[--crew->count].thread);
    gs_condition_end(&crew->begins);
    gs_condition_end(&crew->ends);
    gs_mutex_end(&crew->lock);
    free(crew->workers);
    free(crew);
}

/* Returns NULL if there is no memory, or if the system refuses a thread. */
static gs_crew *gs_open_crew(int count)
{
    gs_crew *crew = (gs_crew *)calloc(1, sizeof *crew);
    gs_worker *workers = (gs_worker *)calloc((size_t)count, sizeof *workers);
    if (crew == NULL || workers == NULL) {
        free(crew);
        free(workers);
        return NULL;
    }
    crew->workers = workers;
    gs_mutex_init(&crew->lock);
    gs_condition_init(&crew->begins);
    gs_condition_init(&crew->ends);
    for (; crew->count < count; crew->count++) {
        gs_worker *w = &workers[crew->count];
        w->crew = crew;
        w->pinned = -1;
        if (!gs_start(&w->thread, gs_work, w)) {
            gs_close_crew(crew);
            return NULL;
        }
    }
    return crew;
}

#endif
