/*
 * request: a request for a certificate (PKCS#10), looked at: what it asks for,
 * and whether a CA can make a certificate of it that SuccessFactors accepts.
 */
#ifndef TLS_REQUEST_H
#define TLS_REQUEST_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/slice.h"

struct request_facts {
    char *subject; /* RFC 2253 */
    char *key_type;
    bool is_signed;                          /* by its own key, as it must be */
    bool wants_client_auth, wants_key_usage; /* it asks for these extensions */
};

/* Does that hold a request? PEM or DER. */
bool request_is(struct slice bytes);

/* path: for the sentence. End with request_facts_free(). */
enum status request_read(const char *path, struct slice bytes, struct request_facts *out,
                         struct diag *why) MUST_CHECK;
void request_facts_free(struct request_facts *f);

#endif
