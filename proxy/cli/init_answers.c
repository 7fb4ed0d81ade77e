#include "cli/init_answers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/import_text.h"
#include "cli/prompt.h"
#include "config/config.h"
#include "sf/hosts.h"
#include "tls/facts.h"

enum { MAX_NEAR = 5 };

/* ---- checking a value ---- */

/* Would the configuration accept these? A value that is not known yet (NULL) is replaced by one
 * that always fits. */
static enum status try(const char *server, const char *company_id, struct diag *why)
{
    const struct config_pair pairs[] = {
        {"server", server == NULL ? "localhost" : server, "--server"},
        {"company-id", company_id == NULL ? "X" : company_id, "--company-id"},
        {"certificate", "x", "--certificate"}};
    const struct config_sources from = {.arguments = pairs, .narguments = ARRAY_LEN(pairs)};
    struct config *c = NULL;
    enum status st = config_load_names_from(&from, &c, why);

    config_unref(c);
    return st;
}

/* Can the value be written as a line of the file? */
static enum status try_line(const char *key, const char *value, struct diag *why)
{
    const char *flaw = import_text_flaw(key, value);
    char *place = mem_format("--%s", key);

    if (flaw != NULL)
        diag_at(why, place, "`%s` %s, so it cannot be written into the file; take another", value,
                flaw);
    free(place);
    return flaw == NULL ? ST_OK : ST_BAD_INPUT;
}

static void say_flaw(const struct diag *why)
{
    bool names_option = strncmp(why->text, "--", 2) == 0;

    (void)fprintf(stderr, "  %s\n", names_option ? diag_sentence(why) : why->text);
}

static int missing(const char *option)
{
    return cli_usage("init", "%s is missing, and there is no terminal to ask at", option);
}

static int given_up(void)
{
    cli_say("nothing was written");
    return EXIT_USAGE;
}

/* ---- the server ---- */

/* The host of an address as people copy it from a browser. */
static char *host_of(const char *text)
{
    const char *begin = strstr(text, "://");
    struct slice rest = slice_of(begin == NULL ? text : begin + 3);
    struct slice host = slice_split(&rest, '/');
    struct slice name = host, part = slice_split(&name, ':');

    return mem_copy_bytes(part.p, part.n);
}

static char *without_path(char *text)
{
    const char *begin = strstr(text, "://");
    const char *slash = strchr(begin == NULL ? text : begin + 3, '/');
    char *cut =
        slash == NULL ? mem_copy_string(text) : mem_copy_bytes(text, (size_t)(slash - text));

    free(text);
    return cut;
}

/* Finds similar API servers. Returns 0 if the host is known or not similar to any. */
static size_t find_near(const char *text, const struct sf_host **near)
{
    char *host = host_of(text);
    struct sf_lookup found = sf_lookup_host(host);
    size_t n = 0;

    if (found.kind == SF_UNKNOWN)
        n = sf_near_hosts(host, near, MAX_NEAR);
    else if (found.kind == SF_UI && found.api_host[0] != '\0')
        n = sf_near_hosts(found.api_host, near, 1);
    free(host);
    return n;
}

static void show_near(const char *text, const struct sf_host **near, size_t n)
{
    (void)fprintf(stderr, "  `%s` is not an API server that sfmtls knows. Near it:\n", text);
    for (size_t i = 0; i < n; i++)
        (void)fprintf(stderr, "  %zu  %s (%s, %s)\n", i + 1, near[i]->api, near[i]->data_center,
                      near[i]->environment);
}

static char *choose_near(char *text);

/* The answer may be another server. Otherwise it is an error, and the question is asked again. */
static char *choose_again(char *text, char *answer)
{
    const struct sf_host *near[MAX_NEAR] = {NULL};
    bool is_server = strpbrk(answer, ".:") != NULL || find_near(answer, near) > 0;

    if (!is_server)
        cli_say("`%s` is neither one of the numbers nor the name of a server", answer);
    free(is_server ? text : answer);
    return choose_near(is_server ? without_path(answer) : text);
}

/* Returns text, or the API server that is chosen instead. NULL: the input has ended. */
static char *choose_near(char *text)
{
    const struct sf_host *near[MAX_NEAR] = {NULL};
    size_t n = find_near(text, near);
    uint64_t number;

    if (n == 0)
        return text;
    show_near(text, near, n);
    char *answer = ask_line("Its number, or the server again to take it as it is", "1");
    if (answer != NULL && slice_to_u64(slice_of(answer), n, &number) && number > 0) {
        free(answer);
        answer = mem_copy_string(near[number - 1]->api);
    } else if (answer != NULL && strcmp(answer, text) != 0) {
        return choose_again(text, answer);
    }
    free(text);
    return answer;
}

static int complete_server(struct answers *a)
{
    const struct sf_host *near[MAX_NEAR] = {NULL};
    struct diag why;

    if (a->server != NULL) {
        if (try(a->server, NULL, &why) != ST_OK || try_line("server", a->server, &why) != ST_OK)
            return cli_error(ST_BAD_INPUT, &why);
        if (find_near(a->server, near) > 0)
            cli_say("--server: `%s` is not an API server that sfmtls knows; did you mean %s?",
                    a->server, near[0]->api);
        return EXIT_DONE;
    }
    if (!ask_is_possible())
        return missing("--server");
    while (a->server == NULL) {
        char *text = ask_line("API server, or data center (`sfmtls hosts` lists all)", NULL);
        if (text != NULL)
            text = choose_near(without_path(text));
        if (text == NULL)
            return given_up();
        if (try(text, NULL, &why) == ST_OK && try_line("server", text, &why) == ST_OK) {
            a->server = text;
            break;
        }
        say_flaw(&why);
        free(text);
    }
    return EXIT_DONE;
}

/* ---- the company ---- */

static int complete_company(struct answers *a)
{
    bool asks = a->company_id == NULL;
    struct diag why;

    if (asks && !ask_is_possible())
        return missing("--company-id");
    for (;;) {
        if (asks)
            a->company_id = ask_line("Company ID, as Admin Center shows it; case matters", NULL);
        if (a->company_id == NULL)
            return given_up();
        if (try(NULL, a->company_id, &why) == ST_OK &&
            try_line("company-id", a->company_id, &why) == ST_OK)
            return EXIT_DONE;
        if (!asks)
            return cli_error(ST_BAD_INPUT, &why);
        say_flaw(&why);
        free(a->company_id);
    }
}

/* ---- files ---- */

/* Expands ~/ as a shell would. Takes ownership of path. */
static char *expand(char *path)
{
    const char *home = getenv("HOME");

    if (path == NULL || strncmp(path, "~/", 2) != 0 || home == NULL)
        return path;
    char *whole = mem_format("%s%s", home, path + 1);
    free(path);
    return whole;
}

static bool has_ending(const char *name, const char *endings)
{
    const char *dot = strrchr(name, '.');
    struct slice rest = slice_of(endings);

    while (dot != NULL && dot != name && rest.n > 0) {
        struct slice one = slice_split(&rest, ' ');
        if (one.n == strlen(dot) && strncasecmp(one.p, dot, one.n) == 0)
            return true;
    }
    return false;
}

/* The only file in the current folder with one of these endings, to be freed; NULL: there is none,
 * or there are several. */
static char *only_file(const char *endings)
{
    DIR *here = opendir(".");
    const struct dirent *entry;
    char *only = NULL;
    size_t count = 0;

    while (here != NULL && (entry = readdir(here)) != NULL) {
        if (!has_ending(entry->d_name, endings) || count++ > 0)
            continue;
        only = mem_copy_string(entry->d_name);
    }
    if (here != NULL)
        (void)closedir(here);
    if (count > 1) {
        free(only);
        only = NULL;
    }
    return only;
}

static struct credential_files files_of(const struct answers *a)
{
    return (struct credential_files){.certificate = a->certificate,
                                     .private_key = a->private_key,
                                     .passphrase_file = a->passphrase_file,
                                     .ask = prompt_ask};
}

static enum status try_certificate(struct answers *a, struct diag *why)
{
    const struct credential_files files = files_of(a);

    return credential_inspect(&files, &a->credential, why);
}

/* Does the key belong to the certificate? */
static enum status try_key(struct answers *a, struct diag *why)
{
    const struct credential_files files = files_of(a);
    enum credential_source source;
    struct credential *whole = NULL;
    enum status st = credential_load(&files, &whole, &source, why);

    credential_unref(whole);
    return st;
}

static void show_certificate(const struct credential *c)
{
    struct facts f;
    struct buf out = {0};
    size_t count;
    const struct finding *findings = credential_findings(c, &count);

    facts_collect(c, clock_wall_s(), &f);
    cli_add_line(&out, "  subject", f.subject);
    cli_add_line(&out, "  issuer", f.issuer);
    buf_addf(&out, "%-12s %.10s to %.10s (%lld days left)\n", "  valid", f.not_before, f.not_after,
             f.days_left);
    for (size_t i = 0; i < count; i++)
        if (findings[i].level != FINDING_NOTE)
            cli_add_line(&out, "  problem", findings[i].sentence);
    (void)fwrite(out.p, 1, out.n, stderr);
    buf_free(&out);
    facts_free(&f);
}

struct file_question {
    const char *key, *text, *endings;
    enum status (*try)(struct answers *a, struct diag *why);
};

static const struct file_question certificate_question = {
    "certificate", "File of the client certificate", ".pem .crt .cer .der .p12 .pfx",
    try_certificate};
static const struct file_question key_question = {
    "private-key", "File of the private key, which is not in that file", ".key", try_key};

static char *ask_file(const struct file_question *q)
{
    char *only = only_file(q->endings), *answer = expand(ask_line(q->text, only));

    free(only);
    return answer;
}

static int complete_file(struct answers *a, char **path, const struct file_question *q)
{
    bool asks = *path == NULL;
    struct diag why;

    for (;;) {
        if (asks)
            *path = ask_file(q);
        if (*path == NULL)
            return given_up();
        if (try_line(q->key, *path, &why) == ST_OK && q->try(a, &why) == ST_OK)
            return EXIT_DONE;
        if (!asks)
            return cli_error(ST_BAD_INPUT, &why);
        say_flaw(&why);
        free(*path);
        *path = NULL;
    }
}

static int complete_files(struct answers *a)
{
    if (a->certificate == NULL && !ask_is_possible())
        return missing("--certificate");
    int code = complete_file(a, &a->certificate, &certificate_question);
    if (code != EXIT_DONE)
        return code;
    show_certificate(a->credential);
    if (a->private_key == NULL && credential_key_state(a->credential) != CREDENTIAL_KEY_ABSENT)
        return EXIT_DONE;
    if (a->private_key == NULL && !ask_is_possible())
        return cli_usage("init", "--private-key is missing: %s has no private key", a->certificate);
    return complete_file(a, &a->private_key, &key_question);
}

int answers_complete(struct answers *a)
{
    int code = complete_server(a);

    if (code == EXIT_DONE)
        code = complete_company(a);
    return code == EXIT_DONE ? complete_files(a) : code;
}

void answers_free(struct answers *a)
{
    free(a->server);
    free(a->company_id);
    free(a->certificate);
    free(a->private_key);
    free(a->passphrase_file);
    free(a->ca_file);
    free(a->listen);
    credential_unref(a->credential);
}
