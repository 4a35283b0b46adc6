/* The one loop that every C kernel runs.
 *
 * gcc and clang delete a plain `while (n > 0) n--;`, so the body holds an empty asm statement that claims to
 * change n.  Two inlined copies of the same loop can differ by 2x through alignment alone, so there is exactly
 * one copy: never inlined, always aligned.  The loop's limit is one taken branch per clock cycle.
 */
#ifndef GILSTUDY_LOOPS_H
#define GILSTUDY_LOOPS_H

#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define GS_KEEP(n) __asm__ volatile("" : "+r"(n))
#define GS_ONE_COPY __attribute__((noinline, aligned(64)))
#define GS_COUNTER uint64_t
#else /* MSVC has no such asm on x64: a volatile counter keeps the loop, at the price of memory traffic */
#define GS_KEEP(n) ((void)0)
#define GS_ONE_COPY __declspec(noinline)
#define GS_COUNTER volatile uint64_t
#endif

/* Counts n down to nothing and returns what is left of it, which is 0. */
static GS_ONE_COPY uint64_t gs_countdown(uint64_t start)
{
    GS_COUNTER n = start;
    while (n > 0) {
        n--;
        GS_KEEP(n);
    }
    return n;
}

#endif
