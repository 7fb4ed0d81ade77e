/*
 * edit: heads as they travel on. Order (RFC 9110, 7.6.1): what is hop-by-hop
 * goes first, then what may not travel, then the proxy's own fields come in.
 * Case and order of all others are kept.
 */
#ifndef HTTP_EDIT_H
#define HTTP_EDIT_H

#include "http/framing.h"
#include "http/target.h"

struct edit_header {
    const char *name, *value;
};

/* What a tenant's requests carry. */
struct edit_rules {
    const char *host;       /* the value of Host */
    const char *company_id; /* of successfactors-companyid */
    const struct edit_header *headers;
    size_t nheaders;
    bool keep_authorization;
};

/* False if a Connection option names a field that the request cannot be read without. */
bool edit_connection_is_sound(const struct head *request, struct failure *why) MUST_CHECK;

/* Appends the request's head as the server gets it, with the empty line. */
void edit_request(struct buf *out, const struct head *request, const struct target *target,
                  const struct edit_rules *rules);

/* Which trailers may not follow a head: what Connection named, and what was set in their place. */
struct edit_trailer_rules {
    struct buf named; /* Connection options, each with a ',' behind it */
    const struct edit_header *headers;
    size_t nheaders;
};

void edit_trailer_rules_start(struct edit_trailer_rules *r, const struct head *h,
                              const struct edit_header *headers, size_t nheaders);
void edit_trailer_rules_free(struct edit_trailer_rules *r);
bool edit_drops_trailer(const void *rules, struct slice name); /* for body.drops_trailer */

enum persistence {
    PERSIST_DEFAULT,    /* HTTP/1.1 goes on; nothing is said */
    PERSIST_KEEP_ALIVE, /* said to an HTTP/1.0 caller that asked for it */
    PERSIST_CLOSE,
};

/* Appends the response's head as the caller gets it. body is the framing of the body behind it. */
void edit_response(struct buf *out, const struct head *response, enum framing body,
                   enum persistence persistence);

#endif
