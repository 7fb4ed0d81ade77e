/*
 * facts: what a certificate says of itself, as text: for people, `--json` and
 * the status.
 */
#ifndef TLS_FACTS_H
#define TLS_FACTS_H

#include "base/clock.h"
#include "tls/credential.h"

struct facts {
    char *subject, *issuer; /* RFC 2253 */
    char not_before[CLOCK_TEXT_SIZE], not_after[CLOCK_TEXT_SIZE];
    long long days_left;             /* whole ones; negative after the end */
    struct buf serial, sha256, sha1; /* hex; the digests with colons, as SF's Security Center */
    char *key_type;
};

/* now_s: seconds since 1970. End with facts_free(). */
void facts_collect(const struct credential *c, int64_t now_s, struct facts *out);
void facts_free(struct facts *f);

#endif
