#include "http/field.h"

#include "base/status.h"

struct known {
    struct slice name; /* lower case */
    enum field_id id;
    enum field_id underscored; /* what it is with '_' for '-' */
};

/* clang-format off */
#define ROW(name, id, underscored) {{name, sizeof(name) - 1}, id, underscored}
#define EXACT(name, id) ROW(name, id, FIELD_OTHER)
#define EITHER(name, id) ROW(name, id, id)
/* clang-format on */

enum { SLOTS = 256 };

static unsigned fold(char c)
{
    return c == '_' ? '-' : (unsigned char)c | 0x20U;
}

/* No two known names have the same slot, so a name is compared with one of them at most. The
 * factors were found by trying; tests/unit/http/field_test.c says if a row is in a wrong slot. */
static size_t slot_of(struct slice name)
{
    return (name.n + fold(name.p[name.n - 1]) + 185 * fold(name.p[name.n / 3])) % SLOTS;
}

/* clang-format off */
static const struct known known[SLOTS] = {
    [59] = EXACT("te", FIELD_TE),
    [175] = EXACT("host", FIELD_HOST),
    [80] = EXACT("link", FIELD_LINK),
    [131] = EXACT("range", FIELD_RANGE),
    [162] = EXACT("cookie", FIELD_COOKIE),
    [85] = EXACT("origin", FIELD_ORIGIN),
    [106] = EXACT("expect", FIELD_EXPECT),
    [233] = EXACT("digest", FIELD_BODY_DIGEST),
    [219] = EXACT("upgrade", FIELD_UPGRADE),
    [146] = EXACT("trailer", FIELD_TRAILER),
    [1] = EXACT("location", FIELD_LOCATION),
    [242] = EXACT("if-range", FIELD_RANGE),
    [108] = EXACT("forwarded", FIELD_FORWARDED),
    [118] = EITHER("x-real-ip", FIELD_FORWARDED),
    [160] = EITHER("path-info", FIELD_PATH_OVERRIDE),
    [246] = EXACT("connection", FIELD_CONNECTION),
    [95] = EXACT("keep-alive", FIELD_KEEP_ALIVE),
    [244] = EXACT("set-cookie", FIELD_SET_COOKIE),
    [20] = EXACT("content-md5", FIELD_BODY_DIGEST),
    [225] = EXACT("repr-digest", FIELD_BODY_DIGEST),
    [77] = EXACT("destination", FIELD_PATH_OVERRIDE),
    [81] = EITHER("script-name", FIELD_PATH_OVERRIDE),
    [83] = EITHER("sfmtls-hint", FIELD_HINT),
    [240] = EITHER("proxy-status", FIELD_PROXY_STATUS),
    [110] = EXACT("content-type", FIELD_CONTENT_TYPE),
    [178] = EXACT("authorization", FIELD_AUTHORIZATION),
    [98] = EITHER("x-client-cert", FIELD_CLIENT_CERT),
    [69] = EITHER("x-http-method", FIELD_METHOD_OVERRIDE),
    [112] = EXACT("accept-ranges", FIELD_ACCEPT_RANGES),
    [111] = EXACT("content-range", FIELD_CONTENT_RANGE),
    [140] = EXACT("dataserviceid", FIELD_LOCATION),
    [212] = EITHER("x-script-name", FIELD_PATH_OVERRIDE),
    [120] = EITHER("x-rewrite-url", FIELD_PATH_OVERRIDE),
    [31] = EITHER("x-request-uri", FIELD_PATH_OVERRIDE),
    [4] = EITHER("unencoded-url", FIELD_PATH_OVERRIDE),
    [65] = EITHER("x-sfmtls-token", FIELD_CALLER_TOKEN),
    [115] = ROW("content-length", FIELD_CONTENT_LENGTH, FIELD_FRAMING_ALIAS),
    [163] = EXACT("http2-settings", FIELD_HTTP2_SETTINGS),
    [139] = EXACT("odata-entityid", FIELD_LOCATION),
    [41] = EXACT("sec-fetch-site", FIELD_SEC_FETCH_SITE),
    [127] = EXACT("content-digest", FIELD_BODY_DIGEST),
    [91] = EITHER("x-original-url", FIELD_PATH_OVERRIDE),
    [88] = EITHER("x-original-uri", FIELD_PATH_OVERRIDE),
    [119] = EITHER("x-override-url", FIELD_PATH_OVERRIDE),
    [74] = EXACT("accept-encoding", FIELD_ACCEPT_ENCODING),
    [230] = EITHER("x-original-path", FIELD_PATH_OVERRIDE),
    [3] = EITHER("proxy-connection", FIELD_PROXY_CONNECTION),
    [245] = EXACT("content-encoding", FIELD_CONTENT_ENCODING),
    [252] = EXACT("content-location", FIELD_LOCATION),
    [46] = ROW("transfer-encoding", FIELD_TRANSFER_ENCODING, FIELD_FRAMING_ALIAS),
    [158] = EITHER("x-method-override", FIELD_METHOD_OVERRIDE),
    [180] = EITHER("x-ms-original-url", FIELD_PATH_OVERRIDE),
    [154] = EXACT("proxy-authorization", FIELD_PROXY_AUTHORIZATION),
    [5] = EITHER("x-waws-unencoded-url", FIELD_PATH_OVERRIDE),
    [254] = EITHER("x-http-path-override", FIELD_PATH_OVERRIDE),
    [2] = EITHER("x-envoy-original-path", FIELD_PATH_OVERRIDE),
    [64] = EITHER("x-http-method-override", FIELD_METHOD_OVERRIDE),
    [149] = EITHER("successfactors-companyid", FIELD_COMPANY_ID),
};
/* clang-format on */

/* What the name is if it begins like a known one. */
static enum field_id compare(struct slice name, const struct known *k)
{
    enum field_id id = k->id;

    for (size_t i = 0; i < k->name.n; i++) {
        char c = name.p[i], wanted = k->name.p[i];
        if (c == wanted || (wanted >= 'a' && wanted <= 'z' && (c | 0x20) == wanted))
            continue;
        if (c != '_' || wanted != '-')
            return FIELD_OTHER;
        id = k->underscored;
    }
    return id;
}

/* Names of which only the beginning is known. */
static enum field_id family_of(struct slice name)
{
    static const struct known families[] = {
        EITHER("proxy-", FIELD_PROXY_OTHER),
        EITHER("x-forwarded-", FIELD_FORWARDED),
        EXACT("access-control-", FIELD_CORS),
    };

    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        enum field_id id = name.n > families[i].name.n ? compare(name, &families[i]) : FIELD_OTHER;
        if (id != FIELD_OTHER)
            return id;
    }
    return FIELD_OTHER;
}

enum field_id field_known(struct slice name)
{
    const struct known *k = &known[name.n == 0 ? 0 : slot_of(name)];

    return name.n == k->name.n ? compare(name, k) : FIELD_OTHER;
}

enum field_id field_identify(struct slice name)
{
    enum field_id id = field_known(name);

    return id != FIELD_OTHER ? id : family_of(name);
}
