/* Files of /proc, a few of which stay open between looks, since opening takes longer than reading.
 *
 * File numbers are the program's: no more than a small share of those that it may use is kept.  A file that finds no
 * place among them is opened for each look.  All this is done under the lock that looks at threads hold.
 */
#ifndef GILSTUDY_PROCFILES_H
#define GILSTUDY_PROCFILES_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GS_MOST_KEPT = 128, GS_KEPT_SHARE = 8 };

/* An open file of ours.  The program may close all files (as daemons do) and open one of its own under the same number:
 * that one must not be closed, so it is kept which file it was. */
typedef struct {
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
} gs_file;

/* One that is read again and again. */
typedef struct {
    gs_file file;
    int reads;
} gs_kept;

static int64_t gs_files_kept; /* by all watches of this process */

static gs_file gs_open_proc(const char *pattern, int64_t id)
{
    char path[64];
    struct stat facts;
    gs_file file = {-1, 0, 0};
    snprintf(path, sizeof path, pattern, (long long)id);
    file.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file.fd >= 0 && fstat(file.fd, &facts) == 0) {
        file.device = facts.st_dev;
        file.inode = facts.st_ino;
    }
    return file;
}

static void gs_close_own(const gs_file *file)
{
    struct stat facts;
    if (file->fd >= 0 && fstat(file->fd, &facts) == 0 && facts.st_dev == file->device && facts.st_ino == file->inode)
        close(file->fd);
}

static int gs_read_proc(const gs_file *file, char *text, size_t room)
{
    ssize_t length = file->fd < 0 ? -1 : pread(file->fd, text, room - 1, 0);
    text[length > 0 ? length : 0] = 0;
    return length > 0;
}

/* How many may be kept now: the program may change its limit at any time. */
static int64_t gs_most_kept(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    return limit.rlim_cur / GS_KEPT_SHARE < GS_MOST_KEPT ? (int64_t)(limit.rlim_cur / GS_KEPT_SHARE) : GS_MOST_KEPT;
}

static void gs_let_go(gs_kept *kept)
{
    gs_files_kept -= kept->file.fd >= 0;
    gs_close_own(&kept->file);
    kept->file.fd = -1;
}

/* One that is read a second time is kept, if it may be: most idle threads are looked up only once. */
static int gs_read_kept(gs_kept *kept, const char *pattern, int64_t id, char *text, size_t room, int64_t most)
{
    if (kept->file.fd >= 0 && gs_read_proc(&kept->file, text, room))
        return 1;
    gs_let_go(kept); /* the program may have closed it */
    gs_file file = gs_open_proc(pattern, id);
    int done = gs_read_proc(&file, text, room);
    if (kept->reads++ > 0 && gs_files_kept < most) {
        kept->file = file;
        gs_files_kept += file.fd >= 0;
    } else
        gs_close_own(&file);
    return done;
}

#endif
