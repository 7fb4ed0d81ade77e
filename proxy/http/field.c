#include "http/field.h"

#include "base/status.h"

struct known {
    struct slice name; /* in its most common spelling */
    enum field_id id;
    enum field_id underscored; /* the id if '_' is written for '-' */
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

/* Each known name has a slot of its own, so a name is compared with one known name at most. The
 * factors were found by trying. tests/unit/http/field_test.c checks the slot of each row. */
static size_t slot_of(struct slice name)
{
    return (name.n + fold(name.p[name.n - 1]) + 185 * fold(name.p[name.n / 3])) % SLOTS;
}

/* clang-format off */
static const struct known known[SLOTS] = {
    [59] = EXACT("TE", FIELD_TE),
    [175] = EXACT("Host", FIELD_HOST),
    [80] = EXACT("Link", FIELD_LINK),
    [130] = EXACT("Date", FIELD_DATE),
    [131] = EXACT("Range", FIELD_RANGE),
    [162] = EXACT("Cookie", FIELD_COOKIE),
    [85] = EXACT("Origin", FIELD_ORIGIN),
    [106] = EXACT("Expect", FIELD_EXPECT),
    [233] = EXACT("Digest", FIELD_BODY_DIGEST),
    [219] = EXACT("Upgrade", FIELD_UPGRADE),
    [146] = EXACT("Trailer", FIELD_TRAILER),
    [1] = EXACT("Location", FIELD_LOCATION),
    [242] = EXACT("If-Range", FIELD_RANGE),
    [108] = EXACT("Forwarded", FIELD_FORWARDED),
    [118] = EITHER("X-Real-IP", FIELD_FORWARDED),
    [160] = EITHER("Path-Info", FIELD_PATH_OVERRIDE),
    [246] = EXACT("Connection", FIELD_CONNECTION),
    [95] = EXACT("Keep-Alive", FIELD_KEEP_ALIVE),
    [244] = EXACT("Set-Cookie", FIELD_SET_COOKIE),
    [20] = EXACT("Content-MD5", FIELD_BODY_DIGEST),
    [225] = EXACT("Repr-Digest", FIELD_BODY_DIGEST),
    [77] = EXACT("Destination", FIELD_PATH_OVERRIDE),
    [81] = EITHER("Script-Name", FIELD_PATH_OVERRIDE),
    [83] = EITHER("Sfmtls-Hint", FIELD_HINT),
    [240] = EITHER("Proxy-Status", FIELD_PROXY_STATUS),
    [110] = EXACT("Content-Type", FIELD_CONTENT_TYPE),
    [178] = EXACT("Authorization", FIELD_AUTHORIZATION),
    [98] = EITHER("X-Client-Cert", FIELD_CLIENT_CERT),
    [69] = EITHER("X-HTTP-Method", FIELD_METHOD_OVERRIDE),
    [53] = EXACT("Max-Forwards", FIELD_MAX_FORWARDS),
    [112] = EXACT("Accept-Ranges", FIELD_ACCEPT_RANGES),
    [111] = EXACT("Content-Range", FIELD_CONTENT_RANGE),
    [140] = EXACT("DataServiceId", FIELD_LOCATION),
    [212] = EITHER("X-Script-Name", FIELD_PATH_OVERRIDE),
    [120] = EITHER("X-Rewrite-URL", FIELD_PATH_OVERRIDE),
    [31] = EITHER("X-Request-URI", FIELD_PATH_OVERRIDE),
    [4] = EITHER("Unencoded-URL", FIELD_PATH_OVERRIDE),
    [65] = EITHER("X-Sfmtls-Token", FIELD_CALLER_TOKEN),
    [115] = ROW("Content-Length", FIELD_CONTENT_LENGTH, FIELD_FRAMING_ALIAS),
    [163] = EXACT("HTTP2-Settings", FIELD_HTTP2_SETTINGS),
    [139] = EXACT("OData-EntityID", FIELD_LOCATION),
    [41] = EXACT("Sec-Fetch-Site", FIELD_SEC_FETCH_SITE),
    [127] = EXACT("Content-Digest", FIELD_BODY_DIGEST),
    [91] = EITHER("X-Original-URL", FIELD_PATH_OVERRIDE),
    [88] = EITHER("X-Original-URI", FIELD_PATH_OVERRIDE),
    [119] = EITHER("X-Override-URL", FIELD_PATH_OVERRIDE),
    [74] = EXACT("Accept-Encoding", FIELD_ACCEPT_ENCODING),
    [230] = EITHER("X-Original-Path", FIELD_PATH_OVERRIDE),
    [3] = EITHER("Proxy-Connection", FIELD_PROXY_CONNECTION),
    [245] = EXACT("Content-Encoding", FIELD_CONTENT_ENCODING),
    [252] = EXACT("Content-Location", FIELD_LOCATION),
    [46] = ROW("Transfer-Encoding", FIELD_TRANSFER_ENCODING, FIELD_FRAMING_ALIAS),
    [158] = EITHER("X-Method-Override", FIELD_METHOD_OVERRIDE),
    [180] = EITHER("X-MS-Original-URL", FIELD_PATH_OVERRIDE),
    [154] = EXACT("Proxy-Authorization", FIELD_PROXY_AUTHORIZATION),
    [5] = EITHER("X-WAWS-Unencoded-URL", FIELD_PATH_OVERRIDE),
    [254] = EITHER("X-HTTP-Path-Override", FIELD_PATH_OVERRIDE),
    [2] = EITHER("X-Envoy-Original-Path", FIELD_PATH_OVERRIDE),
    [64] = EITHER("X-HTTP-Method-Override", FIELD_METHOD_OVERRIDE),
    [149] = EITHER("successfactors-companyid", FIELD_COMPANY_ID),
};
/* clang-format on */

/* The id of the name, if it begins like the known one. Most names are spelled as in the table; they
 * are not compared letter by letter. */
static enum field_id compare(struct slice name, const struct known *k)
{
    enum field_id id = k->id;

    if (memcmp(name.p, k->name.p, k->name.n) == 0)
        return id;
    for (size_t i = 0; i < k->name.n; i++) {
        char c = ascii_lower(name.p[i]), wanted = ascii_lower(k->name.p[i]);
        if (c == wanted)
            continue;
        if (c != '_' || wanted != '-')
            return FIELD_OTHER;
        id = k->underscored;
    }
    return id;
}

/* Names that are known only by their beginning. */
enum field_id field_family(struct slice name)
{
    static const struct known families[] = {
        EITHER("proxy-", FIELD_PROXY_OTHER),
        EITHER("x-forwarded-", FIELD_FORWARDED),
        EXACT("access-control-", FIELD_CORS),
        EITHER("transfer-encoding", FIELD_FRAMING_ALIAS),
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
    if (name.n == 0)
        return FIELD_OTHER;
    const struct known *k = &known[slot_of(name)];
    return name.n == k->name.n ? compare(name, k) : FIELD_OTHER;
}

enum field_id field_identify(struct slice name)
{
    enum field_id id = field_known(name);

    return id != FIELD_OTHER ? id : field_family(name);
}

/* ---- trailers ---- */

/* RFC 9110, 6.5.1. */
#define NEEDED_BEFORE_CONTENT                                                                      \
    (FIELDS_HOP_BY_HOP | field_bit(FIELD_CONTENT_LENGTH) | field_bit(FIELD_TRANSFER_ENCODING) |    \
     field_bit(FIELD_FRAMING_ALIAS) | field_bit(FIELD_TRAILER) | field_bit(FIELD_HOST) |           \
     field_bit(FIELD_METHOD_OVERRIDE) | field_bit(FIELD_PATH_OVERRIDE) |                           \
     field_bit(FIELD_AUTHORIZATION) | field_bit(FIELD_COMPANY_ID) | field_bit(FIELD_COOKIE) |      \
     field_bit(FIELD_SET_COOKIE) | field_bit(FIELD_EXPECT) | field_bit(FIELD_MAX_FORWARDS) |       \
     field_bit(FIELD_RANGE) | field_bit(FIELD_DATE) | field_bit(FIELD_LOCATION) |                  \
     field_bit(FIELD_CONTENT_TYPE) | field_bit(FIELD_CONTENT_ENCODING) |                           \
     field_bit(FIELD_CONTENT_RANGE))

/* In a trailer they would reach the other side without that. */
#define JUDGED_OR_EDITED_IN_HEADS                                                                  \
    (FIELDS_STRIPPED | field_bit(FIELD_HINT) | field_bit(FIELD_ORIGIN) |                           \
     field_bit(FIELD_SEC_FETCH_SITE) | field_bit(FIELD_CORS) | field_bit(FIELD_ACCEPT_ENCODING) |  \
     field_bit(FIELD_LINK))

/* Those of RFC 9110, 6.5.1, that this program does not know otherwise: controls and conditionals of
 * requests (RFC 7231, 5.1 and 5.2), authentication, and controls of responses (RFC 7231, 7.1). */
static bool is_control(struct slice name)
{
    static const char *const controls[] = {
        "Cache-Control",       "Pragma", "If-Match", "If-None-Match", "If-Modified-Since",
        "If-Unmodified-Since", "Age",    "Expires",  "Retry-After",   "Vary",
        "WWW-Authenticate",    "Warning"};

    for (size_t i = 0; i < ARRAY_LEN(controls); i++)
        if (slice_eq_nocase(slice_of(controls[i]), name))
            return true;
    return false;
}

bool field_may_be_trailer(const struct field *f)
{
    return (field_bit(f->id) & (NEEDED_BEFORE_CONTENT | JUDGED_OR_EDITED_IN_HEADS)) == 0 &&
           !is_control(f->name);
}
