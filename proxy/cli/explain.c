#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/config_file.h"
#include "cli/given.h"
#include "cli/prompt.h"
#include "config/parent_proxy.h"
#include "http/authorization.h"
#include "http/field.h"
#include "ops/explain.h"

enum { OPT_JSON = 256, MAX_FIELDS = 100 };

struct arguments {
    struct config_choice from;
    const char *fields[MAX_FIELDS];
    struct explain_request request;
    bool json;
};

static const struct option options[] = {
    {"help", no_argument, NULL, 'h'},         CONFIG_CHOICE_OPTIONS,
    {"header", required_argument, NULL, 'H'}, {"user", required_argument, NULL, 'u'},
    {"json", no_argument, NULL, OPT_JSON},    {NULL, 0, NULL, 0},
};

/* ---- arguments ---- */

/* Refuses fields that hold secrets, because other users can read command lines. */
static bool add_header(struct arguments *a, const char *field)
{
    struct slice rest = slice_of(field), name = slice_split(&rest, ':');

    switch (field_identify(name)) {
    case FIELD_AUTHORIZATION:
    case FIELD_PROXY_AUTHORIZATION:
    case FIELD_CALLER_TOKEN:
        (void)cli_usage("explain",
                        "-H %.*s would put a secret on the command line, which other users can "
                        "read; -u USER stands for Basic credentials, and a caller token is taken "
                        "as given",
                        (int)name.n, name.p);
        return false;
    default:
        break;
    }
    if (a->request.nfields == MAX_FIELDS) {
        (void)cli_usage("explain", "-H is given more than %d times", MAX_FIELDS);
        return false;
    }
    if (strpbrk(field, "\r\n") != NULL || name.n == strlen(field)) {
        (void)cli_usage("explain", "-H wants one field, as in -H 'Accept: application/json'");
        return false;
    }
    a->fields[a->request.nfields++] = field;
    return true;
}

static bool set_user(struct arguments *a, const char *user)
{
    if (strpbrk(user, ":\r\n") != NULL) {
        (void)cli_usage("explain", "-u wants a user without a password, as in -u admin@COMPANY");
        return false;
    }
    a->request.user = user;
    return true;
}

static bool set_option(struct arguments *a, int option, char **argv)
{
    switch (option) {
    case 'c':
    case OPT_SET:
        return config_choice_take(&a->from, "explain", option, optarg);
    case 'H':
        return add_header(a, optarg);
    case 'u':
        return set_user(a, optarg);
    case OPT_JSON:
        a->json = true;
        return true;
    default:
        (void)cli_bad_option("explain", option, argv, options);
        return false;
    }
}

static bool parse(int argc, char **argv, struct arguments *a, int *code)
{
    int option;

    *code = EXIT_USAGE;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":hc:H:u:", options, NULL)) != -1) {
        if (option == 'h')
            *code = cli_help_of(&command_explain);
        if (option == 'h' || !set_option(a, option, argv))
            return false;
    }
    int words = argc - optind;
    if (words < 1 || words > 2) {
        (void)cli_usage("explain",
                        words < 1 ? "the URL is missing" : "more than a method and a URL is given");
        return false;
    }
    a->request.fields = a->fields;
    a->request.method = words == 2 ? argv[optind] : "GET";
    a->request.url = argv[argc - 1];
    return true;
}

/* ---- text ---- */

static void add_listener(struct buf *out, const struct listen_address *l)
{
    char text[ADDRESS_TEXT_SIZE];

    address_text(&l->address, text);
    if (l->of_localhost)
        buf_addf(out, "localhost:%d", address_port(&l->address));
    else
        buf_add_string(out, text);
}

static void add_line(struct buf *out, const char *name, struct buf *value)
{
    buf_add(value, "", 1);
    cli_add_line(out, name, value->p);
    buf_free(value);
}

static void add_where(struct buf *out, const struct explanation *e)
{
    const struct tenant *t = e->tenant;
    struct buf text = {0};

    add_listener(&text, e->listener);
    buf_add_string(&text, e->by_connect ? ", as a proxy for https (CONNECT)" : "");
    add_line(out, "listener", &text);
    if (t == NULL)
        return;
    if (e->found_by.n == 0)
        buf_addf(&text, "%s (the only one; %s)", t->name, t->where);
    else
        buf_addf(&text, "%s (found by %.*s; %s)", t->name, (int)e->found_by.n, e->found_by.p,
                 t->where);
    add_line(out, "tenant", &text);
    if (e->rule.n > 0)
        buf_addf(&text, "allow = %.*s", (int)e->rule.n, e->rule.p);
    else
        buf_add_string(&text, t->rules == NULL ? "none: every path may be asked for (allow)"
                                               : "no rule covers it");
    add_line(out, "rule", &text);
    buf_add_string(&text, t->peer);
    if (t->connect_to.host != NULL)
        buf_addf(&text, ", connected to at %s:%d (connect-to)", t->connect_to.host,
                 t->connect_to.port);
    if (t->parent != NULL)
        buf_addf(&text, ", through the parent proxy %s (%s)", t->parent->name, t->parent->where);
    add_line(out, "server", &text);
}

static void add_visible_lines(struct buf *out, const struct buf *head)
{
    struct slice rest = buf_slice(head);

    while (rest.n > 0) {
        struct slice line = slice_split(&rest, '\n');
        if (line.n <= 1)
            continue;
        char *text = mem_copy_bytes(line.p, line.n - 1), *visible = utf8_escape(text);
        buf_addf(out, "    %s\n", visible);
        free(visible);
        free(text);
    }
}

static void add_fields(struct buf *out, const struct explanation *e)
{
    for (size_t i = 0; i < e->nfields; i++) {
        const struct explain_field *f = &e->fields[i];
        struct buf line = {0};
        buf_addf(&line, "%s: %s", f->name, f->why);
        add_line(out, explain_change_text(f->change), &line);
    }
}

/* Is it a setting of [proxy], or of the tenant that gets the request? */
static bool concerns(const struct config_given *g, const struct explanation *e)
{
    return g->tenant == NULL || (e->tenant != NULL && strcmp(g->tenant, e->tenant->name) == 0);
}

static void add_settings(struct buf *out, const struct config *c, const struct explanation *e)
{
    for (size_t i = 0; i < c->ngiven; i++) {
        if (!concerns(&c->given[i], e))
            continue;
        char *text = given_text(&c->given[i]);
        cli_add_line(out, "setting", text);
        free(text);
    }
}

static void show_text(const struct config *c, const struct explanation *e, struct buf *out)
{
    add_where(out, e);
    if (e->head.n > 0) {
        buf_add_string(out, "\nWhat the server would get:\n");
        add_visible_lines(out, &e->head);
        buf_add_string(out, "\nWhat sfmtls would change:\n");
        add_fields(out, e);
    }
    if (!e->passes) {
        const struct fail_info *f = fail_info(e->failure.id);
        buf_addf(out, "\nThe caller would get %d %s:\n    %s\n    %s\n", f->status, f->token,
                 e->failure.detail.text, failure_cure(&e->failure));
    }
    if (e->nnotes > 0 || c->ngiven > 0)
        buf_add_string(out, "\n");
    add_settings(out, c, e);
    for (size_t i = 0; i < e->nnotes; i++)
        cli_add_line(out, "note", e->notes[i]);
    buf_add_string(out, "\nNothing was sent.\n");
}

/* ---- JSON ---- */

static void add_request(struct buf *out, const struct explanation *e)
{
    struct slice rest = buf_slice(&e->head);
    bool first = true;

    buf_add_string(out, ",\"request\":[");
    while (rest.n > 0) {
        struct slice line = slice_split(&rest, '\n');
        if (line.n <= 1)
            continue;
        buf_addf(out, "%s\"", first ? "" : ",");
        json_add(out, (struct slice){line.p, line.n - 1});
        buf_add_string(out, "\"");
        first = false;
    }
    buf_add_string(out, "],\"changes\":[");
    for (size_t i = 0; i < e->nfields; i++) {
        const struct explain_field *f = &e->fields[i];
        buf_addf(out, "%s{", i == 0 ? "" : ",");
        json_add_member(out, "change", slice_of(explain_change_text(f->change)));
        json_add_member(out, "field", slice_of(f->name));
        if (f->value != NULL)
            json_add_member(out, "value", slice_of(f->value));
        json_add_member(out, "reason", slice_of(f->why));
        buf_add_string(out, "}");
    }
    buf_add_string(out, "]");
}

static void add_tenant(struct buf *out, const struct explanation *e)
{
    const struct tenant *t = e->tenant;
    char *dialled = t->connect_to.host == NULL
                        ? NULL
                        : mem_format("%s:%d", t->connect_to.host, t->connect_to.port);

    json_add_member(out, "tenant", slice_of(t->name));
    if (e->found_by.n > 0)
        json_add_member(out, "found_by", buf_slice(&e->found_by));
    if (e->rule.n > 0)
        json_add_member(out, "rule", buf_slice(&e->rule));
    json_add_member(out, "server", slice_of(t->peer));
    if (dialled != NULL)
        json_add_member(out, "connect_to", slice_of(dialled));
    if (t->parent != NULL)
        json_add_member(out, "parent_proxy", slice_of(t->parent->name));
    free(dialled);
}

static void add_refusal(struct buf *out, const struct failure *why)
{
    const struct fail_info *f = fail_info(why->id);

    buf_addf(out, ",\"refusal\":{\"status\":%d", f->status);
    json_add_member(out, "token", slice_of(f->token));
    json_add_member(out, "code", slice_of(failure_code(why)));
    json_add_member(out, "sentence", slice_of(why->detail.text));
    json_add_member(out, "cure", slice_of(failure_cure(why)));
    buf_add_string(out, "}");
}

static void add_json_settings(struct buf *out, const struct config *c, const struct explanation *e)
{
    bool first = true;

    buf_add_string(out, ",\"settings\":[");
    for (size_t i = 0; i < c->ngiven; i++) {
        const struct config_given *g = &c->given[i];
        if (!concerns(g, e))
            continue;
        buf_addf(out, "%s{", first ? "" : ",");
        json_add_member(out, "tenant", slice_of(g->tenant));
        json_add_member(out, "key", slice_of(g->key));
        json_add_member(out, "value", slice_of(g->value));
        json_add_member(out, "where", slice_of(g->where));
        json_add_member(out, "replaced", slice_of(g->replaced));
        buf_add_string(out, "}");
        first = false;
    }
    buf_add_string(out, "]");
}

static void show_json(const struct config *c, const struct explanation *e, struct buf *out)
{
    struct buf listener = {0};

    add_listener(&listener, e->listener);
    buf_add_string(out, "{\"version\":1");
    json_add_member(out, "listener", buf_slice(&listener));
    buf_free(&listener);
    buf_addf(out, ",\"by_connect\":%s", e->by_connect ? "true" : "false");
    if (e->tenant != NULL)
        add_tenant(out, e);
    if (e->head.n > 0)
        add_request(out, e);
    if (!e->passes)
        add_refusal(out, &e->failure);
    buf_add_string(out, ",\"notes\":[");
    for (size_t i = 0; i < e->nnotes; i++) {
        buf_add_string(out, i == 0 ? "\"" : ",\"");
        json_add(out, slice_of(e->notes[i]));
        buf_add_string(out, "\"");
    }
    buf_add_string(out, "]");
    add_json_settings(out, c, e);
    buf_add_string(out, "}\n");
}

/* ---- the command ---- */

static int explain(const struct arguments *a)
{
    struct explanation e;
    struct buf text = {0};
    struct config *c;
    struct diag why;

    if (config_file_load(&a->from, &c, &why) != ST_OK) {
        (void)cli_error(ST_BAD_INPUT, &why);
        return EXIT_USAGE;
    }
    int code = EXIT_USAGE;
    if (!explain_make(c, &a->request, &e, &why)) {
        (void)cli_usage("explain", "%s", why.text);
    } else {
        (a->json ? show_json : show_text)(c, &e, &text);
        (void)fwrite(text.p, 1, text.n, stdout);
        code = e.passes ? EXIT_DONE : EXIT_FAILED;
        explain_free(&e);
        buf_free(&text);
    }
    config_unref(c);
    return code;
}

static int command(int argc, char **argv)
{
    struct arguments a = {0};
    int code;

    if (parse(argc, argv, &a, &code))
        code = explain(&a);
    config_choice_free(&a.from);
    return code;
}

const struct command command_explain = {
    "explain",
    "[-c FILE] [--set [TENANT.]KEY=VALUE]... [METHOD] URL [-H FIELD]... [-u USER]\n"
    "    [--json]",
    "show what would become of a request, without sending it",
    "  -c, --config FILE        the configuration, as for `sfmtls run`\n"
    "      --set KEY=VALUE      an option in place of the file's, as for `sfmtls run`\n"
    "  -H, --header FIELD       a field of the request, as in 'Accept: application/json'; may be\n"
    "                           repeated\n"
    "  -u, --user USER          a user of Basic credentials, without the password\n"
    "      --json               one line of JSON\n"
    "\n"
    "URL is http://HOST/PATH, https://HOST/PATH or /PATH. A URL of a listener is called directly,\n"
    "a URL of another host by way of the proxy (http_proxy, https_proxy).\n"
    "It prints the listener, the tenant, the `allow` rule and the server, the request's head as\n"
    "the server would get it, each change with its reason; or what the caller would get instead.\n"
    "Exit status: 0 the request would be sent, 1 sfmtls would refuse it, 2 the command line or\n"
    "the configuration is wrong.\n",
    command};
