#include "sf/hosts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/similar.h"
#include "base/slice.h"
#include "base/status.h"

/* clang-format off */
static const struct sf_host table[] = {
    {"DC2",  "production", "api2.successfactors.eu",            "api2.cert.successfactors.eu",            true},
    {"DC2",  "production", "api.successfactors.eu",             "api2.cert.successfactors.eu",            true},
    {"DC2",  "sales demo", "apisalesdemo2.successfactors.eu",   "apisalesdemo2.cert.successfactors.eu",   true},
    {"DC2",  "preview",    "api2preview.sapsf.eu",              "api2preview.cert.sapsf.eu",              false},
    {"DC4",  "production", "api4.successfactors.com",           "api4.cert.successfactors.com",           true},
    {"DC4",  "preview",    "api4preview.sapsf.com",             "api4preview.cert.sapsf.com",             false},
    {"DC4",  "sales demo", "api68sales.successfactors.com",     "api68sales.cert.successfactors.com",     true},
    {"DC4",  "sales demo", "apisalesdemo4.successfactors.com",  "apisalesdemo4.cert.successfactors.com",  false},
    {"DC8",  "production", "api8.successfactors.com",           "api8.cert.successfactors.com",           true},
    {"DC8",  "preview",    "api8preview.sapsf.com",             "api8preview.cert.sapsf.com",             false},
    {"DC8",  "sales demo", "api8sales.successfactors.com",      "api8sales.cert.successfactors.com",      true},
    {"DC8",  "sales demo", "apisalesdemo8.successfactors.com",  "apisalesdemo8.cert.successfactors.com",  true},
    {"DC10", "production", "api10.successfactors.com",          "api10.cert.successfactors.com",          true},
    {"DC10", "preview",    "api10preview.sapsf.com",            "api10preview.cert.sapsf.com",            true},
    {"DC12", "production", "api012.successfactors.eu",          "api012.cert.successfactors.eu",          true},
    {"DC12", "preview",    "api12preview.sapsf.eu",             "api12preview.cert.sapsf.eu",             true},
    {"DC15", "production", "api15.sapsf.cn",                    "api15.cert.sapsf.cn",                    true},
    {"DC15", "preview",    "api15preview.sapsf.cn",             "api15preview.cert.sapsf.cn",             true},
    {"DC17", "production", "api17.sapsf.com",                   "api17.cert.sapsf.com",                   true},
    {"DC17", "preview",    "api17preview.sapsf.com",            "api17preview.cert.sapsf.com",            true},
    {"DC19", "production", "api19.sapsf.com",                   "api19.cert.sapsf.com",                   true},
    {"DC19", "preview",    "api19preview.sapsf.com",            "api19preview.cert.sapsf.com",            true},
    {"DC22", "production", "api22.sapsf.com",                   "api22.cert.sapsf.com",                   false},
    {"DC22", "preview",    "api22preview.sapsf.com",            "api22preview.cert.sapsf.com",            false},
    {"DC23", "production", "api23.sapsf.com",                   "api23.cert.sapsf.com",                   false},
    {"DC23", "preview",    "api23preview.sapsf.com",            "api23preview.cert.sapsf.com",            false},
    {"DC40", "sales demo", "api40sales.sapsf.com",              "api40sales.cert.sapsf.com",              false},
    {"DC41", "production", "api41.sapsf.com",                   "api41.cert.sapsf.com",                   false},
    {"DC41", "preview",    "api41preview.sapsf.com",            "api41preview.cert.sapsf.com",            false},
    {"DC44", "production", "api44.sapsf.com",                   "api44.cert.sapsf.com",                   false},
    {"DC44", "preview",    "api44preview.sapsf.com",            "api44preview.cert.sapsf.com",            false},
    {"DC47", "production", "api47.sapsf.com",                   "api47.cert.sapsf.com",                   false},
    {"DC47", "preview",    "api47preview.sapsf.com",            "api47preview.cert.sapsf.com",            false},
    {"DC50", "production", "api50.sapsf.com",                   "api50.cert.sapsf.com",                   false},
    {"DC50", "preview",    "api50preview.sapsf.com",            "api50preview.cert.sapsf.com",            false},
    {"DC55", "production", "api55.sapsf.eu",                    "api55.cert.sapsf.eu",                    false},
    {"DC55", "preview",    "api55preview.sapsf.eu",             "api55preview.cert.sapsf.eu",             false},
    {"DC74", "production", "api74.sapsf.eu",                    "api74.cert.sapsf.eu",                    false},
    {"DC74", "preview",    "api74preview.sapsf.eu",             "api74preview.cert.sapsf.eu",             false},
    {"DC80", "production", "api-in10.hr.cloud.sap",             "api-in10.cert.hr.cloud.sap",             false},
    {"DC80", "preview",    "api-in10-preview.hr.cloud.sap",     "api-in10-preview.cert.hr.cloud.sap",     false},
    {"DC82", "production", "api-sa20.hr.cloud.sap",             "api-sa20.cert.hr.cloud.sap",             false},
    {"DC82", "preview",    "api-sa20-preview.hr.cloud.sap",     "api-sa20-preview.cert.hr.cloud.sap",     false},
};
/* clang-format on */

static const char *const domains[] = {
    ".successfactors.com", ".successfactors.eu", ".successfactors.cn",
    ".sapsf.com",          ".sapsf.eu",          ".sapsf.cn",
};
static const char new_domain[] = ".hr.cloud.sap"; /* its certificate hosts are not published */

const struct sf_host *sf_hosts(size_t *count)
{
    *count = ARRAY_LEN(table);
    return table;
}

static void set(char out[SF_HOST_SIZE], const char *first, int n, const char *second)
{
    (void)snprintf(out, SF_HOST_SIZE, "%.*s%s", n, first, second);
}

static bool in_table(const char *host, struct sf_lookup *out)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        bool api = strcasecmp(host, table[i].api) == 0;
        if (!api && strcasecmp(host, table[i].certificate) != 0)
            continue;
        out->kind = SF_API;
        out->was_certificate = !api;
        out->certain = strcasecmp(host + strlen(host) - (sizeof(new_domain) - 1), new_domain) != 0;
        set(out->api_host, table[i].api, (int)strlen(table[i].api), "");
        set(out->certificate_host, table[i].certificate, (int)strlen(table[i].certificate), "");
        return true;
    }
    return false;
}

static bool is_sf_domain(struct slice host, bool *certain)
{
    *certain = true;
    for (size_t i = 0; i < ARRAY_LEN(domains); i++)
        if (slice_ends_nocase(host, slice_of(domains[i])))
            return true;
    *certain = false;
    return slice_ends_nocase(host, slice_of(new_domain));
}

/* Converts FIRST.rest to FIRST.cert.rest, or back, for hosts that are not in the table (yet). */
static void by_rule(const char *host, struct sf_lookup *out)
{
    const char *dot = strchr(host, '.');
    int first = (int)(dot - host);

    out->kind = SF_API;
    out->was_certificate = strncasecmp(dot, ".cert.", 6) == 0;
    if (out->was_certificate) {
        set(out->certificate_host, host, (int)strlen(host), "");
        set(out->api_host, host, first, dot + 5);
    } else {
        set(out->api_host, host, (int)strlen(host), "");
        char rest[SF_HOST_SIZE];
        (void)snprintf(rest, sizeof(rest), ".cert%s", dot);
        set(out->certificate_host, host, first, rest);
    }
}

/* The part of a label that identifies the data center: "4" for "performancemanager4" and "hcm4", as
 * for "api4" and "api04"; not for "salesdemo4". */
static struct slice place_of(struct slice label)
{
    static const char *const families[] = {"api", "hcm", "performancemanager", "pm"};
    struct slice rest = label;

    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        size_t n = strlen(families[i]);
        if (label.n > n && memcmp(label.p, families[i], n) == 0) {
            rest = (struct slice){label.p + n, label.n - n};
            break;
        }
    }
    while (rest.n > 1 && *rest.p == '0') {
        rest.p++;
        rest.n--;
    }
    return rest;
}

/* Sets the API host of the same data center, if the table has it. */
static void find_api_of_ui(struct slice host, struct sf_lookup *out)
{
    struct slice domain = host, place = place_of(slice_split(&domain, '.'));

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct slice rest = slice_of(table[i].api), label = slice_split(&rest, '.');
        if (slice_eq(rest, domain) && slice_eq(place_of(label), place)) {
            set(out->api_host, table[i].api, (int)strlen(table[i].api), "");
            return;
        }
    }
}

/* Bytes of a given name, and the NUL. What is added to it has room in SF_HOST_SIZE. */
enum { GIVEN_SIZE = SF_HOST_SIZE - 16 };

/* Makes it lower case, without a dot at the end. False: it cannot be a name. */
static bool normalize(const char *given, char host[GIVEN_SIZE])
{
    int n = snprintf(host, GIVEN_SIZE, "%s", given);

    if (n <= 0 || n >= GIVEN_SIZE)
        return false;
    if (host[n - 1] == '.')
        host[n - 1] = '\0';
    for (char *p = host; *p != '\0'; p++)
        *p = ascii_lower(*p);
    return true;
}

struct sf_lookup sf_lookup_host(const char *given)
{
    struct sf_lookup out = {.kind = SF_UNKNOWN};
    char host[GIVEN_SIZE];

    if (!normalize(given, host))
        return out;
    if (in_table(host, &out) || !is_sf_domain(slice_of(host), &out.certain))
        return out;
    if (strncmp(host, "api", 3) == 0) {
        by_rule(host, &out);
    } else {
        out.kind = SF_UI;
        find_api_of_ui(slice_of(host), &out);
    }
    return out;
}

/* ---- did you mean ---- */

enum { FAR = 3 }; /* a name that differs in so many letters is another name */

static bool has_label_of(const char *host, const char *api)
{
    size_t n = strcspn(api, ".");

    return strncasecmp(host, api, n) == 0 && host[n] == '.';
}

/* The distance, in half letters. The right label in a wrong domain of SuccessFactors is nearer than
 * another label. There are more labels than in the table, so a label that differs in two letters is
 * another one. */
static size_t distance(const char *host, bool in_sf, const struct sf_host *h)
{
    size_t api = similar_distance(host, h->api),
           certificate = similar_distance(host, h->certificate);
    size_t letters = api < certificate ? api : certificate;

    if (letters > 0 && in_sf && has_label_of(host, h->api))
        return 1;
    return letters < (in_sf ? 2 : FAR) ? 2 * letters : 2 * FAR;
}

const struct sf_host *sf_similar_host(const char *given)
{
    const struct sf_host *nearest = NULL;
    struct sf_lookup found = sf_lookup_host(given);
    size_t best = 2 * FAR;
    char host[GIVEN_SIZE];

    if (found.kind == SF_UI || !normalize(given, host))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        size_t d = distance(host, found.kind == SF_API, &table[i]);
        if (d == 0)
            return NULL;
        if (d < best) {
            best = d;
            nearest = &table[i];
        }
    }
    return nearest;
}
