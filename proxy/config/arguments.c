/* Settings of the command line: KEY=VALUE, or TENANT.KEY=VALUE. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/settings.h"

/* Other users of the machine can see a command line (ps), so it must not contain secrets. */
static const char *secret_flaw(const char *name, const char *key)
{
    if (strncmp(name, "header.", 7) == 0 || strstr(name, ".header.") != NULL)
        return "cannot be set by the command line, which other users see, because a field may hold "
               "a secret; write it into a configuration file";
    if (strcmp(key, "passphrase") == 0 || strcmp(key, "passphrase-next") == 0)
        return "cannot be set by the command line, which other users see; use passphrase-file, "
               "passphrase-env or passphrase-credential";
    return NULL;
}

static enum status refuse(const struct config_pair *p, const char *flaw, struct diag *why)
{
    diag_at(why, p->where, "`%s` %s", p->key, flaw);
    return ST_BAD_INPUT;
}

static enum status refuse_unknown(const struct config_pair *p, struct slice tenant, const char *key,
                                  struct diag *why)
{
    bool is_named = tenant.p != NULL;
    const char *nearest =
        is_named ? option_nearest(SECTION_TENANT, key) : option_nearest_of_all(key);

    if (nearest == NULL)
        return refuse(p, "is not an option; `sfmtls help config` lists all of them", why);
    diag_at(why, p->where, "`%s` is not an option; did you mean `%.*s%s%s`?", p->key, (int)tenant.n,
            is_named ? tenant.p : "", is_named ? "." : "", nearest);
    return ST_BAD_INPUT;
}

/* The last '.' ends the tenant's name: a tenant's name may contain dots, and a key contains
 * none. */
static enum status add(struct settings *s, const struct config_pair *p, struct diag *why)
{
    const char *dot = strrchr(p->key, '.');
    const char *key = dot == NULL ? p->key : dot + 1;
    struct slice name =
        dot == NULL ? (struct slice){NULL, 0} : (struct slice){p->key, (size_t)(dot - p->key)};
    const char *flaw = secret_flaw(p->key, key);

    if (flaw != NULL)
        return refuse(p, flaw, why);
    if (option_find(SECTION_TENANT, key) == NULL && option_find(SECTION_PROXY, key) == NULL)
        return refuse_unknown(p, name, key, why);
    char *tenant = dot == NULL ? NULL : mem_copy_bytes(name.p, name.n);
    enum status st = settings_add_named(s, FROM_ARGUMENTS, tenant, key, p->value, p->where, why);
    free(tenant);
    return st;
}

enum status arguments_add(struct settings *s, const struct config_pair *pairs, size_t count,
                          struct diag *why)
{
    for (size_t i = 0; i < count; i++) {
        enum status st = add(s, &pairs[i], why);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}
