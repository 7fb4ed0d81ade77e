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

/* What becomes of the request's body. */
enum edit_body {
    EDIT_BODY_KEEP,
    EDIT_BODY_CHUNKED, /* its length will change: it goes out chunked */
    EDIT_BODY_LATER,   /* it is collected: the head, for now without Expect, is finished later */
};

/* What a tenant's requests carry. */
struct edit_rules {
    const char *host;       /* the value of Host */
    const char *company_id; /* of successfactors-companyid */
    const struct edit_header *headers;
    size_t nheaders;
    bool keep_authorization;
    /* Appends what is left of a Cookie field's value; nothing: the field goes. NULL: it stays. */
    void (*write_cookie)(const void *ctx, struct slice value, struct buf *out);
    const void *ctx;
    bool undoes_codings; /* ask for content codings that can be undone only */
    enum edit_body body;
    uint64_t drop; /* field bits: left out, beside what never travels */
};

/* False if a Connection option names a field that the request cannot be read without. */
bool edit_connection_is_sound(const struct head *request, struct failure *why) MUST_CHECK;

/* Appends the request's head as the server gets it, with the empty line but for EDIT_BODY_LATER. */
void edit_request(struct buf *out, const struct head *request, const struct target *target,
                  const struct edit_rules *rules);

/* The part of that which comes of one field of the request; nothing: it is left out. And why it is
 * left out or changed. For `sfmtls explain`. */
void edit_request_field(struct buf *out, const struct head *request, const struct field *f,
                        const struct edit_rules *rules);
const char *edit_reason(const struct head *request, const struct field *f,
                        const struct edit_rules *rules);

void edit_finish_head(struct buf *out, uint64_t content_length);
void edit_finish_head_chunked(struct buf *out, bool expects); /* expects: 100 (Continue) */

/* Takes the fields of those bits out of a head that edit_request() has written. */
void edit_drop_fields(struct buf *head, uint64_t drop);

/* Which trailers may not follow a head: what Connection named, and what was set in their place. */
struct edit_trailer_rules {
    struct buf named; /* Connection options, each with a ',' after it */
    const struct edit_header *headers;
    size_t nheaders;
};

void edit_trailer_rules_start(struct edit_trailer_rules *r, const struct head *h,
                              const struct edit_header *headers, size_t nheaders);
/* That name must not follow either. */
void edit_trailer_rules_drop(struct edit_trailer_rules *r, const char *name);
/* Nor may a digest of the body, since it is changed on its way. */
void edit_trailer_rules_drop_digests(struct edit_trailer_rules *r);
void edit_trailer_rules_free(struct edit_trailer_rules *r);
bool edit_drops_trailer(const void *rules, struct slice name); /* for body.drops_trailer */

enum persistence {
    PERSIST_DEFAULT,    /* HTTP/1.1 goes on; nothing is said */
    PERSIST_KEEP_ALIVE, /* said to an HTTP/1.0 caller that asked for it */
    PERSIST_CLOSE,
};

/* What else is done to a response's fields; all zero: nothing. */
struct edit_response_rules {
    uint64_t drop;    /* field bits: left out */
    uint64_t rewrite; /* field bits: write() appends the new value */
    void (*write)(const void *ctx, const struct field *f, struct buf *out);
    const void *ctx;
    const char *fields; /* further ones, each ended by CRLF; may be NULL */
};

/* Appends the response's head as the caller gets it. body is the framing of the body after it. */
void edit_response(struct buf *out, const struct head *response, enum framing body,
                   enum persistence persistence, const struct edit_response_rules *rules);

#endif
