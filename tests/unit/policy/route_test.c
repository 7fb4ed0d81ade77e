#include "policy/route.h"
#include "request.h"

/* Two companies on one server, one of them a second time on another. */
static char *names_a[] = {"api4.successfactors.com", "api4.cert.successfactors.com", NULL};
static char *names_b[] = {"api8.successfactors.com", "api8.cert.successfactors.com", NULL};
static struct tenant acme = {.name = "acme",
                             .company_id = "ACME",
                             .server = {"api4.cert.successfactors.com", 443},
                             .names = names_a};
static struct tenant globex = {.name = "globex",
                               .company_id = "Globex",
                               .server = {"api4.cert.successfactors.com", 9443},
                               .names = names_a};
static struct tenant acme8 = {.name = "acme8",
                              .company_id = "ACME",
                              .server = {"api8.cert.successfactors.com", 443},
                              .names = names_b};
static struct tenant *three[] = {&acme, &globex, &acme8};
static const struct config all = {.tenants = three, .ntenants = 3};
static const struct config one = {.tenants = three, .ntenants = 1};

#define GET          "GET / HTTP/1.1\r\nHost: localhost\r\n"
#define BASIC_ACME   "Authorization: Basic dUBBQ01FOnA=\r\n"
#define BASIC_GLOBEX "Authorization: Basic dUBHbG9iZXg6cA==\r\n"

static const struct {
    const char *name, *request;
    const struct config *config;
    const char *listener;
    int want; /* -1: refused */
    enum fail why;
} routes[] = {
    {"the only one", GET, &one, NULL, 0, FAIL_NONE},
    {"several, none named", GET, &all, NULL, -1, FAIL_TENANT_AMBIGUOUS},
    {"by listener", GET, &all, "globex", 1, FAIL_NONE},
    {"by header", GET "successfactors-companyid: Globex\r\n", &all, NULL, 1, FAIL_NONE},
    {"by header with underscore", GET "successfactors_companyid: Globex\r\n", &all, NULL, 1,
     FAIL_NONE},
    {"case-sensitive", GET "successfactors-companyid: GLOBEX\r\n", &all, NULL, -1,
     FAIL_TENANT_UNKNOWN},
    {"empty header", GET "successfactors-companyid:\r\n", &one, NULL, -1, FAIL_TENANT_UNKNOWN},
    {"the same id on two servers", GET "successfactors-companyid: ACME\r\n", &all, NULL, -1,
     FAIL_TENANT_AMBIGUOUS},
    {"told apart by target",
     AT("http://api8.successfactors.com/") "successfactors-companyid: ACME\r\n", &all, NULL, 2,
     FAIL_NONE},
    {"by target alone", AT("http://API8.cert.successfactors.com./"), &all, NULL, 2, FAIL_NONE},
    {"https target", AT("https://api8.successfactors.com:443/"), &all, NULL, 2, FAIL_NONE},
    {"http target at 80", AT("http://api8.successfactors.com:80/"), &all, NULL, 2, FAIL_NONE},
    {"http target at the server's port", AT("http://api8.successfactors.com:443/"), &all, NULL, 2,
     FAIL_NONE},
    {"the port tells", AT("http://api4.successfactors.com:9443/"), &all, NULL, 1, FAIL_NONE},
    {"another port", AT("http://api8.successfactors.com:8443/"), &all, NULL, -1,
     FAIL_TENANT_UNKNOWN},
    {"http at 443 is the server's, https at 80 nobody's", AT("https://api8.successfactors.com:80/"),
     &all, NULL, -1, FAIL_TENANT_UNKNOWN},
    {"another host", AT("http://elsewhere.example/"), &one, NULL, -1, FAIL_TENANT_UNKNOWN},
    {"Host never selects", "GET / HTTP/1.1\r\nHost: api8.successfactors.com\r\n", &all, NULL, -1,
     FAIL_TENANT_AMBIGUOUS},
    {"by Basic user", GET BASIC_GLOBEX, &all, NULL, 1, FAIL_NONE},
    {"Basic of nobody", GET BASIC_GLOBEX, &one, NULL, -1, FAIL_TENANT_UNKNOWN},
    {"Basic and header disagree", GET BASIC_ACME "successfactors-companyid: Globex\r\n", &all, NULL,
     -1, FAIL_TENANT_UNKNOWN},
    {"listener and header disagree", GET "successfactors-companyid: ACME\r\n", &all, "globex", -1,
     FAIL_TENANT_UNKNOWN},
    {"header twice, equal",
     GET "successfactors-companyid: ACME\r\nsuccessfactors-companyid: ACME\r\n", &one, NULL, -1,
     FAIL_COMPANY_REPEATED},
    {"header in both spellings",
     GET "successfactors-companyid: ACME\r\nSuccessfactors_CompanyId: ACME\r\n", &one, NULL, -1,
     FAIL_COMPANY_REPEATED},
};

TEST(requests_find_their_tenant_or_none)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct target t;
        struct failure why = {.id = FAIL_NONE};
        struct head *h = parse(routes[i].request, &t);
        CHECK_INT(route_find(routes[i].config, routes[i].listener, h, &t, &why), routes[i].want,
                  routes[i].name);
        CHECK_INT(why.id, routes[i].why, routes[i].name);
        head_free(h);
    }
}

#define TO(authority) "CONNECT " authority " HTTP/1.1\r\nHost: x\r\n"

/* Which tenants can be meant inside. */
static const struct {
    const char *name, *request;
    const char *listener;
    bool leads, alone; /* somewhere; to tenant acme8 even if nothing else is said */
} connects[] = {
    {"https", TO("api8.successfactors.com:443"), NULL, true, true},
    {"http", TO("api8.successfactors.com:80"), NULL, true, true},
    {"the certificate host, oddly written", TO("API8.Cert.SuccessFactors.com.:443"), NULL, true,
     true},
    {"another port", TO("api8.successfactors.com:8443"), NULL, false, false},
    {"two companies", TO("api4.successfactors.com:443"), NULL, true, false},
    {"the port of one of them", TO("api4.successfactors.com:9443"), NULL, true, false},
    {"its listener", TO("api8.successfactors.com:443"), "acme8", true, true},
    {"another's listener", TO("api8.successfactors.com:443"), "acme", false, false},
    {"another host", TO("elsewhere.example:443"), NULL, false, false},
};

TEST(a_connect_leads_to_the_tenants_of_its_target)
{
    for (size_t i = 0; i < ARRAY_LEN(connects); i++) {
        struct target t;
        struct failure why = {.id = FAIL_NONE};
        struct head *h = parse(connects[i].request, &t);
        const char *name = connects[i].name;
        CHECK_INT(route_leads(&all, connects[i].listener, &t, &why), connects[i].leads, name);
        CHECK_INT(why.id, connects[i].leads ? FAIL_NONE : FAIL_TENANT_UNKNOWN, name);
        CHECK_INT(route_find(&all, connects[i].listener, h, &t, &why) == 2, connects[i].alone,
                  name);
        head_free(h);
    }
}

TEST(a_refusal_names_what_was_found)
{
    struct target t;
    struct failure why;
    struct head *h = parse(
        AT("http://elsewhere.example:81/") BASIC_GLOBEX "successfactors-companyid: X\r\n", &t);

    CHECK_INT(route_find(&all, "acme", h, &t, &why), -1, "");
    CHECK_TEXT(why.detail.text,
               "No configured tenant fits the request, which names the listener of tenant acme, "
               "the server "
               "elsewhere.example:81, successfactors-companyid X, the company after the last @ of "
               "the Basic user "
               "Globex.",
               "sentence");
    head_free(h);
}
