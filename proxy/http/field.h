/*
 * field: the header fields that this program knows by name, and their classes.
 * The case of names does not matter (RFC 9110, 5.1).
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* At most 64, because a head keeps a set of them in a uint64_t. */
enum field_id {
    FIELD_OTHER,
    /* message framing (RFC 9112, 6) */
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    /* Content_Length, Transfer_Encoding: some servers read '_' as '-'. Longer names that begin with
     * Transfer-Encoding: http-parser 2.9 takes them for it. */
    FIELD_FRAMING_ALIAS,
    /* hop-by-hop (RFC 9110, 7.6.1, and older fields of that kind) */
    FIELD_CONNECTION,
    FIELD_KEEP_ALIVE,
    FIELD_PROXY_CONNECTION,
    FIELD_TE,
    FIELD_UPGRADE,
    FIELD_HTTP2_SETTINGS,
    FIELD_PROXY_AUTHORIZATION,
    FIELD_PROXY_OTHER, /* Proxy-* */
    /* routing and identity */
    FIELD_HOST,
    FIELD_AUTHORIZATION,
    FIELD_COMPANY_ID, /* successfactors-companyid, also with '_' */
    /* X-CLIENT-CERT, in which SuccessFactors' edge passes on the certificate. */
    FIELD_CLIENT_CERT,
    FIELD_METHOD_OVERRIDE,
    /* X-Original-URL and similar fields; Destination (RFC 4918, 10.3). */
    FIELD_PATH_OVERRIDE,
    FIELD_COOKIE,
    FIELD_ORIGIN,
    FIELD_SEC_FETCH_SITE,
    FIELD_CALLER_TOKEN, /* X-Sfmtls-Token */
    /* Forwarded, X-Forwarded-*, X-Real-IP: about a caller behind the caller. */
    FIELD_FORWARDED,
    FIELD_CORS, /* Access-Control-* */
    /* other fields that are read */
    FIELD_CONTENT_TYPE,
    FIELD_CONTENT_ENCODING,
    FIELD_ACCEPT_ENCODING,
    /* Content-MD5, Digest, Content-Digest, Repr-Digest: of the unchanged body. */
    FIELD_BODY_DIGEST,
    FIELD_ACCEPT_RANGES,
    FIELD_CONTENT_RANGE,
    FIELD_RANGE, /* and If-Range */
    /* Location, Content-Location, and OData's DataServiceId and OData-EntityId. */
    FIELD_LOCATION,
    FIELD_LINK,
    FIELD_SET_COOKIE,
    FIELD_EXPECT,
    FIELD_MAX_FORWARDS,
    FIELD_DATE,
    FIELD_TRAILER,
    FIELD_PROXY_STATUS,
    FIELD_HINT, /* Sfmtls-Hint, which only the proxy writes */
    FIELD_COUNT
};

enum field_id field_identify(struct slice name);

/* The two halves of field_identify(): names that are known as a whole, and names that are known by
 * their beginning. */
enum field_id field_known(struct slice name);
enum field_id field_family(struct slice name);

static inline uint64_t field_bit(enum field_id id)
{
    return UINT64_C(1) << id;
}

/* Never passed on, in either direction. Connection may name more. */
#define FIELDS_HOP_BY_HOP                                                                          \
    (field_bit(FIELD_CONNECTION) | field_bit(FIELD_KEEP_ALIVE) |                                   \
     field_bit(FIELD_PROXY_CONNECTION) | field_bit(FIELD_TE) | field_bit(FIELD_UPGRADE) |          \
     field_bit(FIELD_HTTP2_SETTINGS))

/* Not passed on from callers: these fields speak for the proxy, to the proxy or for SuccessFactors'
 * edge, or contain addresses that nobody has verified. */
#define FIELDS_STRIPPED                                                                            \
    (field_bit(FIELD_PROXY_AUTHORIZATION) | field_bit(FIELD_PROXY_OTHER) |                         \
     field_bit(FIELD_PROXY_STATUS) | field_bit(FIELD_CLIENT_CERT) |                                \
     field_bit(FIELD_CALLER_TOKEN) | field_bit(FIELD_FORWARDED))

struct field {
    struct slice name, value;
    enum field_id id;
};

/* May the field be passed on as a trailer? Not those that a recipient needs before the content
 * (RFC 9110, 6.5.1: framing, routing, authentication, request modifiers, response controls, content
 * format), and not those that the proxy judges or edits in a head. */
bool field_may_be_trailer(const struct field *f);

#endif
