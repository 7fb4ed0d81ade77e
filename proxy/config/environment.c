/* Settings of the environment: SFMTLS_LOG_FORMAT=json means `log-format = json`. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/settings.h"

static const char prefix[] = VARIABLE_PREFIX, tenant_prefix[] = VARIABLE_TENANT;

/* What the name of a variable means. */
struct meaning {
    const struct option *option; /* NULL: no option */
    struct slice tenant;         /* as spelled in the variable; p NULL: it names no tenant */
};

/* ---- names ---- */

static const struct option *find_option(enum option_section section, struct slice name)
{
    size_t count;
    const struct option *options = option_table(&count);

    for (size_t i = 0; i < count; i++)
        if (options[i].section == section && !option_is_prefix(&options[i]) &&
            variable_is_of(name, options[i].key))
            return &options[i];
    return NULL;
}

static bool is_tenant(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!(name.p[i] >= 'A' && name.p[i] <= 'Z') && !(name.p[i] >= '0' && name.p[i] <= '9') &&
            name.p[i] != '_')
            return false;
    return name.n > 0;
}

/* Splits TENANT_OPTION. If several splits give an option, the longest option counts: it follows the
 * first such `_`. */
static struct meaning read_tenant(struct slice name)
{
    for (size_t i = 1; i < name.n; i++) {
        struct slice tenant = {name.p, i}, rest = {name.p + i + 1, name.n - i - 1};
        const struct option *o = name.p[i] == '_' ? find_option(SECTION_TENANT, rest) : NULL;
        if (o != NULL && is_tenant(tenant))
            return (struct meaning){o, tenant};
    }
    return (struct meaning){NULL, {NULL, 0}};
}

static bool begins(struct slice name, const char *beginning)
{
    size_t n = strlen(beginning);

    return name.n >= n && memcmp(name.p, beginning, n) == 0;
}

static struct slice behind(struct slice name, const char *beginning)
{
    size_t n = strlen(beginning);

    return (struct slice){name.p + n, name.n - n};
}

/* name is the variable's name without SFMTLS_. */
static struct meaning read_name(struct slice name)
{
    const struct option *o = find_option(SECTION_PROXY, name);

    if (o == NULL)
        o = find_option(SECTION_TENANT, name);
    if (o == NULL && begins(name, tenant_prefix))
        return read_tenant(behind(name, tenant_prefix));
    return (struct meaning){o, {NULL, 0}};
}

/* If a Service is called sfmtls, Kubernetes sets such variables in each container of its
 * namespace. */
static bool is_of_kubernetes(struct slice name)
{
    return begins(name, "SERVICE_") || begins(name, "PORT_") || slice_eq(name, SLICE("PORT"));
}

/* If the variable may be a setting, gives its value, and its name without SFMTLS_. */
static bool split(const char *variable, struct slice *name, const char **value)
{
    const char *sign = strchr(variable, '=');

    if (sign == NULL || strncmp(variable, prefix, strlen(prefix)) != 0)
        return false;
    *name = (struct slice){variable, (size_t)(sign - variable)};
    *value = sign + 1;
    *name = behind(*name, prefix);
    return !is_of_kubernetes(*name);
}

bool config_is_in_environment(const char *const *variables)
{
    struct slice name;
    const char *value;

    for (; variables != NULL && *variables != NULL; variables++)
        if (split(*variables, &name, &value))
            return true;
    return false;
}

/* ---- the order: variables have none, so they are sorted, which also sorts the tenants ---- */

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **sorted(const char *const *variables)
{
    size_t n = 0;

    while (variables != NULL && variables[n] != NULL)
        n++;
    const char **list = mem_new((n + 1) * sizeof(list[0]));
    if (n > 0)
        memcpy(list, variables, n * sizeof(list[0]));
    qsort(list, n, sizeof(list[0]), compare);
    return list;
}

/* ---- variables that mean an option ---- */

/* Writes a name as keys and tenants are written in the file. */
static char *lower_name(struct slice written)
{
    char *name = mem_copy_bytes(written.p, written.n);

    for (char *p = name; *p != '\0'; p++)
        *p = *p == '_' ? '-' : ascii_lower(*p);
    return name;
}

/* Finds a tenant of the file whose name gives the same variable, but is written differently (with
 * capitals, `_` or `.`), so that the variable cannot name it. */
static const struct settings_section *find_alike(const struct settings *s, const char *tenant)
{
    struct buf wanted = {0}, name = {0};
    const struct settings_section *found = NULL;

    variable_add_name(&wanted, tenant, "");
    for (size_t i = 0; i < s->count && found == NULL; i++) {
        name.n = 0;
        if (s->sections[i]->tenant != NULL && strcmp(s->sections[i]->tenant, tenant) != 0)
            variable_add_name(&name, s->sections[i]->tenant, "");
        if (slice_eq(buf_slice(&name), buf_slice(&wanted)))
            found = s->sections[i];
    }
    buf_free(&wanted);
    buf_free(&name);
    return found;
}

static enum status add(struct settings *s, const struct meaning *m, const char *variable,
                       const char *value, struct diag *why)
{
    char *tenant = m->tenant.p == NULL ? NULL : lower_name(m->tenant);
    const struct settings_section *alike = tenant == NULL ? NULL : find_alike(s, tenant);
    enum status st = ST_BAD_INPUT;

    if (alike != NULL && settings_find(s, tenant) == NULL)
        diag_at(why, variable,
                "means the tenant `%s`, but the configuration has `%s` (%s); write the name there "
                "in lower case with `-`, or set the option there",
                tenant, alike->tenant, alike->where);
    else
        st = settings_add_named(s, FROM_ENVIRONMENT, tenant, m->option->key, value, variable, why);
    free(tenant);
    return st;
}

enum status environment_add(struct settings *s, const char *const *variables, struct diag *why)
{
    const char **list = sorted(variables);
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && list[i] != NULL; i++) {
        struct slice name;
        const char *value;
        if (!split(list[i], &name, &value))
            continue;
        struct meaning m = read_name(name);
        char *variable = mem_copy_bytes(list[i], (size_t)(value - 1 - list[i]));
        if (m.option != NULL)
            st = add(s, &m, variable, value, why);
        free(variable);
    }
    free(list);
    return st;
}

/* ---- variables that mean nothing ---- */

/* Does a passphrase-env, or a similar option, name this variable? */
static bool is_named_by_setting(const struct settings *s, const char *variable)
{
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->sections[i]->count; k++)
            if (strncmp(s->sections[i]->entries[k].key, "passphrase-env", 14) == 0 &&
                strcmp(s->sections[i]->entries[k].value, variable) == 0)
                return true;
    return false;
}

/* Splits TENANT_OPTION in all ways, and takes the shortest rest that is similar to an option. */
static bool add_nearest_of_tenant(struct buf *out, struct slice name)
{
    const char *nearest = NULL;

    for (size_t i = name.n - 1; nearest == NULL && i > 0; i--) {
        char *key = lower_name((struct slice){name.p + i + 1, name.n - i - 1});
        char *tenant = lower_name((struct slice){name.p, i});
        if (name.p[i] == '_')
            nearest = option_nearest(SECTION_TENANT, key);
        if (nearest != NULL)
            variable_add_name(out, tenant, nearest);
        free(tenant);
        free(key);
    }
    return nearest != NULL;
}

static bool add_nearest(struct buf *out, struct slice name)
{
    char *key = lower_name(name);
    const char *nearest = option_nearest_of_all(key);

    free(key);
    if (begins(name, tenant_prefix) && name.n > strlen(tenant_prefix))
        return add_nearest_of_tenant(out, behind(name, tenant_prefix));
    if (nearest != NULL)
        variable_add_name(out, NULL, nearest);
    return nearest != NULL;
}

static enum status refuse(const char *variable, struct slice name, struct diag *why)
{
    struct buf nearest = {0};

    if (begins(name, "HEADER_"))
        diag_at(why, variable, "header.* can be set in a configuration file only; write it there");
    else if (slice_eq(name, SLICE("PASSPHRASE")))
        diag_at(why, variable,
                "nothing uses this variable; name it with SFMTLS_PASSPHRASE_ENV=SFMTLS_PASSPHRASE, "
                "or unset it");
    else if (add_nearest(&nearest, name))
        diag_at(why, variable, "no option has this name; did you mean %.*s?", (int)nearest.n,
                nearest.p);
    else
        diag_at(why, variable,
                "no option has this name; unset it, or take an option that `sfmtls help config` "
                "lists, in capitals with `_` for `-`");
    buf_free(&nearest);
    return ST_BAD_INPUT;
}

enum status environment_check(const struct settings *s, const char *const *variables,
                              struct diag *why)
{
    const char **list = sorted(variables);
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && list[i] != NULL; i++) {
        struct slice name;
        const char *value;
        if (!split(list[i], &name, &value) || read_name(name).option != NULL)
            continue;
        char *variable = mem_copy_bytes(list[i], (size_t)(value - 1 - list[i]));
        if (!is_named_by_setting(s, variable))
            st = refuse(variable, name, why);
        free(variable);
    }
    free(list);
    return st;
}
