/*
 * request: reads a certificate request (PKCS#10): what it asks for, and whether
 * a CA can make a certificate of it that SuccessFactors accepts.
 */
#ifndef TLS_REQUEST_H
#define TLS_REQUEST_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/slice.h"

struct request_facts {
    char *subject; /* RFC 2253 */
    char *key_type;
    bool is_signed;                          /* its own key has signed it, as required */
    bool wants_client_auth, wants_key_usage; /* it asks for these extensions */
};

/* Do the bytes hold a request, in PEM or DER? */
bool request_is(struct slice bytes);

/* path: the name in sentences. Free the result with request_facts_free(). */
enum status request_read(const char *path, struct slice bytes, struct request_facts *out,
                         struct diag *why) MUST_CHECK;
void request_facts_free(struct request_facts *f);

#endif
