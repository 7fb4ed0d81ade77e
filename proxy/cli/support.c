#include "ops/support.h"

#include <getopt.h>
#include <stdio.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/config_file.h"

enum { OPT_NAMES = 256 };

struct arguments {
    struct config_choice from;
    const char *out;
    bool names;
};

static const struct option options[] = {
    {"help", no_argument, NULL, 'h'},
    CONFIG_CHOICE_OPTIONS,
    {"out", required_argument, NULL, 'o'},
    {"names", no_argument, NULL, OPT_NAMES},
    {NULL, 0, NULL, 0},
};

static bool parse(int argc, char **argv, struct arguments *a, int *code)
{
    int option;

    *code = EXIT_USAGE;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":hc:o:", options, NULL)) != -1) {
        if (option == 'h') {
            *code = cli_help_of(&command_support);
            return false;
        } else if (option == 'c' || option == OPT_SET) {
            if (!config_choice_take(&a->from, "support", option, optarg))
                return false;
        } else if (option == 'o') {
            a->out = optarg;
        } else if (option == OPT_NAMES) {
            a->names = true;
        } else {
            (void)cli_bad_option("support", option, argv, options);
            return false;
        }
    }
    if (optind == argc)
        return true;
    (void)cli_usage("support", "`%s` is not expected here", argv[optind]);
    return false;
}

static int support(const struct arguments *a)
{
    struct buf text = {0};
    struct config *c;
    struct diag why;

    if (config_file_load_flawed(&a->from, &c, &why) != ST_OK) {
        (void)cli_error(ST_BAD_INPUT, &why);
        return EXIT_USAGE;
    }
    support_write(c, a->names, &text);
    config_unref(c);
    buf_add_string(&text, "\n");
    enum status st = ST_OK;
    if (a->out == NULL)
        (void)fwrite(text.p, 1, text.n, stdout);
    else
        st = file_write_new(a->out, buf_slice(&text), 0600, &why);
    buf_free(&text);
    return st == ST_OK ? EXIT_DONE : cli_error(st, &why);
}

static int command(int argc, char **argv)
{
    struct arguments a = {0};
    int code;

    if (parse(argc, argv, &a, &code))
        code = support(&a);
    config_choice_free(&a.from);
    return code;
}

const struct command command_support = {
    "support", "[-c FILE] [--set [TENANT.]KEY=VALUE]... [-o FILE] [--names]",
    "write what somebody else needs to see what is wrong",
    "  -c, --config FILE        the configuration, as for `sfmtls run`\n"
    "      --set KEY=VALUE      an option in place of the file's, as for `sfmtls run`\n"
    "  -o, --out FILE           write to FILE instead of stdout; never overwrites a file\n"
    "      --names              name hosts, companies, users and files, instead of hashing them\n"
    "\n"
    "It writes one line of JSON: versions, platform, the configuration without secrets, what\n"
    "`sfmtls check` says (it calls the servers for that), and the status with the last failures\n"
    "if `admin` is configured and sfmtls runs. Keys, passphrases, tokens, passwords and values of\n"
    "header.NAME are never in it. Without --names, texts that may name somebody are hashes: the\n"
    "same text is the same hash within one document. Read it before you send it to anybody.\n",
    command};
