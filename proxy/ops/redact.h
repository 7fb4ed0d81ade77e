/*
 * redact: JSON for strangers. Texts that may name a person, a company, a host
 * or a file become short hashes; the same text becomes the same hash within
 * one document, and no two documents have hashes in common.
 *
 * A text stays only as the value of a member that is known to be harmless: what
 * is not known is hashed.
 */
#ifndef OPS_REDACT_H
#define OPS_REDACT_H

#include <stdbool.h>

#include "base/buf.h"
#include "tls/secret.h"

struct redactor {
    bool keeps_names; /* nothing is hashed */
    unsigned char key[SECRET_KEY_SIZE];
};

void redactor_start(struct redactor *r, bool keeps_names);

/* Appends a text: "#1f83d9ab", or as it is if names are kept. Not as JSON. */
void redact_text(const struct redactor *r, struct slice text, struct buf *out);

/* Appends a JSON document of the program's own making, with such texts hashed. */
void redact_json(const struct redactor *r, struct slice json, struct buf *out);

#endif
