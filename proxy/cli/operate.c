/* The commands that ask or control a running sfmtls: status, wait, reload, quit. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "cli/admin_client.h"
#include "cli/admin_json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/status_text.h"
#include "config/value.h"

enum { OPT_JSON = 256, OPT_MAX, PAUSE_MS = 100, MAX_S = 30 };

static const struct option options[] = {CONFIG_CHOICE_OPTIONS,
                                        {"help", no_argument, NULL, 'h'},
                                        {"json", no_argument, NULL, OPT_JSON},
                                        {"max", required_argument, NULL, OPT_MAX},
                                        {NULL, 0, NULL, 0}};

struct arguments {
    struct config_choice from;
    bool json;
    int64_t max_ms;
};

/* ---- the command line ---- */

static int take(const struct command *c, int option, struct arguments *a)
{
    const bool shows = c == &command_status, waits = c == &command_wait || c == &command_reload;
    struct diag why;

    if (option == 'c' || option == OPT_SET) {
        return config_choice_take(&a->from, c->name, option, optarg) ? EXIT_DONE : EXIT_USAGE;
    } else if (option == OPT_JSON && shows) {
        a->json = true;
    } else if (option == OPT_MAX && waits) {
        if (value_duration(optarg, &a->max_ms, &why) != ST_OK)
            return cli_usage(c->name, "--max: %s", why.text);
    } else {
        return cli_usage(c->name, "unknown option --%s", option == OPT_MAX ? "max" : "json");
    }
    return EXIT_DONE;
}

/* Returns false if the command ends with *code. */
static bool parse(const struct command *c, int argc, char **argv, struct arguments *a, int *code)
{
    int option;

    optind = 1;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'h')
            *code = cli_help_of(c);
        else if (option == ':' || option == '?')
            *code = cli_bad_option(c->name, option, argv, options);
        else if ((*code = take(c, option, a)) == EXIT_DONE)
            continue;
        return false;
    }
    *code = EXIT_USAGE;
    if (optind == argc)
        return true;
    (void)cli_usage(c->name, "`%s` is not expected here", argv[optind]);
    return false;
}

/* ---- answers ---- */

/* Prints what a problem document says; prints something general about any other answer. */
static void tell_problem(const struct admin_answer *a)
{
    char *detail = admin_json_text(a->body.p, "detail");
    char *cure = admin_json_text(a->body.p, "cure");

    if (detail != NULL)
        cli_say("%s %s", detail, cure == NULL ? "" : cure);
    else
        cli_say("the answer's status is %d", a->status);
    free(detail);
    free(cure);
}

/* Asks, and expects an answer with that status. Prints what another answer says. */
static bool ask(const struct admin_place *p, const char *method, const char *path, int status,
                struct admin_answer *out)
{
    struct diag why;

    if (admin_ask(p, method, path, out, &why) != ST_OK) {
        cli_say("%s", why.text);
        return false;
    }
    if (out->status == status)
        return true;
    tell_problem(out);
    buf_free(&out->body);
    return false;
}

static void pause_briefly(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
}

/* ---- status ---- */

static int show_status(const struct admin_place *p, const struct arguments *a)
{
    struct admin_answer answer;
    int code = EXIT_FAILED;

    if (!ask(p, "GET", "/status", 200, &answer))
        return EXIT_FAILED;
    if (a->json) {
        (void)fwrite(answer.body.p, 1, answer.body.n, stdout);
        code = EXIT_DONE;
    } else if (status_print(answer.body.p)) {
        code = EXIT_DONE;
    } else {
        cli_say("%s does not answer with a status", p->name);
    }
    buf_free(&answer.body);
    return code;
}

/* ---- wait ---- */

/* Says why it is not ready, by the answer of /ready. */
static void explain(const struct admin_answer *a, struct diag *why)
{
    char *reason = admin_json_text(a->body.p, "reason");

    if (reason == NULL)
        reason = admin_json_text(a->body.p, "detail");
    diag_set(why, "%s", reason == NULL ? "it does not say why" : reason);
    free(reason);
}

static bool is_ready(const struct admin_place *p, struct diag *why)
{
    struct admin_answer answer;

    if (admin_ask(p, "GET", "/ready", &answer, why) != ST_OK)
        return false;
    bool ready = answer.status == 200;
    if (!ready)
        explain(&answer, why);
    buf_free(&answer.body);
    return ready;
}

static int wait_until_ready(const struct admin_place *p, const struct arguments *a)
{
    const int64_t end = clock_monotonic_us() + a->max_ms * 1000;
    struct diag why;

    while (!is_ready(p, &why)) {
        if (clock_monotonic_us() >= end) {
            cli_say("not ready within %lld ms: %s", (long long)a->max_ms, why.text);
            return EXIT_FAILED;
        }
        pause_briefly();
    }
    return EXIT_DONE;
}

/* ---- reload and quit ---- */

static int quit(const struct admin_place *p, const struct arguments *a)
{
    struct admin_answer answer;

    (void)a;
    if (!ask(p, "POST", "/quit", 202, &answer))
        return EXIT_FAILED;
    buf_free(&answer.body);
    return EXIT_DONE;
}

/* Gets the number of reloads, and why the last one was refused (NULL: it was not; to be freed). */
static bool look_at_reloads(const struct admin_place *p, long long *count, char **refused)
{
    struct admin_answer answer;

    if (!ask(p, "GET", "/status", 200, &answer))
        return false;
    *count = admin_json_number(answer.body.p, "configuration.reloads");
    *refused = admin_json_text(answer.body.p, "configuration.refused.reason");
    buf_free(&answer.body);
    return true;
}

static int tell_reload(char *refused)
{
    if (refused == NULL)
        return EXIT_DONE;
    cli_say("not reloaded, what was loaded before stays in use: %s", refused);
    free(refused);
    return EXIT_FAILED;
}

static int reload(const struct admin_place *p, const struct arguments *a)
{
    const int64_t end = clock_monotonic_us() + a->max_ms * 1000;
    struct admin_answer answer;
    long long before, now;
    char *refused;

    if (!look_at_reloads(p, &before, &refused))
        return EXIT_FAILED;
    free(refused);
    if (!ask(p, "POST", "/reload", 202, &answer))
        return EXIT_FAILED;
    buf_free(&answer.body);
    while (look_at_reloads(p, &now, &refused)) {
        if (now != before)
            return tell_reload(refused);
        free(refused);
        if (clock_monotonic_us() >= end) {
            cli_say("not reloaded within %lld ms; the log will say what comes of it",
                    (long long)a->max_ms);
            return EXIT_FAILED;
        }
        pause_briefly();
    }
    return EXIT_FAILED;
}

/* ---- the commands ---- */

typedef int action(const struct admin_place *p, const struct arguments *a);

static int ask_the_running(action *act, const struct arguments *a)
{
    struct admin_place place;
    struct diag why;

    if (admin_place_find(&a->from, &place, &why) != ST_OK) {
        (void)cli_error(ST_BAD_INPUT, &why);
        return EXIT_USAGE;
    }
    if (place.flaw != NULL)
        cli_say("the configuration is not valid, but names `admin`: %s", place.flaw);
    int code = act(&place, a);
    admin_place_free(&place);
    return code;
}

static int run(const struct command *c, action *act, int argc, char **argv)
{
    struct arguments a = {.max_ms = MAX_S * 1000};
    int code;

    if (parse(c, argc, argv, &a, &code))
        code = ask_the_running(act, &a);
    config_choice_free(&a.from);
    return code;
}

static int run_status(int argc, char **argv)
{
    return run(&command_status, show_status, argc, argv);
}

static int run_wait(int argc, char **argv)
{
    return run(&command_wait, wait_until_ready, argc, argv);
}

static int run_reload(int argc, char **argv)
{
    return run(&command_reload, reload, argc, argv);
}

static int run_quit(int argc, char **argv)
{
    return run(&command_quit, quit, argc, argv);
}

#define FORM "[-c FILE] [--set KEY=VALUE]..."
#define FIND_HELP                                                                                  \
    "  -c, --config FILE    the configuration, which names the `admin` address and its tokens;\n"  \
    "                       the default is the same file that `run` takes\n"                       \
    "      --set KEY=VALUE  an option in place of the file's, as in --set admin=localhost:8081\n"

const struct command command_status = {
    "status", FORM " [--json]", "show the state of a running sfmtls",
    FIND_HELP "      --json           print what /status answers\n"
              "\n"
              "Exit status: 0 it answered, 1 it did not, 2 the configuration names no `admin`.\n",
    run_status};

const struct command command_wait = {
    "wait", FORM " [--max TIME]", "wait until a running sfmtls is ready",
    FIND_HELP "      --max TIME       how long, as in 500ms, 30s or 2m; the default is 30s\n"
              "\n"
              "Ready means that a tenant has a certificate that is valid now. No server is asked.\n"
              "Exit status: 0 it is ready, 1 not in time, 2 the configuration names no `admin`.\n",
    run_wait};

const struct command command_reload = {
    "reload", FORM " [--max TIME]", "let a running sfmtls load its configuration again",
    FIND_HELP "      --max TIME       how long to wait for the result; the default is 30s\n"
              "\n"
              "Needs admin-actions = yes in the configuration that is in use.\n"
              "Exit status: 0 the configuration is in use, 1 it was refused, 2 the configuration\n"
              "names no `admin`.\n",
    run_reload};

const struct command command_quit = {
    "quit", FORM, "let a running sfmtls finish its requests and end",
    FIND_HELP "\n"
              "Needs admin-actions = yes in the configuration that is in use.\n"
              "Exit status: 0 it will end, 1 it refused or did not answer, 2 the configuration\n"
              "names no `admin`.\n",
    run_quit};
