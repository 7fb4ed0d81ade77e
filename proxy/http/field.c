#include "http/field.h"

#include "base/status.h"

struct known {
    struct slice name; /* lower case */
    enum field_id id;
    bool underscores; /* matches with '_' for '-', too */
};

#define ROW(name, id, underscores)                                                                 \
    {                                                                                              \
        {name, sizeof(name) - 1}, id, underscores                                                  \
    }

static const struct known known[] = {
    ROW("content-length", FIELD_CONTENT_LENGTH, false),
    ROW("transfer-encoding", FIELD_TRANSFER_ENCODING, false),
    ROW("content_length", FIELD_FRAMING_ALIAS, false),
    ROW("transfer_encoding", FIELD_FRAMING_ALIAS, false),
    ROW("connection", FIELD_CONNECTION, false),
    ROW("keep-alive", FIELD_KEEP_ALIVE, false),
    ROW("proxy-connection", FIELD_PROXY_CONNECTION, true),
    ROW("te", FIELD_TE, false),
    ROW("upgrade", FIELD_UPGRADE, false),
    ROW("http2-settings", FIELD_HTTP2_SETTINGS, false),
    ROW("proxy-authorization", FIELD_PROXY_AUTHORIZATION, false),
    ROW("proxy-status", FIELD_PROXY_STATUS, true),
    ROW("host", FIELD_HOST, false),
    ROW("authorization", FIELD_AUTHORIZATION, false),
    ROW("successfactors-companyid", FIELD_COMPANY_ID, true),
    ROW("x-client-cert", FIELD_CLIENT_CERT, true),
    ROW("x-http-method-override", FIELD_METHOD_OVERRIDE, true),
    ROW("x-http-method", FIELD_METHOD_OVERRIDE, true),
    ROW("x-method-override", FIELD_METHOD_OVERRIDE, true),
    ROW("cookie", FIELD_COOKIE, false),
    ROW("origin", FIELD_ORIGIN, false),
    ROW("sec-fetch-site", FIELD_SEC_FETCH_SITE, false),
    ROW("content-encoding", FIELD_CONTENT_ENCODING, false),
    ROW("expect", FIELD_EXPECT, false),
    ROW("trailer", FIELD_TRAILER, false),
};

static bool matches(struct slice name, const struct known *k)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = ascii_lower(name.p[i]);
        if (c != k->name.p[i] && !(c == '_' && k->name.p[i] == '-' && k->underscores))
            return false;
    }
    return true;
}

static bool is_proxy_field(struct slice name)
{
    return name.n > 6 && slice_eq_nocase((struct slice){name.p, 5}, SLICE("proxy")) &&
           (name.p[5] == '-' || name.p[5] == '_');
}

/* The lengths sieve: most names of a real request meet at most one comparison. */
enum field_id field_identify(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].name.n == name.n && matches(name, &known[i]))
            return known[i].id;
    return is_proxy_field(name) ? FIELD_PROXY_OTHER : FIELD_OTHER;
}
