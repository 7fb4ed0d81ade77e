/*
 * file: whole small files, as configuration and certificates are.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/diag.h"

enum { FILE_MAX = 1024 * 1024 };

/* Reads a file of FILE_MAX bytes at most into *out (empty before; NUL-terminated after n). A
 * directory, a missing or a larger file is ST_BAD_INPUT; the sentence begins with the path. The
 * bytes are never copied on the way, so file_wipe() leaves nothing behind. */
enum status file_read(const char *path, struct buf *out, struct diag *why) MUST_CHECK;

/* The same for a file of up to max bytes, which are public. */
enum status file_read_up_to(const char *path, size_t max, struct buf *out,
                            struct diag *why) MUST_CHECK;

/* The same for what is on standard input, whose name in sentences that is. */
enum status file_read_stdin(struct buf *out, struct diag *why) MUST_CHECK;

/* Frees what file_read() gave, overwritten. */
void file_wipe(struct buf *b);

/* Adds a line that tells what is at path, after following links: another one once the file was
 * changed or another took its place. It holds no NUL. */
void file_add_mark(struct buf *out, const char *path);

/* Could a file be made at path, and be given to that group ((gid_t)-1: to none)? Leaves nothing
 * after. False, and errno: it could not. A symbolic link to nowhere is followed. */
bool file_can_make(const char *path, gid_t group);

/* Creates path with these bytes and mode 0600; an existing file is ST_BAD_INPUT. */
enum status file_write_new(const char *path, struct slice bytes, mode_t mode,
                           struct diag *why) MUST_CHECK;

/* Adds these bytes to a file that is there. */
enum status file_append(const char *path, struct slice bytes, struct diag *why) MUST_CHECK;

#endif
