#include <string.h>

#include "config/config.h"
#include "config/option.h"

enum { WIDTH = 100 };

/* Adds text as comment lines ("; "), wrapped between words. */
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

static void add_option(struct buf *out, const struct option *o)
{
    const char *key = strcmp(o->key, "header.*") == 0 ? "header.X-Thing" : o->key;

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
    if (o->reload == OPTION_AT_START)
        buf_add_string(out, " Reload: at the next start only.");
    const char *value = o->fallback != NULL ? o->fallback : o->example != NULL ? o->example : "";
    buf_addf(out, "\n;%s = %s\n", key, value);
}

static const struct {
    enum option_section section;
    const char *title, *about;
} sections[] = {
    {SECTION_PROXY, "[proxy]", "The process and its listeners."},
    {SECTION_TENANT, ";[tenant acme]",
     "A company, its server and its certificate. Write one section for each tenant, with a name "
     "of its own."},
};

bool config_write_option(const char *key, struct buf *out)
{
    bool found = false;

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        const struct option *o = option_find(sections[i].section, key);
        if (o == NULL)
            continue;
        buf_addf(out, "%s%s\n", found ? "\n" : "", sections[i].title);
        add_option(out, o);
        found = true;
    }
    return found;
}

void config_write_reference(struct buf *out)
{
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
