/*
 * fetch: a certificate out of BTP's Destination service: a token of XSUAA, then
 * the certificate by its name. Blocks; not for a thread that serves.
 */
#ifndef BTP_FETCH_H
#define BTP_FETCH_H

#include "btp/ask.h"
#include "btp/web.h"
#include "sf/cause.h"

struct fetch;

/* What could not be done. */
struct fetch_failure {
    const struct cause *cause;
    struct diag why;     /* one sentence, with what is known beside the cause's own */
    int64_t retry_after; /* seconds that BTP asks to wait; 0: it says nothing */
    bool at_token;       /* it is the token that is not to be had */
    bool is_open;        /* BTP did not say whether it was done */
};

/* proxy: by which BTP is called. tries: how often a call is made that fails for a reason which may
 * pass, with growing pauses; 1: once. key and proxy are borrowed. False: see *why, as with all that
 * follow. */
bool fetch_new(const struct service_key *key, const char *ca_file, const struct web_proxy *proxy,
               int tries, struct fetch **out, struct fetch_failure *why);
void fetch_free(struct fetch *f); /* NULL is allowed */

bool fetch_token(struct fetch *f, struct fetch_failure *why);

/* The bytes of the file; whoever asked wipes them. The token first, if there is none. */
bool fetch_certificate(struct fetch *f, enum btp_level l, const char *name, struct buf *out,
                       struct fetch_failure *why);

/* Has one made. It can be fetched then: it is the chain alone. Not asked for again if the
 * answer is lost: it may be there. */
bool fetch_order(struct fetch *f, enum btp_level l, const struct certificate_wish *w,
                 struct fetch_failure *why);

/* Sets cause and sentence. */
void fetch_fail(struct fetch_failure *f, enum cause_id id, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
