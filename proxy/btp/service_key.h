/*
 * service_key: the key of an instance of BTP's Destination service: where the
 * service is, and what a token is asked for with.
 *
 * BTP gives its members either at the root of the JSON or under `credentials`.
 * A client is known by its secret, or by a certificate with its key (X.509).
 */
#ifndef BTP_SERVICE_KEY_H
#define BTP_SERVICE_KEY_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/slice.h"

struct service_key {
    char *client_id;
    char *client_secret;           /* NULL: it is of the kind X.509 */
    char *certificate, *key;       /* PEM; NULL: it has a secret */
    char *token_url, *service_url; /* https://, without '/' at the end */
};

/* path: for the sentence, which never repeats a value. On failure *out is empty. */
enum status service_key_parse(const char *path, struct slice text, struct service_key *out,
                              struct diag *why) MUST_CHECK;

/* The same of a file, which not every user may read. */
enum status service_key_read(const char *path, struct service_key *out,
                             struct diag *why) MUST_CHECK;

/* Overwrites what is secret. */
void service_key_free(struct service_key *k);

#endif
