/* The same countdown as gilstudy's C kernel, in a program without Python: what can be reached at all.
 *
 * Reads turns from standard input, a line each: "LAP COUNT CPU...", and answers with a line of each worker's steps per
 * second in a common window, as gilstudy's own trials are timed.
 *
 *     cc -O2 -pthread -I ext bench/limit.c -o limit
 */
#define _GNU_SOURCE
#include "crew.h"
#include <stdio.h>
#include <stdlib.h>

#define LEAD_NS 700000
#define WARM_NS 1500000
#define WINDOW_NS 5000000
#define MOST 64

static double work_at(gs_edge edge, int64_t instant_ns)
{
    double part = (double)(instant_ns - edge.before_ns) / (double)(edge.after_ns - edge.before_ns);
    return (double)edge.laps + (part < 0 ? 0 : part > 1 ? 1 : part);
}

int main(void)
{
    unsigned long long lap;
    int count;
    while (scanf("%llu %d", &lap, &count) == 2 && count <= MOST) {
        gs_worker workers[MOST] = {0};
        int64_t begin_ns = gs_now_ns() + LEAD_NS, open_ns = begin_ns + WARM_NS;
        for (int i = 0; i < count; i++) {
            workers[i] = (gs_worker){.lap = lap, .begin_ns = begin_ns, .open_ns = open_ns, .close_ns = open_ns + WINDOW_NS};
            if (scanf("%d", &workers[i].cpu) != 1)
                return EXIT_FAILURE;
        }
        if (gs_run_crew(workers, count))
            return EXIT_FAILURE;
        for (int i = 0; i < count; i++) {
            double laps = work_at(workers[i].close, workers[i].close_ns) - work_at(workers[i].open, workers[i].open_ns);
            printf("%.1f ", laps * (double)lap * 1e9 / WINDOW_NS);
        }
        printf("\n");
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
