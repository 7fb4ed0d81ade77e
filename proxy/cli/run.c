#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/config_file.h"
#include "cli/prompt.h"
#include "cli/serve.h"

enum { MAX_PAIRS = 64, OPT_READY_FD = 256, OPT_HELP, OPT_PAIR };

/* Options that stand for a line of a configuration file, in the order of getopt's values. */
static const struct {
    const char *section, *key, *option;
} pair_options[] = {
    {"proxy", "listen", "--listen"},
    {"tenant default", "server", "--server"},
    {"tenant default", "company-id", "--company-id"},
    {"tenant default", "certificate", "--certificate"},
    {"tenant default", "private-key", "--private-key"},
    {"tenant default", "passphrase-file", "--passphrase-file"},
    {"tenant default", "ca-file", "--ca-file"},
};

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"test", no_argument, NULL, 't'},
    {"help", no_argument, NULL, 'h'},
    {"ready-fd", required_argument, NULL, OPT_READY_FD},
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
    const char *file;
    char *found; /* the same, if it was not given */
    bool test;
    int ready_fd;
    struct config_pair pairs[MAX_PAIRS]; /* those of [proxy] first */
    size_t npairs, nlistens;
    bool given[ARRAY_LEN(pair_options)];
    struct serve serve;
};

static bool add_pair(struct arguments *a, int i, const char *value)
{
    if (a->npairs == MAX_PAIRS || (a->given[i] && i != 0)) {
        (void)cli_usage("run", "%s is given more than once", pair_options[i].option);
        return false;
    }
    size_t at = i == 0 ? a->nlistens++ : a->npairs;
    memmove(&a->pairs[at + 1], &a->pairs[at], (a->npairs - at) * sizeof(a->pairs[0]));
    a->pairs[at] = (struct config_pair){pair_options[i].section, pair_options[i].key, value,
                                        pair_options[i].option};
    a->given[i] = true;
    a->npairs++;
    return true;
}

static bool check(struct arguments *a, int argc, char **argv)
{
    if (optind < argc) {
        (void)cli_usage("run", "`%s` is not expected here", argv[optind]);
        return false;
    }
    if (a->npairs > 0 && a->file != NULL) {
        (void)cli_usage("run", "-c and %s exclude each other: put it into the file",
                        a->pairs[0].where);
        return false;
    }
    for (size_t i = 1; a->npairs > 0 && i <= 3; i++) {
        if (!a->given[i]) {
            (void)cli_usage("run",
                            "%s is missing: --server, --company-id and --certificate go "
                            "together",
                            pair_options[i].option);
            return false;
        }
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
        } else if (option == 'c') {
            a->file = optarg;
        } else if (option == 't') {
            a->test = true;
        } else if (option == OPT_READY_FD) {
            if (!serve_parse_ready_fd("run", optarg, &a->ready_fd))
                return false;
        } else if (option >= OPT_PAIR) {
            if (!add_pair(a, option - OPT_PAIR, optarg))
                return false;
        } else {
            (void)cli_bad_option("run", option, argv, options);
            return false;
        }
    }
    return check(a, argc, argv);
}

static enum status load_settings(struct arguments *a, struct config **out, struct diag *why)
{
    if (a->npairs > 0)
        return config_from_pairs(a->pairs, a->npairs, prompt_ask, NULL, out, why);
    if (a->file != NULL)
        return config_load(a->file, prompt_ask, NULL, out, why);
    /* once: a reload is of this one, whatever appears elsewhere */
    enum status st = config_file_find(&a->found, why);
    a->file = a->found;
    return st == ST_OK ? config_load(a->file, prompt_ask, NULL, out, why) : st;
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
    enum status st = load_settings(a, out, why);

    return st == ST_OK ? complete(*out, true, why) : st;
}

/* A local CA that nobody asked for must not keep a renewed certificate out. */
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

static int test(struct serve *s, struct process *process)
{
    struct diag why;

    if (serve_try(s, process, &why) != ST_OK) {
        (void)cli_error(ST_BAD_INPUT, &why);
        return EXIT_USAGE;
    }
    char *file = s->config->file == NULL ? NULL : realpath(s->config->file, NULL);
    (void)printf("configuration ok: %s\n", s->config->file == NULL ? "the command line"
                                           : file == NULL          ? s->config->file
                                                                   : file);
    free(file);
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
    s->load_ctx = a;
    if (load(a, &s->config, &why) != ST_OK) {
        (void)cli_error(ST_BAD_INPUT, &why);
        return EXIT_USAGE;
    }
    int code = EXIT_USAGE;
    if (serve_open(s, &process, &why) != ST_OK)
        (void)cli_error(ST_BAD_INPUT, &why);
    else
        code = a->test ? test(s, process) : serve_run(s, process);
    config_unref(s->config);
    return code;
}

static int command(int argc, char **argv)
{
    struct arguments a = {.ready_fd = NO_READY_FD};
    int code;

    if (parse(argc, argv, &a, &code))
        code = run(&a);
    free(a.found);
    return code;
}

const struct command command_run = {
    "run",
    "[-c FILE] [-t] [--ready-fd N]\n"
    "--server HOST --company-id ID --certificate FILE [--private-key FILE]\n"
    "    [--passphrase-file FILE] [--listen ADDRESS] [--ca-file FILE] [-t] [--ready-fd N]",
    "serve callers",
    "  -c, --config FILE        the configuration; the default is the first of ./sfmtls.ini,\n"
    "                           $XDG_CONFIG_HOME/sfmtls/sfmtls.ini, /etc/sfmtls/sfmtls.ini\n"
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
    "SIGTERM and SIGINT let running requests finish (drain-timeout); a second one ends at once.\n"
    "SIGHUP reloads the configuration. SIGUSR1 opens the log file again.\n"
    "Exit status: 0 all requests finished, 1 requests were cut off, 2 could not start.\n",
    command};
