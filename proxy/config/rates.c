#include <stdlib.h>

#include "config/config.h"

void tenant_free_rates(struct tenant *t)
{
    for (size_t i = 0; i < t->nrates; i++) {
        pattern_free(&t->rates[i].path);
        free(t->rates[i].text);
    }
    free(t->rates);
    t->rates = NULL;
    t->nrates = 0;
}

const struct tenant_rate *tenant_find_rate(const struct tenant *t, struct slice path)
{
    for (size_t i = 0; i < t->nrates; i++)
        if (pattern_fits(&t->rates[i].path, path))
            return &t->rates[i];
    return NULL;
}

void tenant_write_rate(const struct tenant_rate *r, struct buf *out)
{
    buf_addf(out, "%s %zu/s", r->text, r->limit);
}
