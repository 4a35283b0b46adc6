/* What Python calls its threads, told as they begin: the newest names, in memory that needs no GIL to be read. */
#ifndef GILSTUDY_GILNAMES_H
#define GILSTUDY_GILNAMES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { GS_NAMES = 16384, GS_NAME_TEXT = 1 << 20, GS_LONGEST_NAME = 4096 };

typedef struct {
    int64_t id;    /* a thread's native id, or a process id */
    int64_t begin; /* its first byte, counted over all that were ever written */
    int64_t length;
} gs_name;

/* Two rings: an old name goes when its entry, or its text, is overwritten. */
typedef struct gs_names {
    int64_t count, written;
    gs_name name[GS_NAMES];
    char text[GS_NAME_TEXT]; /* UTF-8 */
} gs_names;

static void gs_add_name(gs_names *all, int64_t id, const char *text, int64_t length)
{
    if (length > GS_LONGEST_NAME)
        for (length = GS_LONGEST_NAME; (text[length] & 0xC0) == 0x80;) /* no character is cut in two */
            length--;
    if (GS_NAME_TEXT - all->written % GS_NAME_TEXT < length) /* each lies in one piece */
        all->written += GS_NAME_TEXT - all->written % GS_NAME_TEXT;
    gs_name *one = &all->name[all->count % GS_NAMES];
    one->id = id;
    one->begin = all->written;
    one->length = length;
    memcpy(all->text + one->begin % GS_NAME_TEXT, text, (size_t)length);
    all->written += length;
    all->count++;
}

static void gs_copy_used_names(gs_names *copy, const gs_names *all)
{
    copy->count = all->count;
    copy->written = all->written;
    memcpy(copy->name, all->name, (size_t)(all->count < GS_NAMES ? all->count : GS_NAMES) * sizeof *all->name);
    memcpy(copy->text, all->text, (size_t)(all->written < GS_NAME_TEXT ? all->written : GS_NAME_TEXT));
}

/* The names' places count up from here; NULL for one whose text is gone already. */
static int64_t gs_first_name(const gs_names *all) { return all->count > GS_NAMES ? all->count - GS_NAMES : 0; }

static const gs_name *gs_name_at(const gs_names *all, int64_t place)
{
    const gs_name *one = &all->name[place % GS_NAMES];
    return all->written - one->begin <= GS_NAME_TEXT ? one : NULL;
}

#endif
