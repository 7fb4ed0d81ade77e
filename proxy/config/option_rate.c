/* The option `rate`: how many requests per second are sent to a server. */
#include "config/option_set.h"

#include "base/mem.h"
#include "http/rules_path.h"

enum { LIMIT_MAX = 1000 };

static enum status refuse(struct slice item, const char *flaw, struct diag *why)
{
    diag_set(why, "`%.*s` %s; write PATH N/s, such as /rest/iam/scim/v2/* 20/s, or off",
             (int)item.n, item.p, flaw);
    return ST_BAD_INPUT;
}

/* Reads "20/s". */
static bool read_limit(struct slice text, uint64_t *limit)
{
    struct slice unit = text, number = slice_split(&unit, '/');

    return slice_eq(unit, SLICE("s")) && slice_to_u64(number, LIMIT_MAX, limit) && *limit > 0;
}

static const char *find_flaw(struct slice path)
{
    if (path.n == 0)
        return "has no path before the number";
    const char *flaw = pattern_find_flaw(path);
    if (flaw == NULL && rules_find_flaw(path) != NULL)
        return "has a path that could be read in two ways";
    return flaw;
}

static enum status add_rate(struct tenant *t, struct slice item, struct diag *why)
{
    struct slice path = item;
    uint64_t n;

    while (path.n > 0 && path.p[path.n - 1] != ' ' && path.p[path.n - 1] != '\t')
        path.n--;
    struct slice limit = {path.p + path.n, item.n - path.n};
    path = slice_trim(path);
    if (!read_limit(limit, &n))
        return refuse(item, "does not end in a number from 1 to 1000 and /s", why);
    const char *flaw = find_flaw(path);
    if (flaw != NULL)
        return refuse(item, flaw, why);
    for (size_t i = 0; i < t->nrates; i++)
        if (slice_eq(slice_of(t->rates[i].text), path))
            return refuse(item, "has a path that another `rate` of the tenant has", why);
    t->rates = mem_grow(t->rates, (t->nrates + 1) * sizeof(t->rates[0]));
    struct tenant_rate *new = &t->rates[t->nrates++];
    *new = (struct tenant_rate){
        .path = {.covers_batch = true}, .text = mem_copy_bytes(path.p, path.n), .limit = (size_t)n};
    pattern_set(&new->path, path);
    return ST_OK;
}

/* The first `rate` that is set removes the default ones. */
static void leave_default(struct tenant *t, const struct setting *s)
{
    if (t->has_default_rates)
        tenant_free_rates(t);
    t->has_default_rates = strcmp(s->where, OPTION_DEFAULT) == 0;
}

enum status option_set_rate(const struct option *o, void *section, const struct setting *s,
                            struct diag *why)
{
    struct tenant *t = section;
    struct slice rest = slice_of(s->value);
    enum status st = ST_OK;

    (void)o;
    leave_default(t, s);
    bool off = slice_eq(slice_trim(rest), SLICE("off"));
    if ((off && t->nrates > 0) || (!off && t->unlimited))
        return refuse(rest, "is beside `off` and a limit, which contradict each other", why);
    t->unlimited = off;
    while (!off && st == ST_OK && rest.p != NULL)
        st = add_rate(t, pattern_next_item(&rest), why);
    return st;
}
