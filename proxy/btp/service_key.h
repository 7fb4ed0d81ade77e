/*
 * service_key: the key of an instance of BTP's Destination service: the
 * addresses of the service, and the credentials for a token.
 *
 * BTP writes its members either at the root of the JSON or under `credentials`.
 * The client identifies itself by a secret, or by a certificate with its key
 * (X.509).
 */
#ifndef BTP_SERVICE_KEY_H
#define BTP_SERVICE_KEY_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/slice.h"

struct service_key {
    char *client_id;
    char *client_secret;           /* NULL: the key is of the kind X.509 */
    char *certificate, *key;       /* PEM; NULL: the key has a secret */
    char *token_url, *service_url; /* https://, without a '/' at the end */
};

/* path: the name in sentences, which never repeat a value. On failure *out is empty. */
enum status service_key_parse(const char *path, struct slice text, struct service_key *out,
                              struct diag *why) MUST_CHECK;

/* The same for a file, which must not be readable by all users. */
enum status service_key_read(const char *path, struct service_key *out,
                             struct diag *why) MUST_CHECK;

/* Overwrites the secrets and frees all. */
void service_key_free(struct service_key *k);

#endif
