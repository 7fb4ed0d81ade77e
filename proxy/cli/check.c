#include "ops/check.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/config_file.h"
#include "sf/hosts.h"

enum {
    OPT_JSON = 256,
    OPT_IDENTITY,
    OPT_FAIL_DAYS,
    OPT_SKIP,
    OPT_PATH,
    OPT_PROBE,
    MAX_DAYS = 3650
};

struct arguments {
    struct config_choice from;
    bool json;
    struct check_options check;
};

static const struct option options[] = {
    {"help", no_argument, NULL, 'h'},
    CONFIG_CHOICE_OPTIONS,
    {"json", no_argument, NULL, OPT_JSON},
    {"identity", required_argument, NULL, OPT_IDENTITY},
    {"fail-days", required_argument, NULL, OPT_FAIL_DAYS},
    {"skip", required_argument, NULL, OPT_SKIP},
    {"path", required_argument, NULL, OPT_PATH},
    {"probe", no_argument, NULL, OPT_PROBE},
    {NULL, 0, NULL, 0},
};

/* ---- arguments ---- */

static bool set_identity(struct check_options *o, const char *word)
{
    bool both = strcmp(word, "both") == 0;

    o->identities[IDENTITY_CURRENT] = both || strcmp(word, "current") == 0;
    o->identities[IDENTITY_NEXT] = both || strcmp(word, "next") == 0;
    if (o->identities[IDENTITY_CURRENT] || o->identities[IDENTITY_NEXT])
        return true;
    (void)cli_usage("check", "--identity %s: write current, next or both", word);
    return false;
}

static bool set_days(struct check_options *o, const char *word)
{
    uint64_t days;

    if (slice_to_u64(slice_of(word), MAX_DAYS, &days)) {
        o->fail_days = (int64_t)days;
        return true;
    }
    (void)cli_usage("check", "--fail-days %s: write a number of days, up to %d", word, MAX_DAYS);
    return false;
}

static bool set_skip(struct check_options *o, const char *word)
{
    enum check_step s;

    if (check_step_find(word, &s)) {
        o->skip[s] = true;
        return true;
    }
    (void)cli_usage("check", "--skip %s: there is no such step", word);
    return false;
}

static bool set_path(struct check_options *o, const char *word)
{
    if (word[0] == '/') {
        o->path = word;
        return true;
    }
    (void)cli_usage("check", "--path %s: write a path that begins with /", word);
    return false;
}

static bool set_option(struct arguments *a, int option, char **argv)
{
    switch (option) {
    case 'c':
    case OPT_SET:
        return config_choice_take(&a->from, "check", option, optarg);
    case OPT_JSON:
        return a->json = true;
    case OPT_PROBE:
        return a->check.probe = true;
    case OPT_IDENTITY:
        return set_identity(&a->check, optarg);
    case OPT_FAIL_DAYS:
        return set_days(&a->check, optarg);
    case OPT_SKIP:
        return set_skip(&a->check, optarg);
    case OPT_PATH:
        return set_path(&a->check, optarg);
    default:
        (void)cli_bad_option("check", option, argv, options);
        return false;
    }
}

static bool parse(int argc, char **argv, struct arguments *a, int *code)
{
    int option;

    *code = EXIT_USAGE;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":hc:", options, NULL)) != -1) {
        if (option == 'h')
            *code = cli_help_of(&command_check);
        if (option == 'h' || !set_option(a, option, argv))
            return false;
    }
    if (optind < argc)
        a->check.tenant = argv[optind++];
    if (optind == argc)
        return true;
    (void)cli_usage("check", "`%s` is not expected here", argv[optind]);
    return false;
}

/* ---- text ---- */

static const struct {
    const char *word, *colour;
} marks[] = {
    [CHECK_OK] = {"ok", "32"},           [CHECK_SKIPPED] = {"skipped", "2"},
    [CHECK_UNKNOWN] = {"unknown", "33"}, [CHECK_WARN] = {"warn", "33"},
    [CHECK_FAIL] = {"FAIL", "31;1"},
};

static bool has_colours(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return (no == NULL || *no == '\0') && isatty(STDOUT_FILENO) == 1 && term != NULL &&
           strcmp(term, "dumb") != 0;
}

static void add_step(struct buf *out, const struct check_report *r, enum check_step s, bool colours)
{
    char *told = r->result == CHECK_SKIPPED && !r->left_out
                     ? mem_format("it needs %s", check_step_name(r->needs))
                     : mem_copy_string(r->sentence == NULL ? "" : r->sentence);
    char *visible = utf8_escape(told);

    buf_addf(out, "  %s%s%s%-8s%s %-*s", colours ? "\x1b[" : "",
             colours ? marks[r->result].colour : "", colours ? "m" : "", marks[r->result].word,
             colours ? "\x1b[0m" : "", *visible == '\0' && r->code == NULL ? 0 : 20,
             check_step_name(s));
    buf_addf(out, "%s%s%s%s%s\n", *visible == '\0' ? "" : " ", visible, r->code == NULL ? "" : " [",
             r->code == NULL ? "" : r->code, r->code == NULL ? "" : "]");
    free(visible);
    free(told);
}

static void add_walk(struct buf *out, const struct check_walk *w, bool colours)
{
    buf_addf(out, "%s: %s, %s\n", w->tenant->name, w->tenant->peer, identity_title(w->identity));
    for (int s = 0; s < CHECK_STEPS; s++)
        if (check_has_step(w, (enum check_step)s))
            add_step(out, &w->steps[s], (enum check_step)s, colours);
    for (int s = 0; s < CHECK_STEPS; s++)
        if (w->steps[s].cure != NULL)
            buf_addf(out, "  %s: %s\n", check_step_name((enum check_step)s), w->steps[s].cure);
}

static void show(const struct check *c, bool json)
{
    struct buf text = {0};
    bool colours = !json && has_colours();

    if (json) {
        check_write_json(c, &text);
        buf_add_string(&text, "\n");
    }
    for (size_t i = 0; !json && i < c->nwalks; i++) {
        buf_add_string(&text, i == 0 ? "" : "\n");
        add_walk(&text, &c->walks[i], colours);
    }
    (void)fwrite(text.p, 1, text.n, stdout);
    buf_free(&text);
}

/* ---- the command ---- */

static bool fails(const struct check *c)
{
    for (size_t i = 0; i < c->nwalks; i++)
        if (c->walks[i].result == CHECK_FAIL)
            return true;
    return false;
}

static int nothing_to_check(const struct config *config, const struct check_options *o)
{
    for (size_t i = 0; o->tenant != NULL && i < config->ntenants; i++)
        if (strcmp(config->tenants[i]->name, o->tenant) == 0)
            return cli_usage("check", "tenant %s has no certificate-next", o->tenant);
    if (o->tenant == NULL)
        return cli_usage("check", "no tenant has a certificate-next");
    return cli_usage("check", "the configuration has no tenant %s", o->tenant);
}

static void add_pair(struct config_choice *out, const struct tenant *t, const char *key,
                     const char *value)
{
    char *name = config_choice_keep(out, mem_format("%s.%s", t->name, key));

    config_choice_add(out, name, value, "--probe");
}

/* Lists the plain host of each tenant's server that has one. */
static void list_plain(const struct config *c, struct config_choice *out)
{
    for (size_t i = 0; i < c->ntenants; i++) {
        const struct tenant *t = c->tenants[i];
        struct sf_lookup found = sf_lookup_host(t->server.host);
        if (found.kind != SF_API || found.api_host[0] == '\0')
            continue;
        char *server = mem_format("%s:%d", found.api_host, t->server.port);
        add_pair(out, t, "server", config_choice_keep(out, server));
        add_pair(out, t, "server-as-is", "yes");
    }
}

/* Does a setting of `of` set the same option as p? */
static bool is_among(const struct config_pair *p, const struct config_choice *of)
{
    bool names_tenant = strchr(p->key, '.') != NULL;
    bool same = false;

    for (size_t i = 0; !same && i < of->npairs; i++) {
        char *key =
            names_tenant ? mem_copy_string(p->key) : mem_format(CONFIG_LONE_TENANT ".%s", p->key);
        same = strcmp(of->pairs[i].key, key) == 0;
        free(key);
    }
    return same;
}

/* Loads the same configuration with the plain hosts of the API servers. NULL: there are none, or
 * it cannot be loaded. No passphrase is asked for, so a tenant that needs one has no certificate
 * then. */
static struct config *load_plain(const struct config_choice *choice, const struct config *c)
{
    struct config_choice plain = {.file = choice->file};
    struct config_sources from;
    struct config *out = NULL;
    char *found = NULL;
    struct diag why;

    list_plain(c, &plain);
    const bool any = plain.npairs > 0;
    for (size_t i = 0; any && i < choice->npairs; i++)
        if (!is_among(&choice->pairs[i], &plain))
            config_choice_add(&plain, choice->pairs[i].key, choice->pairs[i].value,
                              choice->pairs[i].where);
    if (any && config_file_sources(&plain, &from, &found, &why) == ST_OK &&
        config_load_flawed(&from, NULL, NULL, &out, &why) != ST_OK)
        out = NULL;
    config_choice_free(&plain);
    free(found);
    return out;
}

static int check(struct arguments *a)
{
    struct config *config;
    struct check result;
    struct diag why;

    if (config_file_load_flawed(&a->from, &config, &why) != ST_OK) {
        (void)cli_error(ST_BAD_INPUT, &why);
        return EXIT_USAGE;
    }
    if (a->check.probe)
        a->check.plain = load_plain(&a->from, config);
    check_run(config, &a->check, &result);
    int code = fails(&result) ? EXIT_FAILED : EXIT_DONE;
    if (result.nwalks == 0)
        code = nothing_to_check(config, &a->check);
    else
        show(&result, a->json);
    check_free(&result);
    config_unref(config);
    config_unref(a->check.plain);
    return code;
}

static int command(int argc, char **argv)
{
    struct arguments a = {
        .check = {.identities = {[IDENTITY_CURRENT] = true}, .path = CHECK_PATH, .as_user = true}};
    int code;

    if (parse(argc, argv, &a, &code))
        code = check(&a);
    config_choice_free(&a.from);
    return code;
}

const struct command command_check = {
    "check",
    "[-c FILE] [--set [TENANT.]KEY=VALUE]... [TENANT] [--json] [--identity current|next|both]\n"
    "    [--fail-days N] [--skip STEP]... [--path PATH] [--probe]",
    "walk the path to the API server and explain what is wrong",
    "  -c, --config FILE        the configuration, as for `sfmtls run`\n"
    "      --set KEY=VALUE      an option in place of the file's, as for `sfmtls run`\n"
    "      --json               one line of JSON\n"
    "      --identity WHICH     current (certificate, the default), next (certificate-next) or "
    "both\n"
    "      --fail-days N        a certificate that ends in less than N days is a failure\n"
    "      --skip STEP          leave a step out; may be repeated\n"
    "      --path PATH          what to ask the server for; the default is /odata/v2/\n"
    "      --probe              on AUTH0032, ask also under the other certificate, under other\n"
    "                           tenants that have the same one, and at the plain host\n"
    "\n"
    "The steps: configuration, (btp-token, btp-certificate,) certificate, chain, clock, "
    "parent-proxy,\n"
    "name, connect, tls, server-certificate,\n"
    "certificate-request, client-certificate, http, company, permission. A step that needs one "
    "that\n"
    "failed is skipped, so the one that fails is the cause. check sends one GET for each\n"
    "certificate and changes nothing. As root, it becomes the `user` of the configuration first.\n"
    "Exit status: 0 no step fails (warnings are allowed), 1 a step fails, 2 the command line is\n"
    "wrong or the configuration cannot be read.\n",
    command};
