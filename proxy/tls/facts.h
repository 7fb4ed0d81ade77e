/*
 * facts: the data of a certificate as text: for people, for `--json` and for
 * the status.
 */
#ifndef TLS_FACTS_H
#define TLS_FACTS_H

#include "base/clock.h"
#include "tls/credential.h"

struct facts {
    char *subject, *issuer; /* RFC 2253 */
    char not_before[CLOCK_TEXT_SIZE], not_after[CLOCK_TEXT_SIZE];
    long long days_left; /* complete days; negative after the end */
    /* In hexadecimal; the digests with colons, as in SuccessFactors' Security Center. */
    struct buf serial, sha256, sha1;
    char *key_type;
};

/* now_s: seconds since 1970. Free the result with facts_free(). */
void facts_collect(const struct credential *c, int64_t now_s, struct facts *out);
void facts_free(struct facts *f);

#endif
