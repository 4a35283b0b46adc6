/* The same countdown as gilstudy's C kernel, in a program without Python: what can be reached at all.
 *
 * Its argument is the most workers that a turn will have.  Reads turns from standard
 * input, a line each: "BATCH COUNT CPU...", and answers with a line of each worker's steps per second in a common window,
 * as gilstudy's own trials are timed.
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

static double work_at(gs_edge edge, int64_t instant_ns)
{
    double part = (double)(instant_ns - edge.before_ns) / (double)(edge.after_ns - edge.before_ns);
    return (double)edge.batches + (part < 0 ? 0 : part > 1 ? 1 : part);
}

int main(int argc, char **argv)
{
    unsigned long long batch;
    int count, most = argc > 1 ? atoi(argv[1]) : 0;
    gs_crew *crew = most > 0 ? gs_open_crew(most) : NULL;
    if (crew == NULL)
        return EXIT_FAILURE;
    while (scanf("%llu %d", &batch, &count) == 2 && count > 0 && count <= most) {
        for (int i = 0; i < count; i++)
            if (scanf("%d", &crew->workers[i].cpu) != 1)
                return EXIT_FAILURE;
        crew->batch = batch;
        crew->begin_ns = gs_now_ns() + LEAD_NS;
        crew->open_ns = crew->begin_ns + WARM_NS;
        crew->close_ns = crew->open_ns + WINDOW_NS;
        gs_run_crew(crew, count);
        for (int i = 0; i < count; i++) {
            const gs_worker *w = &crew->workers[i];
            double batches = work_at(w->close, crew->close_ns) - work_at(w->open, crew->open_ns);
            printf("%.1f ", batches * (double)batch * 1e9 / WINDOW_NS);
        }
        printf("\n");
        fflush(stdout);
    }
    gs_close_crew(crew);
    return EXIT_SUCCESS;
}
