#include "cli/complete.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/slice.h"
#include "cli/config_file.h"
#include "cli/demo_fault.h"
#include "config/option.h"
#include "ops/check_steps.h"
#include "sf/hosts.h"

/* The command line to be completed. */
struct line {
    const struct command *const *commands;
    size_t count;
    const struct command *command; /* NULL: the command itself is being typed */
    char **words;                  /* the words after the command's name */
    int nwords;
    const char *typed;    /* the last word, or its part after `--option=` */
    const char *before;   /* the part of the word before typed: `--option=`; or empty */
    size_t before_length; /* of before */
};

/* An option of a command, read from the command's help. */
struct choice {
    /* For example "--config" and "FILE"; value empty: the option takes none. */
    struct slice name, value, help;
    char letter; /* for example 'c'; 0: it has none */
};

static void offer(const struct line *l, const char *head, struct slice word, const char *tail,
                  struct slice help)
{
    char *whole = mem_format("%s%.*s%s", head, (int)word.n, word.p, tail);

    if (strncmp(whole, l->typed, strlen(l->typed)) == 0)
        (void)printf("%.*s%s\t%.*s\n", (int)l->before_length, l->before, whole, (int)help.n,
                     help.p);
    free(whole);
}

static void offer_word(const struct line *l, const char *word, const char *help)
{
    offer(l, "", slice_of(word), "", slice_of(help));
}

/* ---- the options of a command ---- */

static struct slice next_word(struct slice *rest)
{
    struct slice word;

    while (rest->n > 0 && strchr(" \n", *rest->p) != NULL)
        rest->p++, rest->n--;
    word = (struct slice){rest->p, 0};
    while (rest->n > 0 && strchr(" \n", *rest->p) == NULL)
        rest->p++, rest->n--, word.n++;
    if (rest->n > 0)
        rest->p++, rest->n--;
    return word;
}

/* Reads a line like "  -c, --config FILE   the configuration". */
static bool read_choice(struct slice text, struct choice *out)
{
    struct slice rest = slice_trim(text);

    *out = (struct choice){.letter = 0};
    if (text.n < 2 || text.p[0] != ' ' || rest.n < 3 || rest.p[0] != '-')
        return false;
    if (rest.p[1] != '-') {
        out->letter = rest.p[1];
        (void)next_word(&rest);
    }
    out->name = next_word(&rest);
    if (rest.n > 0 && *rest.p != ' ')
        out->value = next_word(&rest);
    out->help = slice_trim(rest);
    return out->name.n > 2 && out->name.p[0] == '-';
}

/* Reads the next option of the help. False: there are no more. */
static bool next_choice(struct slice *help, struct choice *out)
{
    while (help->n > 0)
        if (read_choice(slice_split(help, '\n'), out))
            return true;
    return false;
}

static bool is_named(const struct choice *c, const char *word)
{
    return slice_eq(c->name, slice_of(word)) ||
           (c->letter != 0 && word[0] == '-' && word[1] == c->letter && word[2] == '\0');
}

static bool find_choice(const struct command *c, const char *word, struct choice *out)
{
    struct slice help = slice_of(c->help);

    while (next_choice(&help, out))
        if (is_named(out, word))
            return true;
    return false;
}

static bool takes_value(const struct command *c, const char *word)
{
    struct choice found;

    return word[0] == '-' && find_choice(c, word, &found) && found.value.n > 0;
}

static void offer_options(const struct line *l)
{
    struct slice help = slice_of(l->command->help), last = {0};
    struct choice c;

    while (next_choice(&help, &c)) {
        if (!slice_eq(c.name, last)) /* --set has two lines */
            offer(l, "", c.name, "", c.help);
        last = c.name;
    }
    offer_word(l, "--help", "show all of this");
}

/* ---- values ---- */

typedef void offerer(const struct line *l);

static void offer_files(const struct line *l)
{
    (void)l;
    (void)puts(":files");
}

static void offer_folders(const struct line *l)
{
    (void)l;
    (void)puts(":folders");
}

static void offer_commands(const struct line *l)
{
    for (size_t i = 0; i < l->count; i++)
        offer_word(l, l->commands[i]->name, l->commands[i]->summary);
}

static void offer_hosts(const struct line *l)
{
    size_t count;
    const struct sf_host *hosts = sf_hosts(&count);

    for (size_t i = 0; i < count; i++)
        offer_word(l, hosts[i].api, hosts[i].environment);
}

static void offer_steps(const struct line *l)
{
    for (int s = 0; s < CHECK_STEPS; s++)
        offer_word(l, check_step_name((enum check_step)s), "");
}

static void offer_faults(const struct line *l)
{
    size_t count;
    const struct demo_fault *faults = demo_faults(&count);

    for (size_t i = 0; i < count; i++)
        offer_word(l, faults[i].name, faults[i].summary);
}

static const char *configuration_of(const struct line *l)
{
    for (int i = 0; i + 1 < l->nwords; i++) {
        if (strncmp(l->words[i], "--config=", 9) == 0)
            return l->words[i] + 9;
        if (i + 2 < l->nwords &&
            (strcmp(l->words[i], "-c") == 0 || strcmp(l->words[i], "--config") == 0))
            return l->words[i + 1];
    }
    return NULL;
}

/* NULL: the configuration cannot be read, so no tenant is known. */
static struct config *load(const struct line *l)
{
    const struct config_choice choice = {.file = configuration_of(l)};
    struct config *c;
    struct diag why;

    return config_file_load_names(&choice, &c, &why) == ST_OK ? c : NULL;
}

static void offer_tenants(const struct line *l)
{
    struct config *c = load(l);

    for (size_t i = 0; c != NULL && i < c->ntenants; i++)
        offer_word(l, c->tenants[i]->name, c->tenants[i]->company_id);
    if (c != NULL)
        config_unref(c);
}

/* Offers the keys of [proxy] or of a tenant; head comes before each, tail after it. */
static void offer_keys_of(const struct line *l, enum option_section section, const char *head,
                          const char *tail)
{
    size_t count;
    const struct option *table = option_table(&count);

    for (size_t i = 0; i < count; i++)
        if (table[i].section == section && !option_is_prefix(&table[i]))
            offer(l, head, slice_of(table[i].key), tail, slice_of(table[i].type));
}

static void offer_options_of_file(const struct line *l)
{
    offer_keys_of(l, SECTION_PROXY, "", "");
    offer_keys_of(l, SECTION_TENANT, "", "");
}

/* Offers the values of `key=`, if there is a choice of few. */
static void offer_settings_of(const struct line *l, const char *equals)
{
    const char *dot = memchr(l->typed, '.', (size_t)(equals - l->typed));
    const char *begin = dot == NULL ? l->typed : dot + 1;
    char *key = mem_copy_bytes(begin, (size_t)(equals - begin));
    char *head = mem_copy_bytes(l->typed, (size_t)(equals + 1 - l->typed));
    const struct option *o = dot == NULL ? option_find(SECTION_PROXY, key) : NULL;

    if (o == NULL)
        o = option_find(SECTION_TENANT, key);
    struct slice rest = slice_of(o == NULL ? NULL : o->choices);
    while (rest.n > 0)
        offer(l, head, slice_split(&rest, '|'), "", slice_of(""));
    if (o != NULL && o->file != OPTION_NO_FILE)
        offer_files(l);
    free(head);
    free(key);
}

static void offer_settings(const struct line *l)
{
    const char *equals = strchr(l->typed, '=');
    struct config *c;

    if (equals != NULL) {
        offer_settings_of(l, equals);
        return;
    }
    offer_keys_of(l, SECTION_PROXY, "", "=");
    offer_keys_of(l, SECTION_TENANT, "", "=");
    c = load(l);
    for (size_t i = 0; c != NULL && i < c->ntenants; i++) {
        char *head = mem_format("%s.", c->tenants[i]->name);
        offer_keys_of(l, SECTION_TENANT, head, "=");
        free(head);
    }
    if (c != NULL)
        config_unref(c);
}

/* What to offer for a value. name: the value's name in help and synopsis, or the option. */
static const struct {
    const char *name;
    offerer *offer;
} values[] = {
    {"FILE", offer_files},         {"OUT", offer_files},
    {"DIR", offer_folders},        {"HOST", offer_hosts},
    {"STEP", offer_steps},         {"--fault", offer_faults},
    {"KEY=VALUE", offer_settings}, {"TENANT", offer_tenants},
    {"COMMAND", offer_commands},   {"OPTION", offer_options_of_file},
};

static bool offer_value(const struct line *l, struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (!slice_eq(name, slice_of(values[i].name)))
            continue;
        values[i].offer(l);
        return true;
    }
    return false;
}

/* Offers the words of a text like "current|next|both", which may contain names of values. */
static void offer_alternatives(const struct line *l, struct slice text)
{
    while (text.n > 0) {
        struct slice one = slice_split(&text, '|');
        if (!offer_value(l, one) && islower((unsigned char)one.p[0]))
            offer(l, "", one, "", slice_of(""));
    }
}

/* ---- the synopsis ---- */

/* The next word without brackets. *closed: the word ends an optional part. */
static struct slice next_of_form(struct slice *form, bool *closed)
{
    struct slice word = next_word(form);

    while (word.n > 0 && *word.p == '[')
        word.p++, word.n--;
    *closed = false;
    while (word.n > 0 && strchr("].", word.p[word.n - 1]) != NULL) {
        *closed = true;
        word.n--;
    }
    return word;
}

/* The value that the synopsis shows after an option. */
static struct slice value_in_synopsis(const struct command *c, struct slice option)
{
    struct slice rest = slice_of(c->synopsis);

    while (rest.n > 0) {
        bool closed;
        if (slice_eq(next_of_form(&rest, &closed), option) && !closed)
            return next_of_form(&rest, &closed);
    }
    return (struct slice){0};
}

static void offer_value_of(const struct line *l, const char *option)
{
    struct choice c;

    if (find_choice(l->command, option, &c) && !offer_value(l, c.name) && !offer_value(l, c.value))
        offer_alternatives(l, value_in_synopsis(l->command, c.name));
}

/* The operand of a form after `skip` others; n is 0: there is none. */
static struct slice operand_of(struct slice form, int skip)
{
    while (form.n > 0) {
        bool closed;
        struct slice word = next_of_form(&form, &closed);
        if (word.n > 0 && *word.p == '-' && closed)
            continue;
        if (word.n > 0 && *word.p == '-')
            (void)next_of_form(&form, &closed);
        else if (word.n > 0 && skip-- == 0)
            return word;
    }
    return (struct slice){0};
}

/* Returns the number of operands before the last word. *first: the first one. */
static int operands_before(const struct line *l, const char **first)
{
    int n = 0;

    for (int i = 0; i + 1 < l->nwords; i++) {
        if (takes_value(l->command, l->words[i]))
            i++;
        else if (l->words[i][0] != '-' && n++ == 0)
            *first = l->words[i];
    }
    return n;
}

/* If the form begins with a verb (`cert show`), is it this one? */
static bool is_form_of(struct slice form, const char *first)
{
    struct slice word = operand_of(form, 0);

    return first == NULL || word.n == 0 || !islower((unsigned char)*word.p) ||
           slice_eq(word, slice_of(first));
}

static bool offer_operands(const struct line *l)
{
    struct slice synopsis = slice_of(l->command->synopsis), previous = {0};
    const char *first = NULL;
    int before = operands_before(l, &first);
    bool any = false;

    while (synopsis.n > 0) {
        struct slice form = slice_split(&synopsis, '\n');
        struct slice word = is_form_of(form, first) ? operand_of(form, before) : (struct slice){0};
        if (word.n == 0)
            continue;
        any = true;
        if (!slice_eq(word, previous)) /* `cert fetch` has two forms */
            offer_alternatives(l, word);
        previous = word;
    }
    return any;
}

/* ---- all of it ---- */

static void complete_arguments(struct line *l)
{
    const char *last = l->words[l->nwords - 1], *equals = strchr(last, '=');

    if (l->nwords > 1 && takes_value(l->command, l->words[l->nwords - 2])) {
        offer_value_of(l, l->words[l->nwords - 2]);
    } else if (strncmp(last, "--", 2) == 0 && equals != NULL) {
        char *option = mem_copy_bytes(last, (size_t)(equals - last));
        l->before = last;
        l->before_length = (size_t)(equals + 1 - last);
        l->typed = equals + 1;
        offer_value_of(l, option);
        free(option);
    } else if (last[0] == '-' || !offer_operands(l)) {
        offer_options(l);
    }
}

int complete_words(const struct command *const *commands, size_t count, int nwords, char **words)
{
    struct line l = {.commands = commands, .count = count, .before = ""};

    if (nwords < 1)
        return EXIT_DONE;
    l.typed = words[nwords - 1];
    if (nwords == 1)
        offer_commands(&l);
    for (size_t i = 0; nwords > 1 && i < count; i++)
        if (strcmp(commands[i]->name, words[0]) == 0)
            l.command = commands[i];
    l.words = words + 1;
    l.nwords = nwords - 1;
    if (l.command != NULL)
        complete_arguments(&l);
    return EXIT_DONE;
}
