#include "base/mem.h"
#include "config/load_parts.h"

static void note_callers(struct loader *l)
{
    const struct tenant *t = l->tenant;
    const char *path = t->callers_file;
    int stranger = callers_stranger(t->callers, t->company_id);

    if (load_is_open_to_others(path))
        load_note(l->config, LOG_WARNING,
                  mem_format("%s: every user of the machine may read the hashes and try passwords "
                             "on them; chmod o-r %s",
                             path, path));
    if (stranger > 0)
        load_note(l->config, LOG_WARNING,
                  mem_format("%s:%d: the user names another company than %s, so no request of "
                             "that user is this tenant's",
                             path, stranger, t->company_id));
    if (t->keep_authorization)
        load_note(l->config, LOG_WARNING,
                  mem_format("%s: credentials that are checked here are never sent on, so "
                             "authorization = keep does nothing",
                             tenant_where(l->tenant, "callers-file")));
    if (callers_costs_differ(t->callers))
        load_note(l->config, LOG_WARNING,
                  mem_format("%s: the hashes are of different costs, so the time of a refusal may "
                             "tell whether a user is known; set the passwords again at one cost",
                             path));
}

enum status load_callers(struct loader *l, struct diag *why)
{
    struct tenant *t = l->tenant;

    if (t->callers_file == NULL)
        return ST_OK;
    enum status st = callers_load(t->callers_file, &t->callers, why);
    if (st == ST_OK)
        note_callers(l);
    else
        diag_place(why, tenant_where(l->tenant, "callers-file"));
    return st;
}
