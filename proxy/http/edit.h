/*
 * edit: writes the heads that are passed on. In this order (RFC 9110, 7.6.1):
 * hop-by-hop fields are left out, then other fields that must not be passed on,
 * then the proxy's own fields are added. All other fields keep their case and
 * order.
 */
#ifndef HTTP_EDIT_H
#define HTTP_EDIT_H

#include "http/framing.h"
#include "http/target.h"

struct edit_header {
    const char *name, *value;
};

/* What happens to the request's body. */
enum edit_body {
    EDIT_BODY_KEEP,
    EDIT_BODY_CHUNKED, /* its length will change, so it goes out chunked */
    /* It is collected; edit_finish_head() or edit_finish_head_chunked() completes the head
     * later. */
    EDIT_BODY_LATER,
};

/* How a tenant's requests are edited. */
struct edit_rules {
    const char *host;       /* the value of Host */
    const char *company_id; /* value of successfactors-companyid */
    const struct edit_header *headers;
    size_t nheaders;
    bool keep_authorization;
    /* Appends the cookies that remain of a Cookie field's value. If nothing is appended, the field
     * is left out. NULL: the value stays. */
    void (*write_cookie)(const void *ctx, struct slice value, struct buf *out);
    const void *ctx;
    /* Ask the server only for content codings that can be decoded here. */
    bool undoes_codings;
    enum edit_body body;
    uint64_t drop; /* field bits: left out as well */
};

/* Returns false if Connection names a field that the request cannot be understood without. */
bool edit_connection_is_sound(const struct head *request, struct failure *why) MUST_CHECK;

/* Appends the request's head as the server gets it. The empty line is missing with
 * EDIT_BODY_LATER. */
void edit_request(struct buf *out, const struct head *request, const struct target *target,
                  const struct edit_rules *rules);

/* Appends what edit_request() writes for one field of the request; nothing if it leaves the field
 * out. edit_reason() says why it leaves out or changes the field. For `sfmtls explain`. */
void edit_request_field(struct buf *out, const struct head *request, const struct field *f,
                        const struct edit_rules *rules);
const char *edit_reason(const struct head *request, const struct field *f,
                        const struct edit_rules *rules);

void edit_finish_head(struct buf *out, uint64_t content_length);

/* expects: the caller waits for 100 (Continue). */
void edit_finish_head_chunked(struct buf *out, bool expects);

/* Removes the fields with those bits from a head that edit_request() has written. */
void edit_drop_fields(struct buf *head, uint64_t drop);

/* The trailers that are left out after a head: those that Connection named, and those that the
 * proxy itself sets in the head. */
struct edit_trailer_rules {
    struct buf named; /* options of Connection, each followed by ',' */
    const struct edit_header *headers;
    size_t nheaders;
};

void edit_trailer_rules_start(struct edit_trailer_rules *r, const struct head *h,
                              const struct edit_header *headers, size_t nheaders);

/* Leaves out that name too. */
void edit_trailer_rules_drop(struct edit_trailer_rules *r, const char *name);

/* Leaves out digests of the body too, because the body is changed. */
void edit_trailer_rules_drop_digests(struct edit_trailer_rules *r);
void edit_trailer_rules_free(struct edit_trailer_rules *r);

/* The function for body.drops_trailer; rules points to a struct edit_trailer_rules. */
bool edit_drops_trailer(const void *rules, struct slice name);

enum persistence {
    PERSIST_DEFAULT,    /* the connection goes on, without a word (HTTP/1.1) */
    PERSIST_KEEP_ALIVE, /* for an HTTP/1.0 caller that asked for it */
    PERSIST_CLOSE,
};

/* Further edits of a response's fields; all zero: none. */
struct edit_response_rules {
    uint64_t drop;    /* field bits: left out */
    uint64_t rewrite; /* field bits: write() appends the new value */
    void (*write)(const void *ctx, const struct field *f, struct buf *out);
    const void *ctx;
    const char *fields; /* more fields, each with CRLF; NULL: none */
};

/* Appends the response's head as the caller gets it. body: the framing of the body that follows. */
void edit_response(struct buf *out, const struct head *response, enum framing body,
                   enum persistence persistence, const struct edit_response_rules *rules);

#endif
