#include "config/option.h"
#include "config/value.h"
#include "test.h"

#include <stdlib.h>

TEST(durations_and_sizes)
{
    static const struct {
        const char *text;
        int64_t duration, size; /* -1: refused */
    } cases[] = {
        {"0", 0, 0},        {"30s", 30000, -1},  {"7m", 420000, 7340032},
        {"500ms", 500, -1}, {"1h", 3600000, -1}, {"64k", -1, 65536},
        {"64K", -1, 65536}, {"1024", -1, 1024},  {"30", -1, 30},
        {"s", -1, -1},      {"-1s", -1, -1},     {"1.5s", -1, -1},
        {"1 s", -1, -1},    {"", -1, -1},        {"99999999999999999999s", -1, -1},
        {"1d", -1, -1},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diag why;
        int64_t ms = -1, bytes = -1;
        if (value_duration(cases[i].text, &ms, &why) != ST_OK)
            ms = -1;
        if (value_size(cases[i].text, &bytes, &why) != ST_OK)
            bytes = -1;
        CHECK_INT(ms, cases[i].duration, cases[i].text);
        CHECK_INT(bytes, cases[i].size, cases[i].text);
    }
}

TEST(endpoint_is_a_host_with_or_without_port_or_a_url)
{
    static const struct {
        const char *text;
        bool url;
        const char *host; /* NULL: refused */
        int port;
    } cases[] = {
        {"Api4.Example.COM", true, "api4.example.com", 443},
        {"h.", true, "h", 443},
        {"h:444", true, "h", 444},
        {"https://h", true, "h", 443},
        {"HTTPS://h:1/", true, "h", 1},
        {"[::1]:9", true, "::1", 9},
        {"http://h", true, NULL, 0},
        {"https://h/path", true, NULL, 0},
        {"https://", true, NULL, 0},
        {"h h", true, NULL, 0},
        {"", true, NULL, 0},
        {"127.0.0.1:9443", false, "127.0.0.1", 9443},
        {"127.0.0.1", false, NULL, 0},
        {"https://h:1", false, NULL, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct endpoint e = {0};
        struct diag why;
        bool ok =
            value_endpoint(cases[i].text, cases[i].url, cases[i].url ? 443 : 0, &e, &why) == ST_OK;
        CHECK_INT(ok, cases[i].host != NULL, cases[i].text);
        if (ok) {
            CHECK_TEXT(e.host, cases[i].host, cases[i].text);
            CHECK_INT(e.port, cases[i].port, cases[i].text);
        }
        free(e.host);
    }
}

TEST(choices_are_told)
{
    struct diag why;
    int index = -1;

    CHECK_INT(value_choice("full", "masked|full|off", &index, &why), ST_OK, "");
    CHECK_INT(index, 1, "index");
    CHECK_INT(value_choice("ful", "masked|full|off", &index, &why), ST_BAD_INPUT, "");
    CHECK_CONTAINS(why.text, "write masked or full or off");
}

TEST(the_nearest_key_is_named)
{
    CHECK_TEXT(option_nearest(SECTION_TENANT, "compny-id"), "company-id", "a letter lost");
    CHECK_TEXT(option_nearest(SECTION_TENANT, "certficate"), "certificate", "a letter lost");
    CHECK_TEXT(option_nearest(SECTION_PROXY, "worker"), "workers", "a letter lost");
    CHECK_TEXT(option_nearest(SECTION_PROXY, "idle_timeout"), "idle-timeout", "underscore");
    CHECK(option_nearest(SECTION_PROXY, "zzzzzzzzzz") == NULL);
    CHECK(option_nearest(SECTION_TENANT, "certif") == NULL); /* too many letters lost */
}

TEST(every_option_explains_itself)
{
    size_t count;
    const struct option *o = option_table(&count);

    for (size_t i = 0; i < count; i++) {
        CHECK(o[i].set != NULL);
        CHECK_MSG(o[i].help != NULL && o[i].help[strlen(o[i].help) - 1] == '.', "%s", o[i].key);
        CHECK_MSG(o[i].type != NULL, "%s", o[i].key);
        for (size_t j = 0; j < i; j++)
            CHECK_MSG(o[i].section != o[j].section || strcmp(o[i].key, o[j].key) != 0, "%s twice",
                      o[i].key);
    }
}
