#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "test.h"

#define ONE_TENANT "SFMTLS_SERVER=a.example", "SFMTLS_COMPANY_ID=A", "SFMTLS_CERTIFICATE=a.pem"

enum { MOST = 16 };

static enum status load(const char *file, const char *const *environment,
                        const struct config_pair *arguments, struct config **out, struct diag *why)
{
    struct config_sources from = {.file = file, .environment = environment, .arguments = arguments};

    while (arguments != NULL && arguments[from.narguments].key != NULL)
        from.narguments++;
    return config_load_names_from(&from, out, why);
}

/* The same file each time: there are more of them than test_file() remembers. */
static const char *rewrite(const char *text)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/sfmtls.ini", test_folder());
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

/* ---- precedence ---- */

/* Bits of where an option is set. */
enum { IN_FILE = 1, IN_ENVIRONMENT = 2, IN_ARGUMENTS = 4, ALL = 8 };

static const char *strongest(int where, const char *file, const char *variable, const char *option)
{
    return where >= IN_ARGUMENTS ? option : where >= IN_ENVIRONMENT ? variable : file;
}

/* Every option is set in every combination of sources, all kinds at once, and each in its own. */
static void check_product(int scalar, int list, int path, int company, int rules)
{
    char text[512];
    const char *environment[MOST] = {NULL};
    struct config_pair arguments[MOST] = {{NULL, NULL, NULL}};
    size_t e = 0, a = 0;
    struct config *c = NULL;
    struct diag why = {""};

    (void)snprintf(text, sizeof(text),
                   "[tenant acme]\nserver = s.example\ncertificate = f.pem\n%s%s%s[proxy]\n%s%s",
                   company & IN_FILE ? "company-id = F\n" : "",
                   rules & IN_FILE ? "allow = GET /f1\nallow = GET /f2\nallow = GET /f3\n" : "",
                   path & IN_FILE ? "ca-file = f.ca\n" : "", scalar & IN_FILE ? "queue = 1\n" : "",
                   list & IN_FILE ? "host-names = f1\nhost-names = f2, f3\n" : "");
    const struct {
        int where;
        const char *variable;
        struct config_pair option;
    } others[] = {
        {scalar, "SFMTLS_QUEUE=2", {"queue", "3", "--set queue"}},
        {list, "SFMTLS_HOST_NAMES=e1, e2", {"host-names", "a1", "--set host-names"}},
        {path, "SFMTLS_TENANT_ACME_CA_FILE=e.ca", {"acme.ca-file", "a.ca", "--set acme.ca-file"}},
        {company,
         "SFMTLS_TENANT_ACME_COMPANY_ID=E",
         {"acme.company-id", "A", "--set acme.company-id"}},
        {rules,
         "SFMTLS_TENANT_ACME_ALLOW=GET /e1, GET /e2",
         {"acme.allow", "GET /a", "--set acme.allow"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (others[i].where & IN_ENVIRONMENT)
            environment[e++] = others[i].variable;
        if (others[i].where & IN_ARGUMENTS)
            arguments[a++] = others[i].option;
    }
    char in_folder[256];
    (void)snprintf(in_folder, sizeof(in_folder), "%s/f.ca", test_folder());
    enum status st = load(rewrite(text), environment, arguments, &c, &why);
    if (company == 0) {
        CHECK_INT(st, ST_BAD_INPUT, "no company");
        CHECK(strstr(why.text, "company-id") != NULL);
        return;
    }
    CHECK_INT(st, ST_OK, why.text);
    CHECK_INT(c->ntenants, 1, text);
    CHECK_INT(c->queue, scalar == 0 ? 1000 : atoi(strongest(scalar, "1", "2", "3")), text);
    CHECK_INT(c->nhost_names, list == 0 ? 0 : atoi(strongest(list, "3", "2", "1")), text);
    const char *ca = path == 0 ? "none" : strongest(path, in_folder, "e.ca", "a.ca");
    CHECK_TEXT(c->tenants[0]->ca_file == NULL ? "none" : c->tenants[0]->ca_file, ca, "wrong");
    CHECK_TEXT(c->tenants[0]->company_id, strongest(company, "F", "E", "A"), "wrong");
    CHECK_INT(c->tenants[0]->rules == NULL, rules == 0, text);
    const char *where = config_where(c, "queue");
    if (scalar >= IN_ENVIRONMENT)
        CHECK_TEXT(where, strongest(scalar, "", "SFMTLS_QUEUE", "--set queue"), "wrong");
    else
        CHECK_INT(where == NULL, scalar == 0, text);
    config_unref(c);
}

TEST(command_line_counts_before_environment_before_file)
{
    for (int i = 0; i < ALL; i++) {
        check_product(i, i, i, i, i);
        for (int k = 1; k < ALL; k++) {
            check_product(i, k, 0, k, 0);
            check_product(0, 0, i, k, i);
        }
    }
}

/* ---- names ---- */

TEST(variables_name_options_and_tenants)
{
    static const struct {
        const char *variable, *tenant, *key; /* tenant NULL: [proxy] */
    } cases[] = {
        {"SFMTLS_LOG_FORMAT=json", NULL, "log-format"},
        {"SFMTLS_LOG=stderr", NULL, "log"},
        {"SFMTLS_MAX_CONNECTIONS_PER_CALLER=3", NULL, "max-connections-per-caller"},
        {"SFMTLS_LISTEN=localhost:1", NULL, "listen"},
        {"SFMTLS_CA_FILE=x", "default", "ca-file"},
        {"SFMTLS_SERVER_AS_IS=yes", "default", "server-as-is"},
        {"SFMTLS_TENANT_DEFAULT_CA_FILE=x", "default", "ca-file"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *environment[] = {ONE_TENANT, cases[i].variable, NULL};
        struct config *c = NULL;
        struct diag why = {""};
        CHECK_INT(load(NULL, environment, NULL, &c, &why), ST_OK, why.text);
        const char *where = cases[i].tenant == NULL ? config_where(c, cases[i].key)
                                                    : tenant_where(c->tenants[0], cases[i].key);
        CHECK(where != NULL && strncmp(where, cases[i].variable, strlen(where)) == 0);
        config_unref(c);
    }
}

/* The longest option that fits the end is taken; the rest is the tenant. */
TEST(tenants_end_where_the_longest_option_begins)
{
    static const struct {
        const char *variable, *tenant, *key;
    } cases[] = {
        {"SFMTLS_TENANT_ACME_CA_FILE=x", "acme", "ca-file"},
        {"SFMTLS_TENANT_ACME_SERVER_AS_IS=yes", "acme", "server-as-is"},
        {"SFMTLS_TENANT_ACME_PRIVATE_KEY_NEXT=x", "acme", "private-key-next"},
        {"SFMTLS_TENANT_ACME_EU_PROD_CA_FILE=x", "acme-eu-prod", "ca-file"},
        {"SFMTLS_TENANT_A_LISTEN=localhost:1", "a", "listen"},
        {"SFMTLS_TENANT_0_CRL_FILE=x", "0", "crl-file"},
        {"SFMTLS_TENANT_TENANT_CRL_FILE=x", "tenant", "crl-file"},
        {"SFMTLS_TENANT_SERVER_CRL_FILE=x", "server", "crl-file"},
        {"SFMTLS_TENANT_A__CRL_FILE=x", "a-", "crl-file"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *environment[] = {cases[i].variable, NULL};
        char server[64], company[64], certificate[64];
        (void)snprintf(server, sizeof(server), "%s.server", cases[i].tenant);
        (void)snprintf(company, sizeof(company), "%s.company-id", cases[i].tenant);
        (void)snprintf(certificate, sizeof(certificate), "%s.certificate", cases[i].tenant);
        const struct config_pair rest[] = {{server, "s.example", "--set 1"},
                                           {company, "C", "--set 2"},
                                           {certificate, "c.pem", "--set 3"},
                                           {NULL, NULL, NULL}};
        struct config *c = NULL;
        struct diag why = {""};
        CHECK_INT(load(NULL, environment, rest, &c, &why), ST_OK, why.text);
        CHECK_INT(c->ntenants, 1, cases[i].variable);
        const char *where = tenant_where(c->tenants[0], cases[i].key);
        CHECK(where != NULL && strncmp(where, cases[i].variable, strlen(where)) == 0);
        config_unref(c);
    }
}

TEST(variables_of_others_are_left_alone)
{
    const char *environment[] = {ONE_TENANT,
                                 "SFMTLS_SERVICE_HOST=10.0.0.1",
                                 "SFMTLS_SERVICE_PORT=8080",
                                 "SFMTLS_SERVICE_PORT_HTTP=8080",
                                 "SFMTLS_PORT=tcp://10.0.0.1:8080",
                                 "SFMTLS_PORT_8080_TCP=tcp://10.0.0.1:8080",
                                 "SFMTLS_PORT_8080_TCP_ADDR=10.0.0.1",
                                 "SFMTLS=x",
                                 "SFMTLSX_LOG=x",
                                 "PATH=/bin",
                                 "SFMTLS_PASSPHRASE_ENV=SFMTLS_SECRET",
                                 "SFMTLS_SECRET=word",
                                 NULL};
    struct config *c = NULL;
    struct diag why = {""};

    CHECK_INT(load(NULL, environment, NULL, &c, &why), ST_OK, why.text);
    config_unref(c);
}

/* ---- what is refused ---- */

TEST(refused_variables_are_named_with_a_cure)
{
    static const struct {
        const char *variable, *say[3];
    } cases[] = {
        {"SFMTLS_LISTN=x", {"SFMTLS_LISTN: ", "did you mean SFMTLS_LISTEN?"}},
        {"SFMTLS_LOG_FORMT=x", {"SFMTLS_LOG_FORMT: ", "SFMTLS_LOG_FORMAT?"}},
        {"SFMTLS_SERVR=x", {"SFMTLS_SERVR: ", "SFMTLS_SERVER?"}},
        {"SFMTLS_listen=x", {"SFMTLS_listen: ", "SFMTLS_LISTEN?"}},
        {"SFMTLS_LOG-FORMAT=x", {"SFMTLS_LOG-FORMAT: ", "SFMTLS_LOG_FORMAT?"}},
        {"SFMTLS_TENANT_ACME_SERVR=x",
         {"SFMTLS_TENANT_ACME_SERVR: ", "SFMTLS_TENANT_ACME_SERVER?"}},
        {"SFMTLS_TENANT_ACME_LOG_FORMAT=x", {"SFMTLS_TENANT_ACME_LOG_FORMAT: ", "no option"}},
        {"SFMTLS_TENANT_SERVER=x", {"SFMTLS_TENANT_SERVER: ", "no option"}},
        {"SFMTLS_TENANT_=x", {"SFMTLS_TENANT_: ", "no option"}},
        {"SFMTLS_=x", {"SFMTLS_: ", "no option"}},
        {"SFMTLS_XYZZY_PLUGH=x", {"SFMTLS_XYZZY_PLUGH: ", "help config"}},
        {"SFMTLS_HEADER_X_THING=hunter2", {"SFMTLS_HEADER_X_THING: ", "file"}},
        {"SFMTLS_PASSPHRASE=hunter2", {"SFMTLS_PASSPHRASE: ", "SFMTLS_PASSPHRASE_ENV"}},
        {"SFMTLS_LISTEN=", {"SFMTLS_LISTEN: ", "no value"}},
        {"SFMTLS_LISTEN= \n", {"SFMTLS_LISTEN: ", "no value"}},
        {"SFMTLS_QUEUE=many", {"SFMTLS_QUEUE: ", "`many`"}},
        {"SFMTLS_HOST_NAMES=a\nb", {"SFMTLS_HOST_NAMES: ", "control character", "commas"}},
        {"SFMTLS_TENANT_OTHER_SERVER=x", {"is an option of a tenant without a name", "other"}},
        {"SFMTLS_TENANT_DEFAULT_SERVER=x", {"second time", "SFMTLS_SERVER"}},
        {"SFMTLS_TENANT_ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG_SERVER=x", {"not a tenant name"}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *environment[] = {ONE_TENANT, cases[i].variable, NULL};
        struct config *c = NULL;
        struct diag why = {""};
        CHECK_INT(load(NULL, environment, NULL, &c, &why), ST_BAD_INPUT, cases[i].variable);
        for (size_t k = 0; k < 3 && cases[i].say[k] != NULL; k++)
            CHECK_INT(strstr(why.text, cases[i].say[k]) != NULL, 1, why.text);
        CHECK(strstr(why.text, "hunter2") == NULL);
    }
}

TEST(refused_options_are_named_with_a_cure)
{
    static const struct {
        const char *key, *say;
    } cases[] = {
        {"header.X-Thing", "file"},
        {"default.header.X-Thing", "file"},
        {"a.header.b.c", "file"},
        {"passphrase", "passphrase-file"},
        {"default.passphrase", "passphrase-file"},
        {"default.passphrase-next", "passphrase-file"},
        {"servr", "did you mean `server`?"},
        {"LISTEN", "help config"},
        {"default.certificat", "did you mean `default.certificate`?"},
        {"default.log-format", "belongs into [proxy]"},
        {"x y.server", "not a tenant name"},
        {".server", "not a tenant name"},
        {"other.server", "is an option of a tenant without a name"},
        {"xyzzy-plugh", "help config"},
        {"", "help config"},
    };
    const char *environment[] = {ONE_TENANT, NULL};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct config_pair arguments[] = {{cases[i].key, "hunter2", "--set it"},
                                                {NULL, NULL, NULL}};
        struct config *c = NULL;
        struct diag why = {""};
        CHECK_INT(load(NULL, environment, arguments, &c, &why), ST_BAD_INPUT, cases[i].key);
        CHECK_INT(strstr(why.text, cases[i].say) != NULL, 1, why.text);
        CHECK(strstr(why.text, "hunter2") == NULL);
    }
}

TEST(lone_tenant_has_no_others_beside_it)
{
    static const struct {
        const char *file, *variable;
        struct config_pair argument;
        const char *say[2];
    } cases[] = {
        {"[tenant acme]\ncompany-id = A\nserver = s\ncertificate = c\n",
         "SFMTLS_SERVER=x",
         {NULL, NULL, NULL},
         {"SFMTLS_SERVER: ", "SFMTLS_TENANT_ACME_KEY"}},
        {"[tenant default]\ncompany-id = A\nserver = s\ncertificate = c\n",
         "SFMTLS_SERVER=x",
         {NULL, NULL, NULL},
         {"SFMTLS_SERVER: ", "--set default.KEY"}},
        {"[tenant acme]\ncompany-id = A\nserver = s\ncertificate = c\n",
         "X=1",
         {"ca-file", "x", "--set ca-file"},
         {"--set ca-file: ", "acme"}},
        {"[tenant Acme_EU]\ncompany-id = A\nserver = s\ncertificate = c\n",
         "SFMTLS_TENANT_ACME_EU_SERVER=x",
         {NULL, NULL, NULL},
         {"`Acme_EU`", "lower case"}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *environment[] = {cases[i].variable, NULL};
        const struct config_pair arguments[] = {cases[i].argument, {NULL, NULL, NULL}};
        struct config *c = NULL;
        struct diag why = {""};
        const char *file = rewrite(cases[i].file);
        CHECK_INT(load(file, environment, arguments, &c, &why), ST_BAD_INPUT, cases[i].variable);
        for (size_t k = 0; k < 2; k++)
            CHECK_INT(strstr(why.text, cases[i].say[k]) != NULL, 1, why.text);
    }
}

TEST(order_of_the_environment_does_not_matter)
{
    const char *forwards[] = {"SFMTLS_TENANT_A_SERVER=s",
                              "SFMTLS_TENANT_A_COMPANY_ID=A",
                              "SFMTLS_TENANT_A_CERTIFICATE=c",
                              "SFMTLS_TENANT_B_SERVER=s",
                              "SFMTLS_TENANT_B_COMPANY_ID=B",
                              "SFMTLS_TENANT_B_CERTIFICATE=c",
                              NULL};
    const char *backwards[] = {forwards[5], forwards[4], forwards[3], forwards[2],
                               forwards[1], forwards[0], NULL};
    const char *const *orders[] = {forwards, backwards};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct config *c = NULL;
        struct diag why = {""};
        CHECK_INT(load(NULL, orders[i], NULL, &c, &why), ST_OK, why.text);
        CHECK_TEXT(c->tenants[0]->name, "a", "wrong");
        CHECK_TEXT(c->tenants[1]->name, "b", "wrong");
        config_unref(c);
    }
}
