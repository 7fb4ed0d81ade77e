#include "cli/program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/crypto.h>

#include "base/fail.h"
#include "base/similar.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "config/option.h"
#include "ops/harden.h"
#include "process/signals.h"
#include "sf/cause.h"
#include "tls/key_memory.h"

static int command_help(int argc, char **argv);
static int command_version(int argc, char **argv);
static int command_complete(int argc, char **argv);

static const struct command version = {
    "version", "", "print the version of sfmtls and its libraries", "", command_version};

static const struct command help = {
    "help", "[COMMAND|OPTION|CODE|config|errors|causes]",
    "explain a command, an option or the code of an error; config, errors, causes: all of them",
    "  help COMMAND   the options of a command\n"
    "  help OPTION    an option of the configuration file, such as ca-file\n"
    "  help CODE      the code or token of an error, such as auth0032: its meaning and its cure\n"
    "  help config    the configuration file with every option at its default\n"
    "  help errors    every error that the proxy can answer or log, its meaning and its cure\n"
    "  help causes    every cause of an error that is known, also of errors of the server\n",
    command_help};

static const struct command complete = {
    "complete", "-- [WORD]...", "list what can follow an unfinished command line, for shells",
    "The completions for bash, zsh and fish call it. The last WORD is unfinished. Each line is a\n"
    "word, a tab and what it is; :files and :folders stand for what the shell finds itself.\n",
    command_complete};

static const struct command *const commands[] = {
    &command_run,     &command_init, &command_demo,   &command_check,  &command_explain,
    &command_support, &command_cert, &command_ca,     &command_import, &command_hosts,
    &command_status,  &command_wait, &command_reload, &command_quit,   &complete,
    &version,         &help,
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void offer_commands(struct similar *s)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        similar_offer(s, commands[i]->name);
}

static int refuse_unknown(const char *what, const char *word, const struct similar *s)
{
    if (s->name == NULL)
        return cli_usage(NULL, "there is no %s `%s`", what, word);
    return cli_usage(NULL, "there is no %s `%s` (did you mean `%s`?)", what, word, s->name);
}

static int refuse_command(const char *word)
{
    struct similar s = similar_to(word);

    offer_commands(&s);
    return refuse_unknown("command", word, &s);
}

static int refuse_help(const char *word)
{
    struct similar s = similar_to(word);
    const char *option = option_nearest_of_all(word);

    offer_commands(&s);
    if (option != NULL)
        similar_offer(&s, option);
    for (int i = FAIL_NONE + 1; i < FAIL_COUNT; i++)
        similar_offer(&s, fail_info((enum fail)i)->token);
    for (int i = 0; i < CAUSE_COUNT; i++)
        similar_offer(&s, cause_of((enum cause_id)i)->code);
    return refuse_unknown("command, option or code", word, &s);
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* ---- help ---- */

static int print_overview(void)
{
    (void)puts("sfmtls: calls SAP SuccessFactors APIs with a client certificate, for programs "
               "that cannot\npresent one.\n\nusage: sfmtls COMMAND ...\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        (void)printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
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

static int print_option(const char *key)
{
    struct buf text = {0};

    if (!config_write_option(key, &text))
        return refuse_help(key);
    (void)fwrite(text.p, 1, text.n, stdout);
    buf_free(&text);
    return EXIT_DONE;
}

static void print_error(const struct fail_info *f)
{
    (void)printf("%s (%s%.0d%s%s)\n    %s\n    %s\n", f->token, f->status == 0 ? "log only" : "",
                 f->status, *f->proxy_error == '\0' ? "" : ", ", f->proxy_error, f->detail,
                 f->cure);
}

static int print_errors(void)
{
    (void)puts("Errors of the proxy: in the answer's `token` and Proxy-Status, in the log's "
               "`error`.\n");
    for (int i = FAIL_NONE + 1; i < FAIL_COUNT; i++)
        print_error(fail_info((enum fail)i));
    return EXIT_DONE;
}

static void print_cause(const struct cause *c)
{
    (void)printf("%s (%s: %s)\n    %s\n    %s\n", c->code, cause_where_text(c->where), c->known_by,
                 c->sentence, c->cure);
    if (*c->source != '\0')
        (void)printf("    Source: %s\n", c->source);
}

static int print_causes(void)
{
    (void)puts(
        "Causes that are known: in the answer's `code`, in the field Sfmtls-Hint of errors of "
        "the server,\nand in the log's `code` and `hint`.\n");
    for (int i = 0; i < CAUSE_COUNT; i++)
        print_cause(cause_of((enum cause_id)i));
    return EXIT_DONE;
}

/* False: no failure has that token, and no cause has that code. */
static bool print_code(const char *code)
{
    const struct cause *cause = cause_find(code);
    bool found = cause != NULL;

    for (int i = FAIL_NONE + 1; i < FAIL_COUNT; i++) {
        const struct fail_info *f = fail_info((enum fail)i);
        if (strcmp(f->token, code) != 0)
            continue;
        print_error(f);
        found = true;
    }
    if (cause != NULL)
        print_cause(cause);
    return found;
}

static int command_help(int argc, char **argv)
{
    if (argc > 2)
        return cli_usage("help", "help takes one word");
    if (argc < 2)
        return print_overview();
    if (is_help(argv[1]))
        return cli_help_of(&help);
    if (strcmp(argv[1], "config") == 0)
        return print_config();
    if (strcmp(argv[1], "errors") == 0)
        return print_errors();
    if (strcmp(argv[1], "causes") == 0)
        return print_causes();
    const struct command *c = find(argv[1]);
    if (c != NULL)
        return cli_help_of(c);
    return print_code(argv[1]) ? EXIT_DONE : print_option(argv[1]);
}

static int command_version(int argc, char **argv)
{
    if (argc > 1 && is_help(argv[1]))
        return cli_help_of(&version);
    if (argc > 1)
        return cli_usage("version", "version takes no arguments");
    (void)printf("sfmtls %s\n%s\nlibevent %s\n", SFMTLS_VERSION, OpenSSL_version(OPENSSL_VERSION),
                 event_get_version());
    return EXIT_DONE;
}

static int command_complete(int argc, char **argv)
{
    if (argc > 1 && is_help(argv[1]))
        return cli_help_of(&complete);
    if (argc < 2 || strcmp(argv[1], "--") != 0)
        return cli_usage("complete", "complete takes the words after `--`");
    return complete_words(commands, ARRAY_LEN(commands), argc - 2, argv + 2);
}

/* ---- the program ---- */

static int run_command(int argc, char **argv)
{
    const struct command *c = find(argv[0]);

    if (c == NULL)
        return refuse_command(argv[0]);
    return c->run(argc, argv);
}

int program_main(int argc, char **argv)
{
    int code;

    signals_end_first_process();
    harden_process();
    key_memory_init();
    (void)signal(SIGXFSZ, SIG_IGN); /* so a file that is too large fails in write() */
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
