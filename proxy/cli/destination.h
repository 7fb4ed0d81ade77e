/*
 * destination: what SAP BTP exports of a destination, as properties.
 *
 * Read from Java properties, JSON or YAML, told apart by the content, into one
 * form. Values whose names say that they are secrets are not kept at all, so
 * that nothing can show them; no sentence holds a value.
 */
#ifndef CLI_DESTINATION_H
#define CLI_DESTINATION_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/diag.h"

struct property {
    const char *key;
    const char *value; /* NULL: a secret, or no single text */
    int line;          /* 0: not known (JSON) */
    bool secret;       /* its name says so */
    bool given;        /* there was a value; an export names secrets without theirs */
    bool used;         /* the importer's own mark */
};

struct destination {
    struct property *properties;
    size_t count;
    int line;                        /* where it begins; 0: not known */
    const struct tree *certificates; /* that come with it; NULL: none */
};

struct destinations {
    struct destination *all;
    size_t count;
    struct tree *tree; /* what the texts belong to */
};

/* All destinations in text, at least one; name stands for it in sentences. On failure *out is
 * untouched and the sentence begins with "name:line: " or "name: ". */
enum status destinations_read(const char *name, struct slice text, struct destinations *out,
                              struct diag *why) MUST_CHECK;

void destinations_free(struct destinations *d); /* overwrites the texts */

/* The content of the certificate of that name, which comes with it: base64, and a secret; p NULL:
 * there is none. */
struct slice destination_certificate(const struct destination *d, const char *name);

/* The property of that name, whatever its case; NULL if there is none. */
struct property *destination_find(const struct destination *d, const char *key);

#endif
