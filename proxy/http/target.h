/*
 * target: request targets (RFC 9112, 3.2), and authorities (RFC 3986, 3.2) of
 * requests and of the configuration.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "base/buf.h"
#include "base/fail.h"
#include "http/head.h"

/* host[:port]. The host of an IPv6 address has no brackets. */
struct authority {
    struct slice host;
    int port; /* 0: not given */
    bool ipv6;
};

/* The port of a URL that names none (RFC 9110, 4.2.1 and 4.2.2). */
static inline int authority_default_port(bool https)
{
    return https ? 443 : 80;
}

/* Returns false unless s is exactly host[:port], without user info and with a host. */
bool authority_parse(struct slice s, struct authority *out) MUST_CHECK;

/* Is host an IPv4 or IPv6 address (without brackets) in its usual notation? */
bool authority_is_address(struct slice host);

/* The host without one dot at its end. */
struct slice authority_without_dot(struct slice host);

/* Are the hosts the same, without regard to case and to one dot at the end? */
bool authority_host_eq(struct slice a, struct slice b);

/* Are both the same IPv6 address (without brackets), in whatever notation? */
bool authority_address_eq(struct slice a, struct slice b);

/* Does it name this machine's loopback: localhost, names below it, 127/8 or ::1? */
bool authority_is_loopback(const struct authority *a);

/* Appends "host", "host:port" or "[v6]:port". The port is left out if it is default_port. */
void authority_write(struct buf *out, const struct authority *a, int default_port);

enum target_form { TARGET_ORIGIN, TARGET_ABSOLUTE, TARGET_AUTHORITY, TARGET_ASTERISK };

struct target {
    enum target_form form;
    bool https;                 /* for absolute-form */
    bool own;                   /* absolute-form: a URL of the proxy itself (guard.h) */
    struct authority authority; /* for absolute-form and authority-form */
    struct slice path;          /* path and query, as sent; may be empty or begin with '?' */
};

/* Splits the target of a request. Its form has to fit the method. Returns false with the reason in
 * *why. */
bool target_parse(const struct head *request, struct target *out, struct failure *why) MUST_CHECK;

/* Appends path and query as the server gets them: never empty, and with bytes percent-encoded that
 * RFC 3986 does not allow. */
void target_write_path(struct buf *out, const struct head *request, const struct target *t);

#endif
