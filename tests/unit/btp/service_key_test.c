/* Service keys of both shapes and both kinds, and what is none; no value is repeated. */
#include "btp/service_key.h"

#include "test.h"

#define URLS     "\"url\":\"https://a.example/\",\"uri\":\"https://b.example\""
#define WITH     "\"clientid\":\"me\",\"clientsecret\":\"pw-of-it\","
#define X509     "\"clientid\":\"me\",\"certificate\":\"C\",\"key\":\"pw-of-it\","
#define CERTURLS "\"certurl\":\"https://c.example\",\"uri\":\"https://b.example\""

TEST(service_keys_that_are_read)
{
    static const struct {
        const char *json, *token_url;
        bool secret;
    } cases[] = {
        {"{" WITH URLS "}", "https://a.example", true},
        {"{\"credentials\":{" WITH URLS "},\"x\":1}", "https://a.example", true},
        {"{" X509 CERTURLS "}", "https://c.example", false},
        {"{\"credentials\":{" X509 CERTURLS "}}", "https://c.example", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct service_key k;
        struct diag why;
        CHECK(service_key_parse("f", slice_of(cases[i].json), &k, &why) == ST_OK);
        CHECK_TEXT(k.client_id, "me", cases[i].json);
        CHECK_TEXT(k.token_url, cases[i].token_url, cases[i].json);
        CHECK_TEXT(k.service_url, "https://b.example", cases[i].json);
        CHECK_INT(k.client_secret != NULL, cases[i].secret, cases[i].json);
        service_key_free(&k);
    }
}

TEST(service_keys_that_are_refused)
{
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"", "not valid JSON"},
        {"pw-of-it", "not valid JSON"},
        {"[]", "not a service key"},
        {"{}", "`clientid` is missing"},
        {"{\"clientid\":\"me\"}", "`clientsecret` is missing"},
        {"{\"clientid\":\"me\",\"clientsecret\":7}", "`clientsecret` is not a text"},
        {"{\"clientid\":\"me\",\"clientsecret\":\"\"}", "`clientsecret` is not a text"},
        {"{\"clientid\":\"me\",\"clientid\":\"pw-of-it\"}", "not valid JSON"},
        {"{" X509 URLS "}", "`certurl` is missing"},
        {"{" WITH "\"url\":\"http://a\",\"uri\":\"https://b\"}", "`url` is not a URL"},
        {"{" WITH "\"url\":\"https://pw-of-it@a\",\"uri\":\"https://b\"}", "`url` is not a URL"},
        {"{" WITH "\"url\":\"https://a\",\"uri\":\"https://\"}", "`uri` is not a URL"},
        {"{" WITH "\"url\":\"https://a\",\"uri\":\"https://b\\n\"}", "`uri` is not a URL"},
        {"{" WITH "\"url\":\"https://a\",\"uri\":\"https://b?x\"}", "`uri` is not a URL"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct service_key k;
        struct diag why;
        CHECK(service_key_parse("f", slice_of(cases[i].json), &k, &why) == ST_BAD_INPUT);
        CHECK_MSG(strstr(why.text, cases[i].says) != NULL, "%s", why.text);
        CHECK_MSG(strstr(why.text, "pw-of-it") == NULL, "%s", why.text);
        CHECK(k.client_id == NULL && k.client_secret == NULL);
    }
}
