/*
 * ask: the URLs and bodies of the REST calls to XSUAA and to the Destination
 * service, as SAP documents them. Pure.
 */
#ifndef BTP_ASK_H
#define BTP_ASK_H

#include <stdint.h>

#include "base/buf.h"
#include "btp/service_key.h"

/* Certificates of the subaccount, or of the service instance only. */
enum btp_level { LEVEL_SUBACCOUNT, LEVEL_INSTANCE };
const char *btp_level_name(enum btp_level l);

/* How long a new certificate is valid. */
struct validity_span {
    enum span_unit { SPAN_DAYS, SPAN_MONTHS, SPAN_YEARS } unit;
    int value;
};

/* Reads a span like "30d", "12m" or "1y". */
bool ask_parse_span(const char *text, struct validity_span *out);

/* Can a certificate have that name? It has to be a file name with an extension. */
bool ask_is_name(const char *name);

void ask_token_url(struct buf *out, const struct service_key *k);
/* a secret, unless the key is of the kind X.509 */
void ask_token_form(struct buf *out, const struct service_key *k);

/* name NULL: the URL of all certificates. */
void ask_certificate_url(struct buf *out, const struct service_key *k, enum btp_level l,
                         const char *name);

/* The wish for a new certificate, with a request (PEM). */
struct certificate_wish {
    const char *name, *common_name;
    struct validity_span span;
    bool renews; /* BTP renews it by itself */
    struct slice request;
};
void ask_certificate(struct buf *out, const struct certificate_wish *w);

#endif
