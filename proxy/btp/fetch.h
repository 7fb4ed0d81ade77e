/*
 * fetch: fetches a certificate from BTP's Destination service: gets a token
 * from XSUAA, and then the certificate by its name. Its calls block, so it is
 * not for a thread that serves.
 */
#ifndef BTP_FETCH_H
#define BTP_FETCH_H

#include "btp/ask.h"
#include "btp/web.h"
#include "sf/cause.h"

struct fetch;

/* Why something failed. */
struct fetch_failure {
    const struct cause *cause;
    struct diag why;     /* one sentence: what is known beyond the cause's own text */
    int64_t retry_after; /* seconds that BTP asks to wait; 0: not said */
    bool at_token;       /* the token could not be got */
    bool is_open;        /* BTP did not say whether the certificate was made */
};

/* proxy: by which BTP is called. tries: how often a call is made that fails for a reason which may
 * pass, with growing pauses; 1: once. key and proxy are borrowed. False: see *why, as with all that
 * follow. */
bool fetch_new(const struct service_key *key, const char *ca_file, const struct web_proxy *proxy,
               int tries, struct fetch **out, struct fetch_failure *why);
void fetch_free(struct fetch *f); /* NULL is allowed */

bool fetch_token(struct fetch *f, struct fetch_failure *why);

/* Gets the file's bytes, which the user has to wipe. Gets a token first if there is none. */
bool fetch_certificate(struct fetch *f, enum btp_level l, const char *name, struct buf *out,
                       struct fetch_failure *why);

/* Has a certificate made, which can then be fetched (the chain only, without the key). If the
 * answer is lost, this is not repeated, because the certificate may have been made. */
bool fetch_order(struct fetch *f, enum btp_level l, const struct certificate_wish *w,
                 struct fetch_failure *why);

/* Sets the cause and the sentence. */
void fetch_fail(struct fetch_failure *f, enum cause_id id, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
