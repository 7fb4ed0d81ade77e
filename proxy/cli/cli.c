#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/similar.h"
#include "base/utf8.h"

/* ---- errors ---- */

static void say(const char *format, va_list args, const char *behind) PRINTF_LIKE(1, 0);

static void say(const char *format, va_list args, const char *behind)
{
    char *text, *visible;

    if (vasprintf(&text, format, args) < 0)
        abort(); /* no memory: see mem.h */
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
                                 : mem_format("; `sfmtls %s --help` shows more", command);
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

static int refuse_unknown(const char *command, const char *word, const struct option *options)
{
    char *name = mem_copy_bytes(word + 2, strcspn(word + 2, "="));
    struct similar s = similar_to(name);

    for (const struct option *o = options; o->name != NULL; o++)
        similar_offer(&s, o->name);
    int code = s.name == NULL
                   ? cli_usage(command, "unknown option %s", word)
                   : cli_usage(command, "unknown option %s (did you mean --%s?)", word, s.name);
    free(name);
    return code;
}

/* getopt_long() leaves the character in optopt; if an option has a value that it must not have, the
 * option's value. */
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
        return cli_usage(command, "%s matches several options: write it in full", word);
    if (is_long)
        return refuse_unknown(command, word, options);
    return cli_usage(command, "unknown option %s", word);
}

/* ---- help ---- */

const char *cli_program(void)
{
    return program_invocation_name;
}

int cli_help_of(const struct command *c)
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
    if (c->help[0] != '\0')
        (void)printf("\n%s", c->help);
    return EXIT_DONE;
}
