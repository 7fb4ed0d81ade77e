#include "http/field.h"
#include "test.h"

TEST(fields_are_known_by_name)
{
    static const struct {
        const char *name;
        enum field_id want;
    } cases[] = {
        {"Host", FIELD_HOST},
        {"hOST", FIELD_HOST},
        {"Hos", FIELD_OTHER},
        {"Content-Length", FIELD_CONTENT_LENGTH},
        {"Content_Length", FIELD_FRAMING_ALIAS},
        {"TRANSFER_ENCODING", FIELD_FRAMING_ALIAS},
        {"Transfer-Encoding", FIELD_TRANSFER_ENCODING},
        {"successfactors-companyid", FIELD_COMPANY_ID},
        {"SuccessFactors_CompanyId", FIELD_COMPANY_ID},
        {"successfactors companyid", FIELD_OTHER},
        {"X-CLIENT-CERT", FIELD_CLIENT_CERT},
        {"X_Client-Cert", FIELD_CLIENT_CERT},
        {"X-Client-Certs", FIELD_OTHER},
        {"Proxy-Authorization", FIELD_PROXY_AUTHORIZATION},
        {"Proxy-Status", FIELD_PROXY_STATUS},
        {"Proxy-Connection", FIELD_PROXY_CONNECTION},
        {"Proxy-x", FIELD_PROXY_OTHER},
        {"PROXY_x", FIELD_PROXY_OTHER},
        {"Proxy-", FIELD_OTHER},
        {"Proxyx", FIELD_OTHER},
        {"X-HTTP-Method-Override", FIELD_METHOD_OVERRIDE},
        {"x-http-method", FIELD_METHOD_OVERRIDE},
        {"X-Method-Override", FIELD_METHOD_OVERRIDE},
        {"TE", FIELD_TE},
        {"X-Sfmtls-Token", FIELD_CALLER_TOKEN},
        {"x_sfmtls_token", FIELD_CALLER_TOKEN},
        {"Forwarded", FIELD_FORWARDED},
        {"X-Forwarded-For", FIELD_FORWARDED},
        {"x_forwarded-Whatever", FIELD_FORWARDED},
        {"X-Real_IP", FIELD_FORWARDED},
        {"X-Forwarded-", FIELD_OTHER},
        {"X-Forwarded", FIELD_OTHER},
        {"Range", FIELD_RANGE},
        {"If-Range", FIELD_RANGE},
        {"If_Range", FIELD_OTHER},
        {"Via", FIELD_OTHER},
        {"Access-Control-Allow-Origin", FIELD_CORS},
        {"ACCESS-CONTROL-x", FIELD_CORS},
        {"Access_Control_x", FIELD_OTHER},
        {"", FIELD_OTHER},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(field_identify(slice_of(cases[i].name)), cases[i].want, cases[i].name);
}

TEST(every_known_name_is_found)
{
    static const struct {
        const char *name;
        enum field_id want;
    } cases[] = {
        {"te", FIELD_TE},
        {"host", FIELD_HOST},
        {"link", FIELD_LINK},
        {"cookie", FIELD_COOKIE},
        {"origin", FIELD_ORIGIN},
        {"expect", FIELD_EXPECT},
        {"digest", FIELD_BODY_DIGEST},
        {"upgrade", FIELD_UPGRADE},
        {"trailer", FIELD_TRAILER},
        {"location", FIELD_LOCATION},
        {"forwarded", FIELD_FORWARDED},
        {"x-real-ip", FIELD_FORWARDED},
        {"x-sfmtls-token", FIELD_CALLER_TOKEN},
        {"connection", FIELD_CONNECTION},
        {"keep-alive", FIELD_KEEP_ALIVE},
        {"set-cookie", FIELD_SET_COOKIE},
        {"content-md5", FIELD_BODY_DIGEST},
        {"repr-digest", FIELD_BODY_DIGEST},
        {"proxy-status", FIELD_PROXY_STATUS},
        {"content-type", FIELD_CONTENT_TYPE},
        {"authorization", FIELD_AUTHORIZATION},
        {"x-client-cert", FIELD_CLIENT_CERT},
        {"x-http-method", FIELD_METHOD_OVERRIDE},
        {"accept-ranges", FIELD_ACCEPT_RANGES},
        {"content-range", FIELD_CONTENT_RANGE},
        {"content-length", FIELD_CONTENT_LENGTH},
        {"content_length", FIELD_FRAMING_ALIAS},
        {"http2-settings", FIELD_HTTP2_SETTINGS},
        {"sec-fetch-site", FIELD_SEC_FETCH_SITE},
        {"content-digest", FIELD_BODY_DIGEST},
        {"accept-encoding", FIELD_ACCEPT_ENCODING},
        {"proxy-connection", FIELD_PROXY_CONNECTION},
        {"content-encoding", FIELD_CONTENT_ENCODING},
        {"content-location", FIELD_LOCATION},
        {"odata-entityid", FIELD_LOCATION},
        {"transfer-encoding", FIELD_TRANSFER_ENCODING},
        {"transfer_encoding", FIELD_FRAMING_ALIAS},
        {"x-method-override", FIELD_METHOD_OVERRIDE},
        {"proxy-authorization", FIELD_PROXY_AUTHORIZATION},
        {"x-http-method-override", FIELD_METHOD_OVERRIDE},
        {"successfactors-companyid", FIELD_COMPANY_ID},
        {"path-info", FIELD_PATH_OVERRIDE},
        {"destination", FIELD_PATH_OVERRIDE},
        {"script-name", FIELD_PATH_OVERRIDE},
        {"x-script-name", FIELD_PATH_OVERRIDE},
        {"x-rewrite-url", FIELD_PATH_OVERRIDE},
        {"x-request-uri", FIELD_PATH_OVERRIDE},
        {"unencoded-url", FIELD_PATH_OVERRIDE},
        {"x-original-url", FIELD_PATH_OVERRIDE},
        {"x-original-uri", FIELD_PATH_OVERRIDE},
        {"x-override-url", FIELD_PATH_OVERRIDE},
        {"x-original-path", FIELD_PATH_OVERRIDE},
        {"x-ms-original-url", FIELD_PATH_OVERRIDE},
        {"x-waws-unencoded-url", FIELD_PATH_OVERRIDE},
        {"x-http-path-override", FIELD_PATH_OVERRIDE},
        {"x-envoy-original-path", FIELD_PATH_OVERRIDE},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(field_identify(slice_of(cases[i].name)), cases[i].want, cases[i].name);
}

TEST(fields_that_may_be_trailers)
{
    static const struct {
        const char *name;
        bool want;
    } cases[] = {
        {"X-Checksum", true},
        {"Content-MD5", true},   /* RFC 9530, 2 */
        {"ETag", true},          /* RFC 9110, 8.8.3 */
        {"Accept-Ranges", true}, /* RFC 9110, 14.3 */
        {"Server-Timing", true},
        {"Content-Length", false},
        {"Content_Length", false},
        {"max-forwards", false},
        {"If-Range", false},
        {"if-match", false},
        {"Expires", false},
        {"WWW-Authenticate", false},
        {"Link", false},
        {"Origin", false},
        {"X-Forwarded-For", false},
        {"Access-Control-Allow-Origin", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice name = slice_of(cases[i].name);
        struct field f = {.name = name, .id = field_identify(name)};
        CHECK_INT(field_may_be_trailer(&f), cases[i].want, cases[i].name);
    }
}
