/*
 * file: reads and writes whole small files, such as the configuration and
 * certificates.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/diag.h"

enum { FILE_MAX = 1024 * 1024 };

/* Reads a file of at most FILE_MAX bytes into *out, which has to be empty. A NUL follows the n
 * bytes. ST_BAD_INPUT: the file is missing, too large or a directory; the sentence begins with the
 * path. The bytes are not copied, so after file_wipe() none are left in memory. */
enum status file_read(const char *path, struct buf *out, struct diag *why) MUST_CHECK;

/* The same for a file of at most max bytes with public content. */
enum status file_read_up_to(const char *path, size_t max, struct buf *out,
                            struct diag *why) MUST_CHECK;

/* The same for standard input; sentences call it "standard input". */
enum status file_read_stdin(struct buf *out, struct diag *why) MUST_CHECK;

/* Overwrites and frees what file_read() returned. */
void file_wipe(struct buf *b);

/* Appends a line that identifies the present state of the file at path (links are followed). The
 * line is different after the file was changed or replaced. It contains no NUL. */
void file_add_mark(struct buf *out, const char *path);

/* Could a file be made at path, and its group be set ((gid_t)-1: the group stays)? A symbolic link
 * is followed even if its target is missing. Leaves no file behind. On false, errno says why. */
bool file_can_make(const char *path, gid_t group);

/* Creates path with these bytes and that mode. ST_BAD_INPUT: path exists or cannot be created.
 * ST_SYSTEM: it could not be written, and is removed. */
enum status file_write_new(const char *path, struct slice bytes, mode_t mode,
                           struct diag *why) MUST_CHECK;

/* Appends these bytes to an existing file. */
enum status file_append(const char *path, struct slice bytes, struct diag *why) MUST_CHECK;

#endif
