#include "config/fixed.h"
#include "config/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/load_parts.h"
#include "config/option.h"
#include "config/reader.h"

/* ---- settings ---- */

static void *section_of(const struct loader *l)
{
    return l->tenant == NULL ? (void *)l->config : (void *)l->tenant;
}

static char **places_of(struct loader *l)
{
    return l->tenant == NULL ? l->config->set_at : l->tenant->set_at;
}

static enum option_section kind_of(const struct loader *l)
{
    return l->tenant == NULL ? SECTION_PROXY : SECTION_TENANT;
}

static enum status apply_defaults(struct loader *l, struct diag *why)
{
    size_t count;
    const struct option *options = option_table(&count);

    for (size_t i = 0; i < count; i++) {
        const struct option *o = &options[i];
        if (o->section != kind_of(l) || o->fallback == NULL)
            continue;
        struct setting s = {o->key, o->fallback, OPTION_DEFAULT, ""};
        enum status st = o->set(o, section_of(l), &s, why);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

static void note_file(const struct loader *l, const struct option *o, const struct setting *s)
{
    static const enum config_file_use uses[] = {
        [OPTION_READS] = FILE_READ, [OPTION_APPENDS] = FILE_APPENDED, [OPTION_APART] = FILE_APART};
    char *const *path = (char *const *)(const void *)((const char *)section_of(l) + o->offset);

    if (o->file != OPTION_NO_FILE && *path != NULL)
        load_name_file(l->config, uses[o->file], o->key, *path, s->where);
}

/* If the option is repeated, the first place is kept. */
static void note_place(struct loader *l, const struct option *o, const struct settings_entry *e)
{
    char **place = &places_of(l)[option_index(o->section, o->key)];

    if (*place == NULL)
        *place = mem_copy_string(e->where);
}

/* Settings of the file are left out, because whoever reads the file sees them. */
static void note_given(const struct loader *l, const struct settings_entry *e)
{
    struct config *c = l->config;

    if (e->source == FROM_FILE)
        return;
    c->given = mem_grow(c->given, (c->ngiven + 1) * sizeof(c->given[0]));
    c->given[c->ngiven++] = (struct config_given){
        mem_copy_string(l->tenant == NULL ? NULL : l->tenant->name), mem_copy_string(e->key),
        mem_copy_string(e->value), mem_copy_string(e->where), mem_copy_string(e->replaced)};
}

static enum status set(struct loader *l, const struct settings_entry *e, struct diag *why)
{
    const struct option *o = option_find(kind_of(l), e->key);
    struct setting s = {e->key, e->value, e->where, e->source == FROM_FILE ? l->folder : ""};
    enum status st = ST_OK;

    note_place(l, o, e);
    note_given(l, e);
    if (strcmp(e->key, "listen") == 0)
        st = load_add_listens(l, &s, why);
    if (st == ST_OK)
        st = o->set(o, section_of(l), &s, why);
    if (st == ST_OK)
        note_file(l, o, &s);
    if (st == ST_OK)
        fixed_note(l->config, o, e->value);
    if (st != ST_OK && strncmp(why->text, e->key, strlen(e->key)) != 0 && why->text[0] == '`')
        diag_place(why, e->key);
    if (st != ST_OK)
        diag_place(why, e->where);
    return st;
}

/* ---- sections ---- */

static void begin_tenant(struct loader *l, const struct settings_section *section)
{
    struct config *c = l->config;
    bool is_of_variables = section->source == FROM_ENVIRONMENT; /* no one of them is its place */

    l->tenant = NEW(struct tenant);
    l->tenant->name = mem_copy_string(section->tenant);
    l->tenant->where = mem_copy_string(is_of_variables ? "the environment" : section->where);
    c->tenants = mem_grow(c->tenants, (c->ntenants + 1) * sizeof(struct tenant *));
    c->tenants[c->ntenants++] = l->tenant;
}

static enum status load_section(struct loader *l, const struct settings_section *section,
                                struct diag *why)
{
    enum status st = ST_OK;

    l->section = section;
    if (section->tenant != NULL) {
        begin_tenant(l, section);
        st = apply_defaults(l, why);
    }
    for (size_t i = 0; st == ST_OK && i < section->count; i++)
        st = set(l, &section->entries[i], why);
    if (st == ST_OK && l->tenant != NULL)
        st = load_complete_tenant(l, why);
    l->tenant = NULL;
    return st;
}

/* ---- the file ---- */

struct file {
    const char *path;
    struct settings *settings;
    struct settings_section *section; /* the section being read; NULL: none yet */
};

static enum status refuse_second(const struct settings_section *first, struct diag *why)
{
    diag_set(why, "[%s%s] appears a second time (first at %s); join the two sections",
             first->tenant == NULL ? "proxy" : "tenant ",
             first->tenant == NULL ? "" : first->tenant, first->where);
    return ST_BAD_INPUT;
}

static enum status begin_section(struct file *f, const char *tenant, int line, struct diag *why)
{
    const struct settings_section *first = settings_find(f->settings, tenant);

    if (first != NULL)
        return refuse_second(first, why);
    char *where = mem_format("%s:%d", f->path, line);
    enum status st = settings_begin(f->settings, tenant, where, FROM_FILE, &f->section, why);
    free(where);
    return st;
}

static enum status on_section(void *ctx, const char *title, int line, struct diag *why)
{
    struct slice rest = slice_of(title);

    if (strcmp(title, "proxy") == 0)
        return begin_section(ctx, NULL, line, why);
    if (!slice_eq(slice_split(&rest, ' '), SLICE("tenant"))) {
        diag_set(why, "unknown section [%s]; write [proxy] or [tenant NAME]", title);
        return ST_BAD_INPUT;
    }
    rest = slice_trim(rest);
    if (rest.n == 0) {
        diag_set(why, "the section lacks the tenant name; write [tenant NAME]");
        return ST_BAD_INPUT;
    }
    char *name = mem_copy_bytes(rest.p, rest.n);
    enum status st = begin_section(ctx, name, line, why);
    free(name);
    return st;
}

static enum status on_setting(void *ctx, const char *key, const char *value, int line,
                              struct diag *why)
{
    struct file *f = ctx;

    if (f->section == NULL) {
        diag_set(why, "`%s` is set before the first section; begin with [proxy] or [tenant NAME]",
                 key);
        return ST_BAD_INPUT;
    }
    char *where = mem_format("%s:%d", f->path, line);
    enum status st = settings_add(f->section, FROM_FILE, key, value, where, why);
    free(where);
    return st;
}

static enum status read_file(struct settings *s, const char *path, struct diag *why)
{
    static const struct reader_sink sink = {on_section, on_setting};
    struct file f = {path, s, NULL};

    return reader_run(path, &sink, &f, why);
}

/* ---- the whole ---- */

/* Warns about two tenants that a request cannot tell apart. */
static void note_twins(const struct loader *l)
{
    const struct config *c = l->config;

    for (size_t i = 1; i < c->ntenants; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct tenant *a = c->tenants[k], *b = c->tenants[i];
            if (strcmp(a->company_id, b->company_id) == 0 &&
                strcmp(a->server.host, b->server.host) == 0 && a->server.port == b->server.port &&
                !load_has_listener(c, (int)k) && !load_has_listener(c, (int)i))
                load_note(
                    l->config, LOG_WARNING,
                    mem_format("%s: tenants %s and %s have the same company and server, so no "
                               "request can name one of them; give each a listen of its own",
                               b->where, a->name, b->name));
        }
    }
}

static void note_sockets(struct config *c, const struct listen_address *list, size_t n,
                         const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (address_is_unix(&list[i].address))
            load_name_file(c, FILE_SOCKET, key, list[i].address.local.sun_path, list[i].where);
}

static enum status refuse_nothing(const struct config_sources *from, struct diag *why)
{
    if (from->file != NULL)
        diag_at(why, from->file,
                "names no tenant; add a section [tenant NAME] with company-id, server and "
                "certificate");
    else
        diag_set(why, "no tenant is configured; set SFMTLS_COMPANY_ID, SFMTLS_SERVER and "
                      "SFMTLS_CERTIFICATE, or name a configuration file with -c");
    return ST_BAD_INPUT;
}

static enum status finish(struct loader *l, const struct config_sources *from, struct diag *why)
{
    enum status st = load_check_remote(l, why);

    if (st == ST_OK)
        st = load_tokens(l, why);
    if (st == ST_OK)
        st = load_check_stores(l, why);
    if (st == ST_OK && l->config->ntenants == 0)
        st = refuse_nothing(from, why);
    if (st == ST_OK)
        st = load_parents(l, why);
    if (st == ST_OK)
        st = load_check_listens(l, why);
    if (st == ST_OK) {
        note_sockets(l->config, l->config->listens, l->config->nlistens, "listen");
        note_sockets(l->config, l->config->admins, l->config->nadmins, "admin");
        note_twins(l);
        load_check_access(l);
        st = load_check_connect(l, why);
    }
    return st;
}

static enum status start(struct loader *l, const char *file, struct diag *why)
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');

    l->config = config_new();
    l->config->begun_us = clock_wall_us();
    l->config->file = mem_copy_string(file);
    if (file != NULL)
        load_name_file(l->config, FILE_READ, "-c", file, NULL);
    l->folder =
        slash == NULL ? mem_copy_string("") : mem_copy_bytes(file, (size_t)(slash + 1 - file));
    return apply_defaults(l, why);
}

static enum status end(struct loader *l, enum status st, struct config **out)
{
    for (size_t i = 0; i < l->ntrusts; i++)
        trust_unref(l->trusts[i]);
    free(l->trusts);
    free(l->folder);
    if (st == ST_OK)
        *out = l->config;
    else
        config_unref(l->config);
    return st;
}

/* Reads the sources from the weakest to the strongest. */
static enum status read_sources(struct settings *s, const struct config_sources *from,
                                struct diag *why)
{
    enum status st = from->file == NULL ? ST_OK : read_file(s, from->file, why);

    if (st == ST_OK)
        st = environment_add(s, from->environment, why);
    if (st == ST_OK)
        st = arguments_add(s, from->arguments, from->narguments, why);
    if (st == ST_OK)
        st = environment_check(s, from->environment, why);
    return st == ST_OK ? settings_check(s, why) : st;
}

static enum status load(struct loader *l, const struct config_sources *from, struct config **out,
                        struct diag *why)
{
    struct settings s = {0};
    /* first, because the mark of the file has to be taken before its text is read */
    enum status st = start(l, from->file, why);

    if (st == ST_OK)
        st = (l->admin_only ? load_read_admin : read_sources)(&s, from, why);
    for (size_t i = 0; st == ST_OK && i < s.count; i++)
        if (s.sections[i]->tenant == NULL || !l->admin_only)
            st = load_section(l, s.sections[i], why);
    if (st == ST_OK && !l->admin_only)
        st = finish(l, from, why);
    settings_free(&s);
    return end(l, st, out);
}

enum status config_load_from(const struct config_sources *from, config_ask *ask, void *ask_ctx,
                             struct config **out, struct diag *why)
{
    struct loader l = {.ask = ask, .ask_ctx = ask_ctx};

    return load(&l, from, out, why);
}

enum status config_load_names_from(const struct config_sources *from, struct config **out,
                                   struct diag *why)
{
    struct loader l = {.names_only = true};

    return load(&l, from, out, why);
}

enum status config_load_admin_from(const struct config_sources *from, struct config **out,
                                   struct diag *why)
{
    struct loader l = {.names_only = true, .admin_only = true};

    return load(&l, from, out, why);
}

enum status config_load(const char *path, config_ask *ask, void *ask_ctx, struct config **out,
                        struct diag *why)
{
    return config_load_from(&(struct config_sources){.file = path}, ask, ask_ctx, out, why);
}

enum status config_load_flawed(const struct config_sources *from, config_ask *ask, void *ask_ctx,
                               struct config **out, struct diag *why)
{
    struct loader l = {.ask = ask, .ask_ctx = ask_ctx, .keeps_flaws = true};

    return load(&l, from, out, why);
}
