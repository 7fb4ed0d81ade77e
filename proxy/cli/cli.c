#include "cli/cli.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <openssl/crypto.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "config/config.h"
#include "ops/harden.h"
#include "tls/key_memory.h"

static int command_help(int argc, char **argv);
static int command_version(int argc, char **argv);

static const struct command commands[] = {
    {"run",
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
     command_run},
    {"demo", "[--once] [--listen ADDRESS] [--ready-fd N]",
     "show all of it on this machine, with throw-away certificates",
     "  -1, --once               end after the first call; exit status 0 only if the server\n"
     "                           answered 200 and saw the client certificate\n"
     "      --listen ADDRESS     where the proxy listens; the default is localhost:8080, or a\n"
     "                           free port if 8080 is in use\n"
     "      --ready-fd N         as for run\n",
     command_demo},
    {"check", "[-c FILE] [TENANT] [--json]",
     "walk the path to the API server and explain what is wrong", "", NULL},
    {"cert",
     "show FILE [--json] [--passphrase-file FILE]\n"
     "public FILE [-o OUT] [--passphrase-file FILE]\n"
     "request --common-name NAME --key-out FILE [-o OUT] [--organization NAME] [--key-type TYPE]",
     "inspect certificates, extract the public part, request a certificate",
     "  show FILE                what the file holds: names, dates, the fingerprints as\n"
     "                           SuccessFactors shows them, and every flaw\n"
     "      --json               the same as one line of JSON\n"
     "  public FILE              certificate and chain as PEM, without any key: the file to "
     "upload\n"
     "                           to SuccessFactors\n"
     "  request                  make a private key and a certificate request (PKCS#10), which a\n"
     "                           CA turns into a certificate; the key never leaves this machine\n"
     "      --common-name NAME   CN of the certificate, usually the technical user\n"
     "      --organization NAME  O of the certificate\n"
     "      --key-type TYPE      ec (P-256, the default), rsa-2048 or rsa-3072\n"
     "      --key-out FILE       where the key goes, with mode 0600; never overwrites a file\n"
     "  -o, --out FILE           write to FILE instead of stdout; never overwrites a file\n"
     "      --passphrase-file FILE  the passphrase of an encrypted key or PKCS#12 file\n"
     "\n"
     "FILE may be PEM, base64 of PEM, PKCS#12 or DER.\n"
     "Exit status of show: 1 if the certificate cannot be used: it has expired, is not valid yet,\n"
     "or is unusable.\n",
     command_cert},
    {"ca",
     "init [-c FILE] [--dir DIR] [--replace]\n"
     "show [-c FILE] [--dir DIR]",
     "the local CA for CONNECT (https_proxy)",
     "  init                     make a root, which callers must trust, and an intermediate CA, "
     "with\n"
     "                           which `run` signs for the names of the configured servers and no\n"
     "                           others; the root's key is never written\n"
     "      --replace            replace an existing CA; callers must then trust the new root\n"
     "  show                     print names, dates and fingerprint, and how callers trust the CA\n"
     "  -c, --config FILE        the configuration that names the servers; the default is as for "
     "run\n"
     "      --dir DIR            the folder; the default is `local-ca` of the configuration, else\n"
     "                           $XDG_DATA_HOME/sfmtls/ca (~/.local/share/sfmtls/ca), or\n"
     "                           /var/lib/sfmtls/ca if the configuration is in /etc/sfmtls or "
     "there\n"
     "                           is no home directory\n"
     "\n"
     "Run it as the user that `run` is started as. A tenant with a new server needs\n"
     "`ca init --replace`.\n",
     command_ca},
    {"import", "FILE", "turn a destination exported from BTP into a tenant section",
     "FILE is what the cockpit's Export makes: Java properties, JSON or YAML; the content "
     "decides.\n"
     "- reads standard input. The answer of the Destination service's REST API works, too.\n"
     "\n"
     "Each destination in it becomes a [tenant NAME] section on stdout, with URL, company ID and\n"
     "header fields. An export has no certificate and no passphrase: comments explain where they\n"
     "come from, and what happens to everything else. Secrets are never printed.\n"
     "\n"
     "  sfmtls import destination.json >>sfmtls.ini\n"
     "  sfmtls run -t\n",
     command_import},
    {"hosts", "", "list the known API servers and their certificate hosts",
     "Columns: data center, environment, API server, certificate host, and the source of the "
     "last:\n"
     "documented (by SAP), or rule (`.cert` follows the first label, as in all documented ones).\n",
     command_hosts},
    {"version", "", "print the version of sfmtls and its libraries", "", command_version},
    {"help", "[COMMAND|config|errors]",
     "explain a command; config: all options; errors: all errors",
     "  help COMMAND   the options of a command\n"
     "  help config    the configuration file with every option at its default\n"
     "  help errors    every error that the proxy can answer or log, its meaning and its cure\n",
     command_help},
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* ---- errors ---- */

static void say(const char *format, va_list args, const char *behind) PRINTF_LIKE(1, 0);

static void say(const char *format, va_list args, const char *behind)
{
    char *text, *visible;

    if (vasprintf(&text, format, args) < 0)
        abort(); /* see mem.h */
    visible = utf8_escape(text);
    (void)fprintf(stderr, "sfmtls: %s%s\n", visible, behind);
    free(visible);
    free(text);
}

void cli_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args, "");
    va_end(args);
}

void cli_add_line(struct buf *out, const char *name, const char *value)
{
    char *visible = utf8_escape(value);

    buf_addf(out, "%-12s %s\n", name, visible);
    free(visible);
}

int cli_error(enum status st, const struct diag *why)
{
    cli_say("%s", why->text);
    return st == ST_SYSTEM ? EXIT_FAILED : EXIT_USAGE;
}

int cli_usage(const char *command, const char *format, ...)
{
    char *help = command == NULL ? mem_copy_string("; `sfmtls help` lists the commands")
                                 : mem_format("; `sfmtls %s --help` tells more", command);
    va_list args;

    va_start(args, format);
    say(format, args, help);
    va_end(args);
    free(help);
    return EXIT_USAGE;
}

static bool begins_option(const char *word, const struct option *options)
{
    for (const struct option *o = options; o->name != NULL; o++)
        if (strstr(o->name, word + 2) == o->name)
            return true;
    return false;
}

/* getopt_long() leaves the character in optopt, or an option's value if a value was not wanted. */
int cli_bad_option(const char *command, int option, char **argv, const struct option *options)
{
    const char *word = argv[optind - 1];
    bool is_long = strncmp(word, "--", 2) == 0;

    if (option == ':')
        return cli_usage(command, "%s wants a value", word);
    if (!is_long && optopt > 0 && optopt < 128)
        return cli_usage(command, "unknown option -%c", optopt);
    if (is_long && optopt != 0)
        return cli_usage(command, "%.*s takes no value", (int)strcspn(word, "="), word);
    if (is_long && begins_option(word, options))
        return cli_usage(command, "%s stands for several options: write it in full", word);
    return cli_usage(command, "unknown option %s", word);
}

/* ---- help ---- */

static void print_command(const struct command *c)
{
    const char *line = c->synopsis;

    do {
        size_t n = strcspn(line, "\n");
        bool continued = strncmp(line, "    ", 4) == 0;
        (void)printf(continued ? "           %s%.*s\n" : "usage: sfmtls %s %.*s\n",
                     continued ? "" : c->name, (int)n, line);
        line += n;
    } while (*line++ == '\n');
    (void)printf("\n%s.\n", c->summary);
    if (c->run == NULL)
        (void)puts("This command is not served by this version of sfmtls.");
    if (c->help[0] != '\0')
        (void)printf("\n%s", c->help);
}

int cli_help_of(const char *command)
{
    print_command(find(command));
    return EXIT_DONE;
}

static int print_overview(void)
{
    (void)puts("sfmtls: calls SAP SuccessFactors APIs with a client certificate, for programs "
               "that cannot\npresent one.\n\nusage: sfmtls COMMAND ...\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        (void)printf("  %-8s %s%s\n", commands[i].name, commands[i].summary,
                     commands[i].run == NULL ? " (not in this version)" : "");
    (void)puts("\n`sfmtls demo` shows what it does. `sfmtls help COMMAND` explains a command.");
    return EXIT_DONE;
}

static int print_config(void)
{
    struct buf text = {0};

    config_write_reference(&text);
    (void)fwrite(text.p, 1, text.n, stdout);
    buf_free(&text);
    return EXIT_DONE;
}

static int print_errors(void)
{
    (void)puts("Errors of the proxy: in the answer's `token` and Proxy-Status, in the log's "
               "`error`.\n");
    for (int i = FAIL_NONE + 1; i < FAIL_COUNT; i++) {
        const struct fail_info *f = fail_info((enum fail)i);
        (void)printf("%s (%s%.0d%s%s)\n    %s\n    %s\n", f->token,
                     f->status == 0 ? "log only" : "", f->status,
                     *f->proxy_error == '\0' ? "" : ", ", f->proxy_error, f->detail, f->cure);
    }
    return EXIT_DONE;
}

static int command_help(int argc, char **argv)
{
    if (argc > 2)
        return cli_usage("help", "help takes one word");
    if (argc < 2)
        return print_overview();
    if (is_help(argv[1]))
        return cli_help_of("help");
    if (strcmp(argv[1], "config") == 0)
        return print_config();
    if (strcmp(argv[1], "errors") == 0)
        return print_errors();
    if (find(argv[1]) == NULL)
        return cli_usage(NULL, "there is no command `%s`", argv[1]);
    return cli_help_of(argv[1]);
}

static int command_version(int argc, char **argv)
{
    if (argc > 1 && is_help(argv[1]))
        return cli_help_of("version");
    if (argc > 1)
        return cli_usage("version", "version takes no arguments");
    (void)printf("sfmtls %s\n%s\nlibevent %s\n", SFMTLS_VERSION, OpenSSL_version(OPENSSL_VERSION),
                 event_get_version());
    return EXIT_DONE;
}

/* ---- the program ---- */

static int run_command(int argc, char **argv)
{
    const struct command *c = find(argv[0]);

    if (c == NULL)
        return cli_usage(NULL, "there is no command `%s`", argv[0]);
    if (c->run == NULL) {
        if (argc > 1 && is_help(argv[1]))
            return cli_help_of(c->name);
        return cli_usage(NULL, "`%s` is not served by this version of sfmtls", c->name);
    }
    return c->run(argc, argv);
}

int cli_main(int argc, char **argv)
{
    int code;

    harden_process();
    key_memory_init();
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that is too large is an error of its write */
    opterr = 0;
    if (argc < 2) {
        (void)cli_usage(NULL, "a command is missing");
        return EXIT_USAGE;
    }
    if (is_help(argv[1]))
        code = print_overview();
    else if (strcmp(argv[1], "--version") == 0)
        code = command_version(1, argv);
    else
        code = run_command(argc - 1, argv + 1);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == EXIT_DONE) {
        (void)fputs("sfmtls: standard output cannot be written\n", stderr);
        code = EXIT_FAILED;
    }
    return code;
}
