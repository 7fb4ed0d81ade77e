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
        {"", FIELD_OTHER},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(field_identify(slice_of(cases[i].name)), cases[i].want, cases[i].name);
}
