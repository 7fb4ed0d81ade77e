/*
 * ask: what is sent to XSUAA and to the Destination service: URLs and bodies of
 * their REST calls, as SAP documents them. Pure.
 */
#ifndef BTP_ASK_H
#define BTP_ASK_H

#include <stdint.h>

#include "base/buf.h"
#include "btp/service_key.h"

/* Whose certificates: those of the subaccount, or those of the service instance alone. */
enum btp_level { LEVEL_SUBACCOUNT, LEVEL_INSTANCE };
const char *btp_level_name(enum btp_level l);

/* How long a certificate is to be valid. */
struct validity_span {
    enum span_unit { SPAN_DAYS, SPAN_MONTHS, SPAN_YEARS } unit;
    int value;
};

/* "30d", "12m", "1y". */
bool ask_parse_span(const char *text, struct validity_span *out);

/* Can a certificate have that name? It is a file's name with an ending. */
bool ask_is_name(const char *name);

void ask_token_url(struct buf *out, const struct service_key *k);
void ask_token_form(struct buf *out, const struct service_key *k); /* secret, unless X.509 */

/* name NULL: of all. */
void ask_certificate_url(struct buf *out, const struct service_key *k, enum btp_level l,
                         const char *name);

/* A new certificate for a request (PEM). */
struct certificate_wish {
    const char *name, *common_name;
    struct validity_span span;
    bool renews; /* BTP is to renew it by itself */
    struct slice request;
};
void ask_certificate(struct buf *out, const struct certificate_wish *w);

#endif
