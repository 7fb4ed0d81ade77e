#include <string.h>

#include "config/config.h"
#include "config/option.h"

enum { WIDTH = 100 };

/* "; " and the words of text, wrapped. */
static void add_comment(struct buf *out, const char *text)
{
    struct slice rest = slice_of(text);
    size_t column = 0;

    while (rest.n > 0) {
        struct slice word = slice_split(&rest, ' ');
        if (column == 0 || column + 1 + word.n > WIDTH) {
            buf_add_string(out, column == 0 ? ";" : "\n;");
            column = 1;
        }
        buf_add_string(out, " ");
        buf_add_slice(out, word);
        column += 1 + word.n;
    }
    buf_add_string(out, "\n");
}

static const char *example_of(const struct option *o)
{
    static const char *const examples[][2] = {
        {"admin", "localhost:8081"},
        {"company-id", "ACME"},
        {"server", "api4.successfactors.com"},
        {"certificate", "acme.pem"},
        {"private-key", "acme.key"},
        {"passphrase-file", "acme.pass"},
        {"passphrase-env", "ACME_PASSPHRASE"},
        {"ca-file", "corporate-ca.pem"},
        {"crl-file", "corporate-ca.crl"},
        {"callers-file", "acme.callers"},
        {"connect-to", "127.0.0.1:9443"},
        {"allow", "GET /odata/v2/*"},
        {"listen", "localhost:8090"},
        {"certificate-next", "acme-next.pem"},
        {"private-key-next", "acme-next.key"},
        {"passphrase-file-next", "acme-next.pass"},
        {"passphrase-env-next", "ACME_NEXT_PASSPHRASE"},
        {"passphrase-credential", "acme-passphrase"},
        {"passphrase-credential-next", "acme-next-passphrase"},
        {"local-ca", "ca"},
        {"user", "sfmtls"},
        {"allow-uid", "root, 1000"},
        {"socket-group", "1000"},
        {"connect-allow", "login.example.com:443"},
        {"caller-token-file", "caller-tokens"},
        {"host-names", "sfmtls.example.com"},
        {"allow-origin", "https://app.example.com"},
    };

    for (size_t i = 0; i < ARRAY_LEN(examples); i++)
        if (strcmp(examples[i][0], o->key) == 0)
            return examples[i][1];
    return "";
}

static void add_option(struct buf *out, const struct option *o)
{
    bool prefix = strcmp(o->key, "header.*") == 0;
    const char *key = prefix ? "header.X-Thing" : o->key;

    buf_add_string(out, "\n");
    add_comment(out, o->help);
    buf_addf(out, "; Type: %s. ", o->type);
    if (o->required)
        buf_add_string(out, "Required.");
    else if (o->fallback != NULL)
        buf_addf(out, "Default: %s.", o->fallback);
    else
        buf_add_string(out, "Default: none.");
    if (o->repeats)
        buf_add_string(out, " May be repeated.");
    const char *value = o->fallback != NULL ? o->fallback : prefix ? "value" : example_of(o);
    buf_addf(out, "\n;%s = %s\n", key, value);
}

void config_write_reference(struct buf *out)
{
    static const struct {
        enum option_section section;
        const char *title, *about;
    } sections[] = {
        {SECTION_PROXY, "[proxy]", "The process and its listeners."},
        {SECTION_TENANT, ";[tenant acme]",
         "A company, its server and its certificate. Write one section for each tenant, with a "
         "name "
         "of its own."},
    };
    size_t count;
    const struct option *options = option_table(&count);

    add_comment(out, "sfmtls configuration: every option, commented out, at its default.");
    add_comment(out, "Durations: 500ms, 30s, 7m, 1h. Sizes: 1024, 64k, 1m. Relative paths start at "
                     "this file's folder. A blank and ';' start a comment.");
    for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
        buf_add_string(out, "\n\n");
        add_comment(out, sections[s].about);
        buf_addf(out, "%s\n", sections[s].title);
        for (size_t i = 0; i < count; i++)
            if (options[i].section == sections[s].section)
                add_option(out, &options[i]);
    }
}
