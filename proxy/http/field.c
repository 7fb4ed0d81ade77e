#include "http/field.h"

#include "base/status.h"

struct known {
    struct slice name; /* lower case */
    enum field_id id;
    bool underscores; /* matches with '_' for '-', too */
};

/* clang-format off */
#define ROW(name, id, underscores) {{name, sizeof(name) - 1}, id, underscores}
/* clang-format on */

/* By length, so that most names of a real request meet one or two comparisons. */
static const struct known known[] = {
    ROW("te", FIELD_TE, false),
    ROW("host", FIELD_HOST, false),
    ROW("link", FIELD_LINK, false),
    ROW("range", FIELD_RANGE, false),
    ROW("cookie", FIELD_COOKIE, false),
    ROW("origin", FIELD_ORIGIN, false),
    ROW("expect", FIELD_EXPECT, false),
    ROW("digest", FIELD_BODY_DIGEST, false),
    ROW("upgrade", FIELD_UPGRADE, false),
    ROW("trailer", FIELD_TRAILER, false),
    ROW("location", FIELD_LOCATION, false),
    ROW("if-range", FIELD_RANGE, false),
    ROW("forwarded", FIELD_FORWARDED, false),
    ROW("x-real-ip", FIELD_FORWARDED, true),
    ROW("path-info", FIELD_PATH_OVERRIDE, true),
    ROW("connection", FIELD_CONNECTION, false),
    ROW("keep-alive", FIELD_KEEP_ALIVE, false),
    ROW("set-cookie", FIELD_SET_COOKIE, false),
    ROW("content-md5", FIELD_BODY_DIGEST, false),
    ROW("repr-digest", FIELD_BODY_DIGEST, false),
    ROW("destination", FIELD_PATH_OVERRIDE, false),
    ROW("script-name", FIELD_PATH_OVERRIDE, true),
    ROW("sfmtls-hint", FIELD_HINT, true),
    ROW("proxy-status", FIELD_PROXY_STATUS, true),
    ROW("content-type", FIELD_CONTENT_TYPE, false),
    ROW("authorization", FIELD_AUTHORIZATION, false),
    ROW("x-client-cert", FIELD_CLIENT_CERT, true),
    ROW("x-http-method", FIELD_METHOD_OVERRIDE, true),
    ROW("accept-ranges", FIELD_ACCEPT_RANGES, false),
    ROW("content-range", FIELD_CONTENT_RANGE, false),
    ROW("dataserviceid", FIELD_LOCATION, false),
    ROW("x-script-name", FIELD_PATH_OVERRIDE, true),
    ROW("x-rewrite-url", FIELD_PATH_OVERRIDE, true),
    ROW("x-request-uri", FIELD_PATH_OVERRIDE, true),
    ROW("unencoded-url", FIELD_PATH_OVERRIDE, true),
    ROW("x-sfmtls-token", FIELD_CALLER_TOKEN, true),
    ROW("content-length", FIELD_CONTENT_LENGTH, false),
    ROW("content_length", FIELD_FRAMING_ALIAS, false),
    ROW("http2-settings", FIELD_HTTP2_SETTINGS, false),
    ROW("odata-entityid", FIELD_LOCATION, false),
    ROW("sec-fetch-site", FIELD_SEC_FETCH_SITE, false),
    ROW("content-digest", FIELD_BODY_DIGEST, false),
    ROW("x-original-url", FIELD_PATH_OVERRIDE, true),
    ROW("x-original-uri", FIELD_PATH_OVERRIDE, true),
    ROW("x-override-url", FIELD_PATH_OVERRIDE, true),
    ROW("accept-encoding", FIELD_ACCEPT_ENCODING, false),
    ROW("x-original-path", FIELD_PATH_OVERRIDE, true),
    ROW("proxy-connection", FIELD_PROXY_CONNECTION, true),
    ROW("content-encoding", FIELD_CONTENT_ENCODING, false),
    ROW("content-location", FIELD_LOCATION, false),
    ROW("transfer-encoding", FIELD_TRANSFER_ENCODING, false),
    ROW("transfer_encoding", FIELD_FRAMING_ALIAS, false),
    ROW("x-method-override", FIELD_METHOD_OVERRIDE, true),
    ROW("x-ms-original-url", FIELD_PATH_OVERRIDE, true),
    ROW("proxy-authorization", FIELD_PROXY_AUTHORIZATION, false),
    ROW("x-waws-unencoded-url", FIELD_PATH_OVERRIDE, true),
    ROW("x-http-path-override", FIELD_PATH_OVERRIDE, true),
    ROW("x-envoy-original-path", FIELD_PATH_OVERRIDE, true),
    ROW("x-http-method-override", FIELD_METHOD_OVERRIDE, true),
    ROW("successfactors-companyid", FIELD_COMPANY_ID, true),
};

enum { LONGEST = 24 };

/* The first row of each length; tests/unit/http/field_test.c holds the two together. */
static const unsigned char first[LONGEST + 2] = {
    0, 0, 0, 1, 1, 3, 4, 8, 10, 12, 15, 18, 23, 25, 35, 45, 47, 50, 54, 54, 55, 57, 58, 59, 59, 60};

static bool matches(struct slice name, const struct known *k)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = ascii_lower(name.p[i]);
        if (c != k->name.p[i] && !(c == '_' && k->name.p[i] == '-' && k->underscores))
            return false;
    }
    return true;
}

/* Names of which only the beginning is known. */
static const struct known families[] = {
    ROW("proxy-", FIELD_PROXY_OTHER, true),
    ROW("x-forwarded-", FIELD_FORWARDED, true),
    ROW("access-control-", FIELD_CORS, false),
};

static enum field_id family_of(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        size_t n = families[i].name.n;
        if (name.n > n && matches((struct slice){name.p, n}, &families[i]))
            return families[i].id;
    }
    return FIELD_OTHER;
}

enum field_id field_identify(struct slice name)
{
    if (name.n <= LONGEST)
        for (size_t i = first[name.n]; i < first[name.n + 1]; i++)
            if (matches(name, &known[i]))
                return known[i].id;
    return family_of(name);
}
