#include <stdio.h>

#include "sf/hosts.h"
#include "test.h"

enum { ROOM = 5 };

TEST(hosts_that_are_meant)
{
    static const struct {
        const char *text, *first;
        size_t count; /* 0: any */
    } cases[] = {
        {"4", "api4.successfactors.com", 4},
        {"DC4", "api4.successfactors.com", 4},
        {"dc10", "api10.successfactors.com", 2},
        {"DC80", "api-in10.hr.cloud.sap", 2},
        {"api4", "api4.successfactors.com", 0},
        {"API4", "api4.successfactors.com", 0},
        {"api55", "api55.sapsf.eu", 2},
        {"api55preview", "api55preview.sapsf.eu", 1},
        {"api4.sucessfactors.com", "api4.successfactors.com", 0},
        {"api4.successfactor.com", "api4.successfactors.com", 0},
        {"apl4.successfactors.com", "api4.successfactors.com", 0},
        {"api4.cert.sucessfactors.com", "api4.successfactors.com", 0},
        {"api12preview.sapfs.eu", "api12preview.sapsf.eu", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct sf_host *found[ROOM];
        size_t n = sf_near_hosts(cases[i].text, found, ROOM);
        CHECK_INT(n > 0, 1, cases[i].text);
        CHECK_TEXT(found[0]->api, cases[i].first, cases[i].text);
        if (cases[i].count != 0)
            CHECK_INT(n, cases[i].count, cases[i].text);
    }
}

TEST(no_host_is_near)
{
    static const char *const cases[] = {
        "",          "localhost", "a",   "apix",    "example.com",
        "127.0.0.1", "DC",        "DC1", "DC44444", "sapsf.com.example"};
    const struct sf_host *found[ROOM];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(sf_near_hosts(cases[i], found, ROOM), 0, cases[i]);
}

/* Each host, with any one character left out, is still found. */
TEST(one_slip_never_hides_a_host)
{
    size_t count;
    const struct sf_host *hosts = sf_hosts(&count), *found[ROOM];

    for (size_t i = 0; i < count; i++) {
        for (size_t cut = 0; hosts[i].api[cut] != '\0'; cut++) {
            char text[256];
            bool is_there = false;
            (void)snprintf(text, sizeof(text), "%.*s%s", (int)cut, hosts[i].api,
                           hosts[i].api + cut + 1);
            if (sf_lookup_host(text).kind == SF_API)
                continue;
            size_t n = sf_near_hosts(text, found, ROOM);
            for (size_t k = 0; k < n; k++)
                is_there = is_there || found[k] == &hosts[i];
            CHECK_INT(is_there, 1, text);
        }
    }
}
