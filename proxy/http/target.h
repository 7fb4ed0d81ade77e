/*
 * target: request targets (RFC 9112, 3.2) and authorities (RFC 3986, 3.2),
 * those of callers and those that the configuration names.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "base/buf.h"
#include "base/fail.h"
#include "http/head.h"

/* host[:port]. An IPv6 literal is without its brackets. */
struct authority {
    struct slice host;
    int port; /* 0: none given */
    bool ipv6;
};

/* False unless s is host[:port] and nothing else: no user info, no empty host. */
bool authority_parse(struct slice s, struct authority *out) MUST_CHECK;

/* Is host an IPv4 or IPv6 address (without brackets), in the usual form? */
bool authority_is_address(struct slice host);

/* Without the one dot that may end it. */
struct slice authority_without_dot(struct slice host);

/* Without regard to case and to one dot at the end. */
bool authority_host_eq(struct slice a, struct slice b);

/* Are both the same IPv6 address (without brackets), however they are written? */
bool authority_address_eq(struct slice a, struct slice b);

/* A name or address of this machine's loopback: localhost and names below it, 127/8, ::1. */
bool authority_is_loopback(const struct authority *a);

/* "host", "host:port" or "[v6]:port", the port left out if it is default_port. */
void authority_write(struct buf *out, const struct authority *a, int default_port);

enum target_form { TARGET_ORIGIN, TARGET_ABSOLUTE, TARGET_AUTHORITY, TARGET_ASTERISK };

struct target {
    enum target_form form;
    bool https;                 /* absolute-form only */
    bool own;                   /* absolute-form: it names the proxy itself (guard.h says) */
    struct authority authority; /* absolute-form and authority-form */
    struct slice path;          /* path and query, as sent; may be empty or begin with '?' */
};

/* Splits the target of a request whose head was read; the form must fit the method. */
bool target_parse(const struct head *request, struct target *out, struct failure *why) MUST_CHECK;

/* Appends path and query as they go to the server: never empty, the bytes that RFC 3986 does not
 * allow percent-encoded. */
void target_write_path(struct buf *out, const struct head *request, const struct target *t);

#endif
