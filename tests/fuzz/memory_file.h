/*
 * memory_file: a file that is only in memory, for loaders that take a path. One for each name; the
 * next content takes the place of the one before. Private to its owner, as keys have to be.
 */
#ifndef FUZZ_MEMORY_FILE_H
#define FUZZ_MEMORY_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"

struct memory_file {
    int fd; /* 0: not made yet */
    char path[32];
};

static inline const char *memory_file_set(struct memory_file *f, struct slice content)
{
    if (f->fd == 0) {
        f->fd = memfd_create("fuzz", MFD_CLOEXEC);
        if (f->fd <= 0 || fchmod(f->fd, 0600) != 0)
            abort();
        (void)snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
    }
    if (ftruncate(f->fd, 0) != 0 ||
        pwrite(f->fd, content.n == 0 ? "" : content.p, content.n, 0) != (ssize_t)content.n)
        abort();
    return f->path;
}

#endif
