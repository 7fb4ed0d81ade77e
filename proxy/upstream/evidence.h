/*
 * evidence: why a connection to a server failed, as far as can be seen from
 * here: a failure gets the code and the cure of its cause (sf/cause.h), and its
 * sentence says where connect-to leads and which server may be meant.
 */
#ifndef UPSTREAM_EVIDENCE_H
#define UPSTREAM_EVIDENCE_H

#include "config/config.h"
#include "sf/cause.h"

/* ssl NULL: it did not come so far. */
void evidence_collect(const struct tenant *t, const struct tls_link *link, const SSL *ssl,
                      struct cause_evidence *out);

void evidence_explain(const struct tenant *t, const struct cause_evidence *e, struct failure *why);

#endif
