/*
 * redact: makes JSON safe for strangers. Texts that may name a person, a
 * company, a host or a file are replaced by short hashes. In one document the
 * same text always has the same hash; two documents have no hashes in common.
 *
 * A text is kept only if it is the value of a member that is known to be
 * harmless. All other texts are hashed.
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

/* Appends the JSON document, with its texts redacted. The document has to be of our own making. */
void redact_json(const struct redactor *r, struct slice json, struct buf *out);

#endif
