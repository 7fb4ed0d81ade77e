/*
 * cert_show: what `sfmtls cert` prints of a certificate or of a request for one,
 * and what is to be done with it.
 */
#ifndef CLI_CERT_SHOW_H
#define CLI_CERT_SHOW_H

#include "tls/credential.h"
#include "tls/request.h"

/* path: of its file. False: something keeps it from being used. */
bool cert_show(const struct credential *c, const char *path, bool json, struct buf *out);
bool cert_show_request(const struct request_facts *f, bool json, struct buf *out);

/* On stderr, once a request was made; request NULL: it went to stdout. */
void cert_say_next(const char *key, const char *request);

#endif
