/*
 * import_parts: what the files that write a section share.
 */
#ifndef CLI_IMPORT_PARTS_H
#define CLI_IMPORT_PARTS_H

#include "cli/destination.h"
#include "cli/import_text.h"
#include "config/config.h"

/* One that is being written. */
struct section {
    const char *file; /* the export, for sentences */
    const struct destination *from;
    char name[IMPORT_NAME_SIZE];
    struct config *scratch;   /* what is written is tried on its one tenant */
    const char *certificates; /* the folder into which those of the export go; NULL: nowhere */
    struct buf *out, *notes;
    struct diag *why, *flaw;
};

/* The property of that name, which counts as used from now on; NULL: none, or without a text. */
struct property *import_take(const struct section *s, const char *key);

/* Is the property's value that one, whatever its case? */
bool import_says(const struct section *s, const char *key, const char *value);

void import_line(const struct section *s, const char *key, const char *value);

#endif
