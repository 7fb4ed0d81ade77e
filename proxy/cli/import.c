#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/destination.h"
#include "cli/import_section.h"

enum { OPT_CERTIFICATES = 256 };

static const struct option options[] = {
    {"help", no_argument, NULL, 'h'},
    {"certificates", required_argument, NULL, OPT_CERTIFICATES},
    {NULL, 0, NULL, 0},
};

/* Returns the export's path; NULL: the command ends with *code. */
static const char *parse(int argc, char **argv, const char **certificates, int *code)
{
    int option;

    *code = EXIT_USAGE;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPT_CERTIFICATES) {
            *certificates = optarg;
            continue;
        }
        if (option == 'h')
            *code = cli_help_of(&command_import);
        else
            (void)cli_bad_option("import", option, argv, options);
        return NULL;
    }
    if (optind == argc)
        (void)cli_usage("import", "import wants the name of a file, or - for standard input");
    else if (optind + 1 < argc)
        (void)cli_usage("import", "`%s` is not expected here", argv[optind + 1]);
    else
        return argv[optind];
    return NULL;
}

static enum status import(const char *path, const char *certificates, struct buf *out,
                          struct buf *notes, struct diag *why)
{
    bool from_stdin = strcmp(path, "-") == 0;
    const char *name = from_stdin ? "standard input" : path;
    struct destinations all = {0};
    struct buf text = {0};
    enum status st = from_stdin ? file_read_stdin(&text, why) : file_read(path, &text, why);

    if (st != ST_OK)
        return st;
    st = destinations_read(name, buf_slice(&text), &all, why);
    if (st == ST_OK)
        st = import_section_write(name, &all, certificates, out, notes, why);
    destinations_free(&all);
    file_wipe(&text);
    return st;
}

static void tell(struct slice notes)
{
    while (notes.n > 0) {
        struct slice line = slice_split(&notes, '\n');
        cli_say("%.*s", (int)line.n, line.p);
    }
}

static int command(int argc, char **argv)
{
    struct buf out = {0}, notes = {0};
    struct diag why;
    const char *certificates = NULL;
    int code;
    const char *path = parse(argc, argv, &certificates, &code);

    if (path == NULL)
        return code;
    enum status st = import(path, certificates, &out, &notes, &why);
    if (st == ST_OK) {
        (void)fwrite(out.p, 1, out.n, stdout);
        tell(buf_slice(&notes));
    }
    buf_free(&out);
    buf_free(&notes);
    return st == ST_OK ? EXIT_DONE : cli_error(st, &why);
}

const struct command command_import = {
    "import", "FILE [--certificates FOLDER]",
    "turn a destination exported from BTP into a tenant section",
    "FILE is what the cockpit's Export makes: Java properties, JSON or YAML; the content "
    "decides.\n"
    "- reads standard input. The answer of the Destination service's REST API works, too.\n"
    "\n"
    "Each destination in it becomes a [tenant NAME] section on stdout, with URL, company ID and\n"
    "header fields. An export of the cockpit has no certificate and no passphrase: comments "
    "explain\n"
    "where they come from, and what happens to everything else. Secrets are never printed.\n"
    "\n"
    "      --certificates FOLDER  write a certificate that FILE holds, as the answer of the REST "
    "API\n"
    "                           does, into this folder, with mode 0600; never overwrites a file\n"
    "\n"
    "  sfmtls import destination.json >>sfmtls.ini\n"
    "  sfmtls run -t\n",
    command};
