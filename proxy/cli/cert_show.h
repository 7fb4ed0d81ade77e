/*
 * cert_show: what `sfmtls cert` prints about a certificate or a certificate
 * request, and what to do with it.
 */
#ifndef CLI_CERT_SHOW_H
#define CLI_CERT_SHOW_H

#include "tls/credential.h"
#include "tls/request.h"

/* path: of its file. Returns false if something keeps it from being used. */
bool cert_show(const struct credential *c, const char *path, bool json, struct buf *out);
bool cert_show_request(const struct request_facts *f, bool json, struct buf *out);

/* Prints to stderr what to do after a request was made. request NULL: it went to stdout. */
void cert_say_next(const char *key, const char *request);

#endif
