#include "cli/import_parts.h"

struct property *import_take(const struct section *s, const char *key)
{
    struct property *p = destination_find(s->from, key);

    if (p != NULL)
        p->used = true;
    return p == NULL || p->value == NULL || *p->value == '\0' ? NULL : p;
}

bool import_says(const struct section *s, const char *key, const char *value)
{
    const struct property *p = import_take(s, key);

    return p != NULL && slice_eq_nocase(slice_of(p->value), slice_of(value));
}

void import_line(const struct section *s, const char *key, const char *value)
{
    buf_addf(s->out, "%s = %s\n", key, value);
}
