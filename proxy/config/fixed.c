#include "config/fixed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct config_fixed *find(const struct config *c, const struct option *o)
{
    for (size_t i = 0; i < c->nfixed; i++)
        if (c->fixed[i].option == o)
            return &c->fixed[i];
    return NULL;
}

void fixed_note(struct config *c, const struct option *o, const char *value)
{
    const struct config_fixed *before = find(c, o);

    if (o->reload != OPTION_AT_START)
        return;
    if (before != NULL) {
        struct config_fixed *f = &c->fixed[before - c->fixed];
        char *longer = mem_format("%s, %s", f->written, value);
        free(f->written);
        f->written = longer;
        return;
    }
    c->fixed = mem_grow(c->fixed, (c->nfixed + 1) * sizeof(c->fixed[0]));
    c->fixed[c->nfixed++] = (struct config_fixed){o, mem_copy_string(value)};
}

static const char *written(const struct config *c, const struct option *o)
{
    const struct config_fixed *f = find(c, o);

    if (f != NULL)
        return f->written;
    return o->fallback == NULL ? "" : o->fallback;
}

void fixed_compare(const struct config *a, const struct config *b, void (*differs)(const char *key))
{
    size_t count;
    const struct option *options = option_table(&count);

    for (size_t i = 0; i < count; i++)
        if (options[i].reload == OPTION_AT_START &&
            strcmp(written(a, &options[i]), written(b, &options[i])) != 0)
            differs(options[i].key);
}

void fixed_free(struct config *c)
{
    for (size_t i = 0; i < c->nfixed; i++)
        free(c->fixed[i].written);
    free(c->fixed);
}
