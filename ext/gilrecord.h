/* What a watch writes, and the watch itself: types alone, and how two threads share a word.  See gilwatch.h. */
#ifndef GILSTUDY_GILRECORD_H
#define GILSTUDY_GILRECORD_H

#include <stdlib.h>
#include <string.h>

#include "gilcore.h"
#include "gilnames.h"
#include "watchthread.h"

#if defined(__GNUC__) || defined(__clang__)
#define GS_LOAD(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define GS_STORE(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define GS_ADD(p, v) __atomic_add_fetch((p), (v), __ATOMIC_SEQ_CST)
#define GS_READS_END() __atomic_thread_fence(__ATOMIC_ACQUIRE) /* what was read before is not read again later */
#else
#define GS_LOAD(p) (*(volatile int64_t *)(p))
#define GS_STORE(p, v) (*(volatile int64_t *)(p) = (v))
#define GS_ADD(p, v) InterlockedAdd64((volatile LONG64 *)(p), (v))
#define GS_READS_END() MemoryBarrier()
#endif

/* What two threads share is read and written at once, for which it must be aligned: int64_t need not be where it is two
 * words.  In memory of malloc's, which is aligned for anything, a struct's fields are then aligned too. */
#if defined(__GNUC__) || defined(__clang__)
typedef int64_t gs_shared __attribute__((aligned(8)));
#else
typedef __declspec(align(8)) int64_t gs_shared;
#endif

typedef struct {
    int64_t at_ns; /* half-way between the look that found it so and the look before */
    uint64_t holder, switches;
    gs_shared thread; /* the holder's serial number in the table of threads; -1: none, or not known */
} gs_change;

typedef struct {
    int64_t at_ns; /* as above */
    int64_t count; /* threads that wait for the GIL; -1: it cannot be told */
} gs_queue;

typedef struct {
    gs_shared serial; /* its own for ever, unlike its slot; -1 while it is being written */
    gs_pythread thread;
    int64_t first_ns; /* of the look that found it */
    int64_t listed;   /* the last listing that it was in */
    int bound;        /* its ident is its own: it was seen to hold the GIL, or had begun */
} gs_seen;

enum { GS_RUNNING, GS_READY, GS_WAITING, GS_BLOCKED, GS_OFF_CPU, GS_HOLDING, GS_ENDED };

typedef struct {
    int64_t before_ns, looked_ns;     /* the look before, and the look that found it so */
    int64_t ran_ns, ready_ns;         /* between the two: on a CPU, and waiting for one */
    int64_t cpu_ns, delay_ns, slices; /* in all, at the latter */
    int32_t lane, state;
} gs_turn;

typedef struct {
    gs_shared serial; /* as in gs_seen */
    int64_t id;     /* the thread's native id, or the process id */
    int64_t parent;
    int is_process, living;
    char name[16];
} gs_lane;

typedef struct {
    uint64_t state; /* 0: empty */
    int64_t slot;
} gs_place;

/* The threads of one listing by their address; see gilseen.h. */
typedef struct {
    gs_place *at;
    uint64_t mask;
} gs_places;

struct gs_rescue; /* how to report when the program is stuck; see gilrescue.h */
struct gs_tasks; /* what is open of the threads that are being looked at; see gilthreads.h */

enum { GS_NEW, GS_STARTED, GS_STOPPING, GS_STOPPED, GS_LOADED };

typedef struct {
    int64_t period_ns, lane_period_ns, unseen_ns;
    int64_t sees_gil, sees_lanes;
    /* GIL */
    gs_change *changes;
    int64_t change_room;
    gs_shared change_head; /* all that were ever written */
    gs_queue *queues;
    int64_t queue_room;
    gs_shared queue_head;
    gs_seen *seen;
    int64_t seen_room, seen_next, seen_serial, seen_lost, seen_unlisted;
    gs_shared seen_count;
    gs_pythread *listing;
    int64_t listing_room, listings;
    gs_places places, spare;
    gs_gil last;
    uint64_t newest, change_newest; /* thread states made before the last listing, and before the last change */
    int64_t holder_id; /* its native id; 0: none, or not known */
    int64_t unsure_ns; /* the last look since whose predecessor it may have been with a thread that was not seen */
    int wants_list;
    /* threads and processes */
    gs_turn *turns;
    int64_t turn_room;
    gs_shared turn_head;
    gs_lane *lanes;
    int64_t lane_room, lane_next, lane_serial, lane_lost, lane_without, opened_anew;
    gs_shared lane_count;
    struct gs_tasks *tasks;
    int64_t soonest_lanes_ns, next_lanes_ns, lane_looks, lane_cost_ns, usual_cost_ns;
    int wants_lanes;
    /* itself */
    int64_t begin_ns, first_switches, last_switches;
    int64_t interval_us, interval_changes, others; /* as seen last; how often it was seen to have changed */
    int64_t longest_gap_ns, cpu_ns, own_id;
    gs_shared end_ns, polls, stop, phase;
    uint64_t dice;
    int64_t generation;
    gs_names *names;
    struct gs_rescue *rescue; /* NULL: none */
    gs_thread thread;
} gs_watch;

#endif
