/*
 * evidence: why a connection to a server failed, as far as this process can
 * see. The failure gets the code and the cure of its cause (sf/cause.h). Its
 * sentence mentions connect-to, or the server that was probably meant.
 */
#ifndef UPSTREAM_EVIDENCE_H
#define UPSTREAM_EVIDENCE_H

#include "config/config.h"
#include "sf/cause.h"

/* ssl: NULL if the connection failed before TLS. */
void evidence_collect(const struct tenant *t, const struct tls_report *report, const SSL *ssl,
                      struct cause_evidence *out);

void evidence_explain(const struct tenant *t, const struct cause_evidence *e, struct failure *why);

#endif
