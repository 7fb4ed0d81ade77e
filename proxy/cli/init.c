#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/calls.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/import_text.h"
#include "cli/init_answers.h"
#include "config/config.h"
#include "net/address.h"
#include "sf/hosts.h"

static const char default_listen[] = "localhost:8080";
static const char first_path[] = "/odata/v2/User?$top=1&$format=json";

/* ---- arguments ---- */

struct arguments {
    const char *file;
    bool offline;
    struct answers answers;
};

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {"server", required_argument, NULL, 0},
    {"company-id", required_argument, NULL, 0},
    {"certificate", required_argument, NULL, 0},
    {"private-key", required_argument, NULL, 0},
    {"passphrase-file", required_argument, NULL, 0},
    {"ca-file", required_argument, NULL, 0},
    {"listen", required_argument, NULL, 0},
    {"offline", no_argument, NULL, 'o'},
    {NULL, 0, NULL, 0},
};

/* Where the value of a long option is stored. */
static char **place_of(struct answers *a, int option)
{
    char **const places[] = {NULL,
                             NULL,
                             &a->server,
                             &a->company_id,
                             &a->certificate,
                             &a->private_key,
                             &a->passphrase_file,
                             &a->ca_file,
                             &a->listen};

    return places[option];
}

static bool set_option(struct arguments *a, int number)
{
    char **place = place_of(&a->answers, number);

    if (*place != NULL) {
        (void)cli_usage("init", "--%s is given more than once", options[number].name);
        return false;
    }
    *place = mem_copy_string(optarg);
    return true;
}

static bool parse(int argc, char **argv, struct arguments *a, int *code)
{
    int option, number = 0;

    *code = EXIT_USAGE;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":c:h", options, &number)) != -1) {
        if (option == 'h') {
            *code = cli_help_of(&command_init);
            return false;
        }
        if (option == 'c') {
            a->file = optarg;
        } else if (option == 'o') {
            a->offline = true;
        } else if (option != 0) {
            (void)cli_bad_option("init", option, argv, options);
            return false;
        } else if (!set_option(a, number)) {
            return false;
        }
    }
    if (optind < argc)
        (void)cli_usage("init", "`%s` is not expected here", argv[optind]);
    return optind == argc;
}

/* ---- the file ---- */

static bool is_here(const char *file)
{
    return strchr(file, '/') == NULL ||
           (file[0] == '.' && strchr(file + 1, '/') == file + 1 && strchr(file + 2, '/') == NULL);
}

/* Makes a relative path start at the folder of the file, which may not be the current folder. */
static void add_path(struct buf *out, const char *file, const char *key, const char *path)
{
    char *whole = path[0] == '/' || is_here(file) ? NULL : realpath(path, NULL);

    buf_addf(out, "%-11s = %s\n", key, whole == NULL ? path : whole);
    free(whole);
}

static void add_server(struct buf *out, const char *server)
{
    struct sf_lookup found = sf_lookup_host(server);

    if (found.kind == SF_API && !found.was_certificate)
        buf_addf(out, "; sfmtls calls its certificate host, %s.\n", found.certificate_host);
    buf_addf(out, "server      = %s\n", server);
}

static void add_certificate(struct buf *out, const char *file, const struct answers *a)
{
    char until[CLOCK_TEXT_SIZE];

    clock_text_s(credential_not_after(a->credential), until);
    import_text_comment(out, "The client certificate with its chain: %s, valid until %.10s.",
                        credential_subject(a->credential), until);
    add_path(out, file, "certificate", a->certificate);
    if (a->private_key != NULL)
        add_path(out, file, "private-key", a->private_key);
    if (a->passphrase_file != NULL)
        add_path(out, file, "passphrase-file", a->passphrase_file);
    else
        buf_add_string(out, "; If the key is encrypted, `sfmtls run` asks for the passphrase, or "
                            "reads it from this file.\n;passphrase-file = passphrase\n");
    if (a->ca_file == NULL)
        return;
    buf_add_string(out, "; Only these CAs may have issued the server's certificate.\n");
    add_path(out, file, "ca-file", a->ca_file);
}

static void add_tenant(struct buf *out, const char *file, const struct answers *a)
{
    char name[IMPORT_NAME_SIZE];

    import_text_name(a->company_id, 1, name);
    for (char *p = name; *p != '\0'; p++)
        *p = ascii_lower(*p);
    buf_addf(out,
             "[tenant %s]\n"
             "; As Admin Center shows it; upper and lower case matter.\n"
             "company-id  = %s\n",
             name, a->company_id);
    add_server(out, a->server);
    add_certificate(out, file, a);
}

static void write_text(struct buf *out, const char *file, const struct answers *a)
{
    buf_addf(out,
             "; Written by `sfmtls init`. `sfmtls help config` explains every option.\n\n"
             "[proxy]\n"
             "; Where callers connect: this user and root, on this machine.\n"
             "listen      = %s\n"
             "; Where `sfmtls status` and browsers see what goes on; from the next start on.\n"
             ";admin       = localhost:8081\n\n",
             a->listen == NULL ? default_listen : a->listen);
    add_tenant(out, file, a);
}

/* Is it the template that a package installs? It has only comments, and perhaps a [proxy] without
 * options. */
static bool is_template(const char *file)
{
    struct buf text = {0};
    struct diag why;
    bool empty = file_read(file, &text, &why) == ST_OK;
    struct slice rest = buf_slice(&text);

    while (empty && rest.n > 0) {
        struct slice line = slice_trim(slice_split(&rest, '\n'));
        empty = line.n == 0 || *line.p == ';' || *line.p == '#' || slice_eq(line, SLICE("[proxy]"));
    }
    file_wipe(&text);
    return empty;
}

/* The template has a [proxy] already, so `listen` is written for the tenant. */
static void add_to_template(struct buf *out, const char *file, const struct answers *a)
{
    buf_add_string(out, "\n; Added by `sfmtls init`.\n");
    add_tenant(out, file, a);
    if (a->listen != NULL)
        buf_addf(out, "listen      = %s\n", a->listen);
}

static int write_file(const char *file, bool exists, const struct answers *a)
{
    struct buf text = {0};
    struct diag why;
    enum status st;

    if (exists) {
        add_to_template(&text, file, a);
        st = file_append(file, buf_slice(&text), &why);
    } else {
        write_text(&text, file, a);
        st = file_write_new(file, buf_slice(&text), 0600, &why);
    }
    buf_free(&text);
    if (st != ST_OK)
        return cli_error(st, &why);
    (void)printf("Written: %s\n\n", file);
    return EXIT_DONE;
}

/* ---- after the file is written ---- */

/* Runs `check`, which makes a call; offline: `run -t`, which only looks at this machine. */
static int check(const char *file, bool offline)
{
    const struct command *by = offline ? &command_run : &command_check;
    char *words[] = {mem_copy_string(by->name), mem_copy_string("-c"), mem_copy_string(file),
                     offline ? mem_copy_string("-t") : NULL, NULL};

    (void)fflush(stdout);
    int code = by->run(offline ? 4 : 3, words);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        free(words[i]);
    return code;
}

static void show_next(const char *file, const char *listen)
{
    bool found = strcmp(file, "sfmtls.ini") == 0;

    if (strcmp(file, "/etc/sfmtls/sfmtls.ini") == 0)
        (void)printf(
            "\nStart the service, which runs as the user sfmtls and reads certificate and key as "
            "that user,\nand make a call:\n\n    systemctl restart sfmtls\n");
    else
        (void)printf("\nStart it in this folder, and make a call from another terminal:\n\n"
                     "    %s run%s%s\n",
                     cli_program(), found ? "" : " -c ", found ? "" : file);
    calls_show(listen == NULL ? default_listen : listen, first_path);
}

static int refuse_existing(const char *file)
{
    struct diag why;

    diag_at(
        &why, file,
        "is there already, and init never changes a configuration; edit that file, name another "
        "one with -c, or start it with `sfmtls run`");
    return cli_error(ST_BAD_INPUT, &why);
}

static bool is_listen(const char *text, int *code)
{
    struct address parsed[ADDRESS_FAMILIES];
    struct diag why;
    size_t count;
    const char *flaw = text == NULL ? NULL : import_text_flaw("listen", text);

    if (flaw != NULL)
        diag_set(&why, "--listen: `%s` %s; write it as in localhost:8080", text, flaw);
    else if (text == NULL || address_parse_listen(text, parsed, &count, &why) == ST_OK)
        return true;
    else
        diag_place(&why, "--listen");
    *code = cli_error(ST_BAD_INPUT, &why);
    return false;
}

static int run(struct arguments *a)
{
    const char *file = a->file == NULL ? "sfmtls.ini" : a->file;
    int code = EXIT_DONE;

    bool exists = access(file, F_OK) == 0;
    if (exists && !is_template(file))
        return refuse_existing(file);
    if (is_listen(a->answers.listen, &code))
        code = answers_complete(&a->answers);
    if (code == EXIT_DONE)
        code = write_file(file, exists, &a->answers);
    if (code != EXIT_DONE)
        return code;
    code = check(file, a->offline);
    if (code == EXIT_DONE)
        show_next(file, a->answers.listen);
    else
        cli_say("%s is written; correct what is wrong above, then `sfmtls check -c %s`", file,
                file);
    return code == EXIT_DONE ? EXIT_DONE : EXIT_FAILED;
}

static int command(int argc, char **argv)
{
    struct arguments a = {0};
    int code;

    if (parse(argc, argv, &a, &code))
        code = run(&a);
    answers_free(&a.answers);
    return code;
}

const struct command command_init = {
    "init",
    "[-c FILE] [--server HOST] [--company-id ID] [--certificate FILE] [--private-key FILE]\n"
    "    [--passphrase-file FILE] [--ca-file FILE] [--listen ADDRESS] [--offline]",
    "write a configuration for one tenant, and check it",
    "  -c, --config FILE        the file to write; the default is sfmtls.ini in this folder. To a "
    "file\n"
    "                           that has comments only, the tenant is added; a configuration that\n"
    "                           is there is never changed\n"
    "      --server HOST        the API server: HOST, HOST:PORT or https://HOST\n"
    "      --company-id ID      the company ID, case-sensitive\n"
    "      --certificate FILE   the client certificate with its chain, with or without the key\n"
    "      --private-key FILE   the key, if it is not in the certificate's file\n"
    "      --passphrase-file FILE  the passphrase of an encrypted key\n"
    "      --ca-file FILE       CA certificates to trust instead of the system's\n"
    "      --listen ADDRESS     where callers connect; the default is localhost:8080\n"
    "      --offline            check without a call to the server: as `run -t`, not as `check`\n"
    "\n"
    "At a terminal, init asks for server, company ID, certificate and key if they are not given. "
    "It\n"
    "shows what is in the certificate, and offers the API servers that are near a name which it "
    "does\n"
    "not know. Exit status: 0 written and in order, 1 written, but the check failed, 2 not "
    "written.\n",
    command};
