/* Which Python threads there are and were, so that who holds the GIL can be credited to the right one.
 *
 * A thread state's address is used again by a thread that comes later: only the threads of the last listing can be found
 * by their address.  Ended ones keep their slot in the table until it is needed for a new one; living ones always do.
 */
#ifndef GILSTUDY_GILSEEN_H
#define GILSTUDY_GILSEEN_H

#include "gilrecord.h"

enum { GS_LISTING = 16384 }; /* the most thread states that are listed */

static gs_place *gs_place_of(gs_places *places, uint64_t state)
{
    uint64_t at = (state >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 20;
    while (places->at[at & places->mask].state != 0 && places->at[at & places->mask].state != state)
        at++;
    return &places->at[at & places->mask];
}

static void gs_clear_places(gs_places *places, int64_t count)
{
    places->mask = 15;
    while ((int64_t)places->mask < 2 * count)
        places->mask = 2 * places->mask + 1;
    memset(places->at, 0, (size_t)(places->mask + 1) * sizeof *places->at);
}

/* The slot of the thread with this address, if it was there when `newest` was read; -1: there is none, or it may be one
 * that has come since. */
static int64_t gs_slot_of(gs_watch *w, uint64_t state, uint64_t newest)
{
    gs_place *place = state > GS_GIL_OFF ? gs_place_of(&w->places, state) : NULL;
    if (place == NULL || place->state == 0 || w->seen[place->slot].thread.id > newest)
        return -1;
    return place->slot;
}

/* An unused slot, or that of a thread which has ended: there is one, since no more than half of the room is listed. */
static int64_t gs_free_slot(gs_watch *w)
{
    if (w->seen_count < w->seen_room)
        return w->seen_count;
    while (w->seen[w->seen_next % w->seen_room].listed >= w->listings - 1)
        w->seen_next++;
    w->seen_lost++;
    return w->seen_next++ % w->seen_room;
}

static int64_t gs_new_seen(gs_watch *w, const gs_pythread *one, int64_t now_ns)
{
    int64_t slot = gs_free_slot(w);
    gs_seen *s = &w->seen[slot];
    GS_STORE(&s->serial, -1); /* not to be read meanwhile */
    s->first_ns = now_ns;
    s->bound = 0;
    s->thread = *one;
    GS_STORE(&s->serial, w->seen_serial++);
    if (slot == w->seen_count)
        GS_STORE(&w->seen_count, w->seen_count + 1);
    return slot;
}

static void gs_note_thread(gs_watch *w, const gs_pythread *one, int64_t now_ns, uint64_t newest)
{
    gs_place *known = gs_place_of(&w->places, one->state), *place = gs_place_of(&w->spare, one->state);
    place->state = one->state;
    place->slot = known->state != 0 && w->seen[known->slot].thread.id == one->id ? known->slot
                                                                                 : gs_new_seen(w, one, now_ns);
    gs_seen *s = &w->seen[place->slot];
    s->listed = w->listings;
    if (!s->bound) { /* a thread state is made by the parent, and gets its ids when its own thread begins */
        s->thread.ident = one->ident;
        s->thread.native_id = one->native_id;
    }
    s->bound |= one->state == w->last.holder && one->id <= newest;
}

/* The threads that there are now; `count` may be more than were listed. */
static void gs_note_threads(gs_watch *w, int count, int64_t now_ns, uint64_t newest)
{
    int64_t listed = count < w->listing_room ? count : w->listing_room;
    w->listings++;
    gs_clear_places(&w->spare, listed);
    for (int64_t i = listed; i-- > 0;) /* the list is newest first, serial numbers oldest first */
        gs_note_thread(w, &w->listing[i], now_ns, newest);
    gs_places before = w->places;
    w->places = w->spare;
    w->spare = before;
    if (count - listed > w->seen_unlisted)
        w->seen_unlisted = count - listed;
}

#endif
