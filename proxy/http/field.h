/*
 * field: the header fields that this program knows by name, and what class
 * each belongs to. Names compare without case (RFC 9110, 5.1).
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* At most 64: a head keeps the set of those it has in a uint64_t. */
enum field_id {
    FIELD_OTHER,
    /* message framing (RFC 9112, 6) */
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    FIELD_FRAMING_ALIAS, /* Content_Length, Transfer_Encoding: some servers read '_' as '-' */
    /* hop by hop (RFC 9110, 7.6.1, and their older kin) */
    FIELD_CONNECTION,
    FIELD_KEEP_ALIVE,
    FIELD_PROXY_CONNECTION,
    FIELD_TE,
    FIELD_UPGRADE,
    FIELD_HTTP2_SETTINGS,
    FIELD_PROXY_AUTHORIZATION,
    FIELD_PROXY_OTHER, /* Proxy-*, whatever follows */
    /* routing and identity */
    FIELD_HOST,
    FIELD_AUTHORIZATION,
    FIELD_COMPANY_ID,  /* successfactors-companyid, also spelled with '_' */
    FIELD_CLIENT_CERT, /* X-CLIENT-CERT: the SF edge hands the certificate on in it */
    FIELD_METHOD_OVERRIDE,
    FIELD_PATH_OVERRIDE, /* X-Original-URL and its kin; Destination (RFC 4918, 10.3) */
    FIELD_COOKIE,
    FIELD_ORIGIN,
    FIELD_SEC_FETCH_SITE,
    FIELD_CALLER_TOKEN, /* X-Sfmtls-Token */
    FIELD_FORWARDED,    /* Forwarded, X-Forwarded-*, X-Real-IP: of a caller before the caller */
    FIELD_CORS,         /* Access-Control-*, whatever follows */
    /* the rest that somebody reads */
    FIELD_CONTENT_TYPE,
    FIELD_CONTENT_ENCODING,
    FIELD_ACCEPT_ENCODING,
    FIELD_BODY_DIGEST, /* Content-MD5, Digest, Content-Digest, Repr-Digest: of the body as it was */
    FIELD_ACCEPT_RANGES,
    FIELD_CONTENT_RANGE,
    FIELD_RANGE,    /* and If-Range */
    FIELD_LOCATION, /* and Content-Location, and OData's DataServiceId and OData-EntityId */
    FIELD_LINK,
    FIELD_SET_COOKIE,
    FIELD_EXPECT,
    FIELD_TRAILER,
    FIELD_PROXY_STATUS,
    FIELD_HINT, /* Sfmtls-Hint: the proxy's own */
    FIELD_COUNT
};

enum field_id field_identify(struct slice name);

/* The two halves of it: names that are known as a whole, and those of which the beginning is. */
enum field_id field_known(struct slice name);
enum field_id field_family(struct slice name);

static inline uint64_t field_bit(enum field_id id)
{
    return UINT64_C(1) << id;
}

/* Never forwarded, in either direction; Connection may name more. */
#define FIELDS_HOP_BY_HOP                                                                          \
    (field_bit(FIELD_CONNECTION) | field_bit(FIELD_KEEP_ALIVE) |                                   \
     field_bit(FIELD_PROXY_CONNECTION) | field_bit(FIELD_TE) | field_bit(FIELD_UPGRADE) |          \
     field_bit(FIELD_HTTP2_SETTINGS))

/* Callers may not send these on: they speak for the proxy, to the proxy, or for the SF edge, or
 * tell of addresses that nobody has verified. */
#define FIELDS_STRIPPED                                                                            \
    (field_bit(FIELD_PROXY_AUTHORIZATION) | field_bit(FIELD_PROXY_OTHER) |                         \
     field_bit(FIELD_PROXY_STATUS) | field_bit(FIELD_CLIENT_CERT) |                                \
     field_bit(FIELD_CALLER_TOKEN) | field_bit(FIELD_FORWARDED))

/* Never in a trailer section (RFC 9110, 6.5.1): framing, routing, identity. */
#define FIELDS_NOT_IN_TRAILERS                                                                     \
    (FIELDS_HOP_BY_HOP | FIELDS_STRIPPED | field_bit(FIELD_CONTENT_LENGTH) |                       \
     field_bit(FIELD_TRANSFER_ENCODING) | field_bit(FIELD_FRAMING_ALIAS) | field_bit(FIELD_HOST) | \
     field_bit(FIELD_AUTHORIZATION) | field_bit(FIELD_COMPANY_ID) | field_bit(FIELD_COOKIE) |      \
     field_bit(FIELD_SET_COOKIE) | field_bit(FIELD_METHOD_OVERRIDE) | field_bit(FIELD_HINT) |      \
     field_bit(FIELD_PATH_OVERRIDE) | field_bit(FIELD_EXPECT) | field_bit(FIELD_TRAILER))

struct field {
    struct slice name, value;
    enum field_id id;
};

#endif
