#include <stdio.h>

#include "sf/hosts.h"
#include "test.h"

TEST(certificate_hosts)
{
    static const struct {
        const char *host, *certificate, *api;
        enum sf_kind kind;
        bool was_certificate, certain;
    } cases[] = {
        {"api4.successfactors.com", "api4.cert.successfactors.com", "api4.successfactors.com",
         SF_API, false, true},
        {"API4.SuccessFactors.com.", "api4.cert.successfactors.com", "api4.successfactors.com",
         SF_API, false, true},
        {"api4.cert.successfactors.com", "api4.cert.successfactors.com", "api4.successfactors.com",
         SF_API, true, true},
        {"api.successfactors.eu", "api2.cert.successfactors.eu", "api.successfactors.eu", SF_API,
         false, true},
        {"api2.cert.successfactors.eu", "api2.cert.successfactors.eu", "api2.successfactors.eu",
         SF_API, true, true},
        {"api012.successfactors.eu", "api012.cert.successfactors.eu", "api012.successfactors.eu",
         SF_API, false, true},
        {"api99.sapsf.com", "api99.cert.sapsf.com", "api99.sapsf.com", SF_API, false, true},
        {"api99.cert.sapsf.com", "api99.cert.sapsf.com", "api99.sapsf.com", SF_API, true, true},
        {"api-in10.hr.cloud.sap", "api-in10.cert.hr.cloud.sap", "api-in10.hr.cloud.sap", SF_API,
         false, false},
        {"api-us77.hr.cloud.sap", "api-us77.cert.hr.cloud.sap", "api-us77.hr.cloud.sap", SF_API,
         false, false},
        {"api15.sapsf.cn", "api15.cert.sapsf.cn", "api15.sapsf.cn", SF_API, false, true},
        {"hcm4.successfactors.com", "", "api4.successfactors.com", SF_UI, false, true},
        {"performancemanager4.successfactors.com", "", "api4.successfactors.com", SF_UI, false,
         true},
        {"localhost", "", "", SF_UNKNOWN, false, false},
        {"api4.successfactors.com.example", "", "", SF_UNKNOWN, false, false},
        {"api4successfactors.com", "", "", SF_UNKNOWN, false, false},
        {"successfactors.com", "", "", SF_UNKNOWN, false, false},
        {"", "", "", SF_UNKNOWN, false, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sf_lookup f = sf_lookup_host(cases[i].host);
        CHECK_INT(f.kind, cases[i].kind, cases[i].host);
        CHECK_TEXT(f.certificate_host, cases[i].certificate, cases[i].host);
        CHECK_TEXT(f.api_host, cases[i].api, cases[i].host);
        CHECK_INT(f.was_certificate, cases[i].was_certificate, cases[i].host);
        if (f.kind == SF_API)
            CHECK_INT(f.certain, cases[i].certain, cases[i].host);
    }
}

TEST(the_table_obeys_the_rule_but_for_its_exceptions)
{
    size_t count;
    const struct sf_host *hosts = sf_hosts(&count);

    CHECK(count > 40);
    for (size_t i = 0; i < count; i++) {
        char want[256];
        const char *dot = strchr(hosts[i].api, '.');
        (void)snprintf(want, sizeof(want), "%.*s.cert%s", (int)(dot - hosts[i].api), hosts[i].api,
                       dot);
        if (strcmp(hosts[i].api, "api.successfactors.eu") == 0) /* an alias of api2 */
            CHECK_TEXT(hosts[i].certificate, "api2.cert.successfactors.eu", hosts[i].api);
        else
            CHECK_TEXT(hosts[i].certificate, want, hosts[i].api);
    }
}

TEST(user_interfaces_have_an_api_server_of_their_data_center)
{
    static const struct {
        const char *host, *api;
    } cases[] = {
        {"hcm4.successfactors.com", "api4.successfactors.com"},
        {"Performancemanager4.SuccessFactors.com", "api4.successfactors.com"},
        {"performancemanager12.successfactors.eu", "api012.successfactors.eu"},
        {"hcm12preview.sapsf.eu", "api12preview.sapsf.eu"},
        {"hcm-in10.hr.cloud.sap", "api-in10.hr.cloud.sap"},
        {"salesdemo4.successfactors.com", "apisalesdemo4.successfactors.com"},
        {"performancemanager5.successfactors.com", ""},
        {"www.successfactors.com", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sf_lookup found = sf_lookup_host(cases[i].host);
        CHECK_INT(found.kind, SF_UI, cases[i].host);
        CHECK_TEXT(found.api_host, cases[i].api, cases[i].host);
    }
}

TEST(a_mistyped_server_has_a_similar_one)
{
    static const struct {
        const char *host, *api; /* NULL: none */
    } cases[] = {
        {"api4.succesfactors.com", "api4.successfactors.com"},
        {"api4.sucessfactor.com", "api4.successfactors.com"},
        {"API4.SuccesFactors.com", "api4.successfactors.com"},
        {"api4.cert.succesfactors.com", "api4.successfactors.com"},
        {"api4.successfactors.eu", "api4.successfactors.com"},
        {"api4.cert.successfactors.eu", "api4.successfactors.com"},
        {"ap4.successfactors.com", NULL}, /* the domain serves it, as user interface */
        {"api55.sapsf.com", "api55.sapsf.eu"},
        {"api4.successfactors.com", NULL},
        {"API4.successfactors.com.", NULL},
        {"api4.cert.successfactors.com", NULL},
        {"api2.cert.successfactors.eu", NULL},
        {"hcm4.successfactors.com", NULL},
        {"api999.sapsf.com", NULL},
        {"dc4", "api4.successfactors.com"},
        {"DC12", "api012.successfactors.eu"},
        {"4", "api4.successfactors.com"},
        {"api17", "api17.sapsf.com"},
        {"api4preview", "api4preview.sapsf.com"},
        {"api4successfactorscom", "api4.successfactors.com"},
        {"dc999", NULL},
        {"api", NULL}, /* may be a machine of that name */
        {"mock1", NULL},
        {"localhost", NULL},
        {"api.example.com", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct sf_host *h = sf_meant_host(cases[i].host);
        CHECK_TEXT(h == NULL ? NULL : h->api, cases[i].api, cases[i].host);
    }
}
