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
#include "cli/given.h"
#include "cli/prompt.h"
#include "cli/serve.h"
#include "ops/renewal_guard.h"
#include "process/signals.h"

/* --renew: with it `run` starts itself as the guard of ops/renewal_guard.h. It is not for users. */
enum { OPT_READY_FD = 256, OPT_HELP, OPT_RENEW, OPT_PAIR };

/* The options that are settings, in the order of getopt's values. */
static const char *const pair_options[] = {"--listen",      "--server",      "--company-id",
                                           "--certificate", "--private-key", "--passphrase-file",
                                           "--ca-file"};

static const struct option options[] = {
    CONFIG_CHOICE_OPTIONS,
    {"test", no_argument, NULL, 't'},
    {"help", no_argument, NULL, 'h'},
    {"ready-fd", required_argument, NULL, OPT_READY_FD},
    {"renew", no_argument, NULL, OPT_RENEW},
    {"listen", required_argument, NULL, OPT_PAIR},
    {"server", required_argument, NULL, OPT_PAIR + 1},
    {"company-id", required_argument, NULL, OPT_PAIR + 2},
    {"certificate", required_argument, NULL, OPT_PAIR + 3},
    {"private-key", required_argument, NULL, OPT_PAIR + 4},
    {"passphrase-file", required_argument, NULL, OPT_PAIR + 5},
    {"ca-file", required_argument, NULL, OPT_PAIR + 6},
    {NULL, 0, NULL, 0},
};

struct arguments {
    struct config_choice from;
    char *found; /* the path of the default file, if no file was given */
    bool test, renews;
    int ready_fd;
    int argc;
    char **argv;
    bool given[ARRAY_LEN(pair_options)], given_any;
    struct config_sources sources;
    struct serve serve;
};

static bool add_option(struct arguments *a, int i, const char *value)
{
    if (a->given[i] && i != 0) {
        (void)cli_usage("run", "%s is given more than once", pair_options[i]);
        return false;
    }
    a->given[i] = a->given_any = true;
    config_choice_add(&a->from, pair_options[i] + strlen("--"), value, pair_options[i]);
    return true;
}

static bool check(struct arguments *a, int argc, char **argv)
{
    size_t first = 0;

    if (optind < argc) {
        (void)cli_usage("run", "`%s` is not expected here", argv[optind]);
        return false;
    }
    while (first < ARRAY_LEN(pair_options) && !a->given[first])
        first++;
    if (a->given_any && a->from.file != NULL) {
        (void)cli_usage("run", "-c and %s exclude each other: put it into the file, or use --set",
                        pair_options[first]);
        return false;
    }
    return true;
}

static bool parse(int argc, char **argv, struct arguments *a, int *code)
{
    int option;

    *code = EXIT_USAGE;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":c:th", options, NULL)) != -1) {
        if (option == 'h') {
            *code = cli_help_of(&command_run);
            return false;
        } else if (option == 'c' || option == OPT_SET) {
            if (!config_choice_take(&a->from, "run", option, optarg))
                return false;
        } else if (option == 't') {
            a->test = true;
        } else if (option == OPT_RENEW) {
            a->renews = true;
        } else if (option == OPT_READY_FD) {
            if (!a->renews && !serve_parse_ready_fd("run", optarg, &a->ready_fd))
                return false;
        } else if (option >= OPT_PAIR) {
            if (!add_option(a, option - OPT_PAIR, optarg))
                return false;
        } else {
            (void)cli_bad_option("run", option, argv, options);
            return false;
        }
    }
    return check(a, argc, argv);
}

/* Called once: a reload reads the same file, even if a better default one appears. If options
 * define a tenant, no file is read. */
static enum status find_sources(struct arguments *a, struct diag *why)
{
    if (!a->given_any)
        return config_file_sources(&a->from, &a->sources, &a->found, why);
    a->sources = (struct config_sources){.environment = (const char *const *)environ,
                                         .arguments = a->from.pairs,
                                         .narguments = a->from.npairs};
    return ST_OK;
}

static enum status load_settings(struct arguments *a, struct config **out, struct diag *why)
{
    return config_load_from(&a->sources, prompt_ask, NULL, out, why);
}

static enum status load_names(void *arguments, struct config **out, struct diag *why)
{
    struct arguments *a = arguments;

    return config_load_names_from(&a->sources, out, why);
}

static enum status complete(struct config *c, bool with_local_ca, struct diag *why)
{
    enum status st = with_local_ca ? config_add_local_ca(c, why) : ST_OK;

    if (st == ST_OK)
        st = config_check_files(c, why);
    if (st != ST_OK)
        config_unref(c);
    return st;
}

static enum status load(struct arguments *a, struct config **out, struct diag *why)
{
    enum status st = find_sources(a, why);

    if (st == ST_OK)
        st = load_settings(a, out, why);
    return st == ST_OK ? complete(*out, true, why) : st;
}

/* If the sandbox hides a local CA that the configuration does not name, it is left out: it must not
 * prevent the reload of a renewed certificate. */
static enum status load_again(void *arguments, struct config **out, struct diag *why)
{
    struct arguments *a = arguments;

    prompt_be_silent();
    enum status st = load_settings(a, out, why);
    if (st != ST_OK)
        return st;
    bool hidden = sandbox_hides_local_ca(a->serve.sandbox, *out);
    if (hidden)
        log_say(
            LOG_WARNING,
            "there is a local CA now, in a folder that was not there when the sandbox was made; "
            "restart sfmtls to answer CONNECT with it");
    return complete(*out, !hidden, why);
}

/* Shows the source of each value that does not come from the file. */
static void show_given(const struct config *c)
{
    for (size_t i = 0; i < c->ngiven; i++) {
        char *line = given_text(&c->given[i]);
        char *visible = utf8_escape(line);
        (void)puts(visible);
        free(visible);
        free(line);
    }
}

static const char *sources_without_file(const struct config_sources *s)
{
    if (!config_is_in_environment(s->environment))
        return "the command line";
    return s->narguments == 0 ? "the environment" : "the environment and the command line";
}

static void show_source(const struct config_sources *s)
{
    char *file = s->file == NULL ? NULL : realpath(s->file, NULL);

    (void)printf("configuration ok: %s\n", file != NULL      ? file
                                           : s->file != NULL ? s->file
                                                             : sources_without_file(s));
    free(file);
}

static int test(struct arguments *a, struct process *process)
{
    struct diag why;

    if (serve_try(&a->serve, process, &why) != ST_OK) {
        (void)cli_error(ST_BAD_INPUT, &why);
        return EXIT_USAGE;
    }
    show_given(a->serve.config);
    show_source(&a->sources);
    return EXIT_DONE;
}

/* The arguments of the guard: the same as now, with the path of the file. The user frees the
 * list. */
static const char **renewal_arguments(const struct arguments *a, int argc, char **argv)
{
    const char **out = mem_new(((size_t)argc + 6) * sizeof(out[0]));
    size_t n = 0;

    out[n++] = "sfmtls";
    out[n++] = "run";
    out[n++] = "--renew";
    if (a->found != NULL) {
        out[n++] = "-c";
        out[n++] = a->found;
    }
    for (int i = 1; i < argc; i++)
        out[n++] = argv[i];
    return out;
}

static int renew(struct arguments *a)
{
    struct diag why;

    if (find_sources(a, &why) != ST_OK)
        return EXIT_USAGE;
    renewal_guard(load_names, a);
    return EXIT_DONE;
}

static int run(struct arguments *a)
{
    struct serve *s = &a->serve;
    struct process *process;
    struct diag why;

    s->just_try = a->test;
    s->ready_fd = a->ready_fd;
    s->load = load_again;
    s->load_names = load_names;
    s->load_ctx = a;
    signals_hold();
    if (load(a, &s->config, &why) != ST_OK) {
        (void)cli_error(ST_BAD_INPUT, &why);
        return EXIT_USAGE;
    }
    s->renewal_arguments = renewal_arguments(a, a->argc, a->argv);
    int code = EXIT_USAGE;
    if (serve_open(s, &process, &why) != ST_OK)
        (void)cli_error(ST_BAD_INPUT, &why);
    else
        code = a->test ? test(a, process) : serve_run(s, process);
    free(s->renewal_arguments);
    config_unref(s->config);
    return code;
}

static int command(int argc, char **argv)
{
    struct arguments a = {.ready_fd = NO_READY_FD};
    int code;

    if (parse(argc, argv, &a, &code)) {
        a.argc = argc;
        a.argv = argv;
        code = a.renews ? renew(&a) : run(&a);
    }
    config_choice_free(&a.from);
    free(a.found);
    return code;
}

const struct command command_run = {
    "run",
    "[-c FILE] [--set [TENANT.]KEY=VALUE]... [-t] [--ready-fd N]\n"
    "--server HOST --company-id ID --certificate FILE [--private-key FILE]\n"
    "    [--passphrase-file FILE] [--listen ADDRESS] [--ca-file FILE] [-t] [--ready-fd N]",
    "serve callers",
    "  -c, --config FILE        the configuration; the default is the first of ./sfmtls.ini,\n"
    "                           $XDG_CONFIG_HOME/sfmtls/sfmtls.ini, /etc/sfmtls/sfmtls.ini\n"
    "      --set KEY=VALUE      an option of [proxy], in place of the file's; or, if the file has\n"
    "                           no tenant, of the only one\n"
    "      --set TENANT.KEY=VALUE  an option of that tenant, in place of the file's\n"
    "  -t, --test               do all that comes before listening, then end; exit status 2 if\n"
    "                           `run` would not start or if no tenant could be served\n"
    "      --ready-fd N         when ready, write one line of JSON with the addresses to the\n"
    "                           descriptor N and close it\n"
    "\n"
    "Without a file, for one tenant:\n"
    "      --server HOST        the API server: HOST, HOST:PORT or https://HOST\n"
    "      --company-id ID      the company ID, case-sensitive\n"
    "      --certificate FILE   the client certificate with its chain, with or without the key\n"
    "      --private-key FILE   the key, if it is not in the certificate's file\n"
    "      --passphrase-file FILE  the passphrase of an encrypted key\n"
    "      --listen ADDRESS     localhost:8080 (both 127.0.0.1 and [::1]), 127.0.0.1:8080,\n"
    "                           unix:/path; may be repeated\n"
    "      --ca-file FILE       CA certificates to trust instead of the system's\n"
    "\n"
    "An environment variable sets the same: SFMTLS_LISTEN, SFMTLS_SERVER, "
    "SFMTLS_TENANT_ACME_SERVER.\n"
    "The command line counts before the environment, and the environment before the file. -t "
    "shows\n"
    "where each value comes from that is not of the file.\n"
    "\n"
    "SIGTERM and SIGINT let running requests finish (drain-timeout); a second one ends at once.\n"
    "SIGHUP reloads the configuration. SIGUSR1 opens the log file again.\n"
    "Exit status: 0 all requests finished, 1 requests were cut off, 2 could not start.\n",
    command};
