/*
 * import_parts: what the files that write a section share.
 */
#ifndef CLI_IMPORT_PARTS_H
#define CLI_IMPORT_PARTS_H

#include "cli/destination.h"
#include "cli/import_text.h"
#include "config/config.h"

/* The section that is being written. */
struct section {
    const char *file; /* the export's name in sentences */
    const struct destination *from;
    char name[IMPORT_NAME_SIZE];
    struct config *scratch; /* its one tenant tries each line */
    /* The folder for certificates of the export; NULL: they are not written. */
    const char *certificates;
    struct buf *out, *notes;
    struct diag *why, *flaw;
};

/* The property with that name, which is marked as used; NULL: there is none, or it has no text. */
struct property *import_take(const struct section *s, const char *key);

/* Is that the property's value, in any case of letters? */
bool import_says(const struct section *s, const char *key, const char *value);

void import_line(const struct section *s, const char *key, const char *value);

#endif
