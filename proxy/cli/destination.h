/*
 * destination: reads a destination that SAP BTP has exported, as properties.
 *
 * The export may be Java properties, JSON or YAML, which is recognised by the
 * content. Values whose names say that they are secret are not kept, so that
 * nothing can show them. No error message holds a value.
 */
#ifndef CLI_DESTINATION_H
#define CLI_DESTINATION_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/diag.h"

struct property {
    const char *key;
    const char *value; /* NULL: a secret, or not a single text */
    int line;          /* 0: not known (JSON) */
    bool secret;       /* the name says that the value is secret */
    /* The property has a value; an export may list secrets without values. */
    bool given;
    bool used; /* the importer has used it */
};

struct destination {
    struct property *properties;
    size_t count;
    int line;                        /* first line; 0: not known */
    const struct tree *certificates; /* those that come with it; NULL: none */
};

struct destinations {
    struct destination *all;
    size_t count;
    struct tree *tree; /* owns the texts */
};

/* Reads all destinations in text; at least one is required. name: the export's name in sentences.
 * On failure *out is unchanged, and *why begins with "name:line: " or "name: ". */
enum status destinations_read(const char *name, struct slice text, struct destinations *out,
                              struct diag *why) MUST_CHECK;

void destinations_free(struct destinations *d); /* overwrites the texts */

/* The content of the certificate of that name that comes with the destination, in base64. It is a
 * secret. p NULL: there is none. */
struct slice destination_certificate(const struct destination *d, const char *name);

/* The property with that name in any case of letters; NULL: there is none. */
struct property *destination_find(const struct destination *d, const char *key);

#endif
