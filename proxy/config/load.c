#include "config/fixed.h"
#include "config/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/load_parts.h"
#include "config/option.h"
#include "config/reader.h"
#include "http/chars.h"

enum { MAX_TENANT_NAME = 32 };

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
        struct setting s = {o->key, o->fallback, "default", ""};
        enum status st = o->set(o, section_of(l), &s, why);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

static const char *section_title(const struct loader *l)
{
    return l->tenant == NULL ? "[proxy]" : "a [tenant] section";
}

static enum status unknown_key(const struct loader *l, const char *key, struct diag *why)
{
    const char *nearest = option_nearest(kind_of(l), key);
    enum option_section other = l->tenant == NULL ? SECTION_TENANT : SECTION_PROXY;
    const struct option *elsewhere = option_find(other, key);

    if (elsewhere != NULL)
        diag_set(why, "`%s` belongs into %s, not into %s", key,
                 other == SECTION_PROXY ? "[proxy]" : "a [tenant NAME] section", section_title(l));
    else if (nearest != NULL)
        diag_set(why, "unknown key `%s` in %s; did you mean `%s`?", key, section_title(l), nearest);
    else
        diag_set(why, "unknown key `%s` in %s; `sfmtls help config` lists all keys", key,
                 section_title(l));
    return ST_BAD_INPUT;
}

/* Notes where the option is set; of one that repeats, the first place. */
static enum status note_place(struct loader *l, const struct option *o, const char *key,
                              const char *where, struct diag *why)
{
    char **place = &places_of(l)[option_index(o->section, o->key)];

    if (*place != NULL && !o->repeats && !option_is_prefix(o)) {
        diag_set(why, "`%s` is set a second time (first at %s); keep one of the lines", key,
                 *place);
        return ST_BAD_INPUT;
    }
    if (*place == NULL)
        *place = mem_copy_string(where);
    return ST_OK;
}

static void note_file(const struct loader *l, const struct option *o, const struct setting *s)
{
    char *const *path = (char *const *)(const void *)((const char *)section_of(l) + o->offset);

    if (o->file != OPTION_NO_FILE && *path != NULL)
        load_name_file(l->config, o->file == OPTION_READS ? FILE_READ : FILE_APPENDED, o->key,
                       *path, s->where);
}

static enum status set(struct loader *l, const char *key, const char *value, const char *where,
                       struct diag *why)
{
    const struct option *o = option_find(kind_of(l), key);
    struct setting s = {key, value, where, l->folder};

    if (!l->in_section) {
        diag_set(why, "`%s` is set before the first section; begin with [proxy] or [tenant NAME]",
                 key);
        return ST_BAD_INPUT;
    }
    if (o == NULL)
        return unknown_key(l, key, why);
    if (*value == '\0') {
        diag_set(why, "`%s` has no value; give one or take the line out", key);
        return ST_BAD_INPUT;
    }
    enum status st = note_place(l, o, key, where, why);
    if (st == ST_OK && strcmp(key, "listen") == 0)
        st = load_add_listens(l, &s, why);
    if (st == ST_OK)
        st = o->set(o, section_of(l), &s, why);
    if (st == ST_OK)
        note_file(l, o, &s);
    if (st == ST_OK)
        fixed_note(l->config, o, value);
    if (st != ST_OK && strncmp(why->text, key, strlen(key)) != 0 && why->text[0] == '`')
        diag_place(why, key);
    return st;
}

/* ---- the end of a section ---- */

static enum status end_section(struct loader *l, struct diag *why)
{
    enum status st = l->tenant == NULL ? ST_OK : load_complete_tenant(l, why);

    l->tenant = NULL;
    l->in_section = false;
    return st;
}

/* ---- sections ---- */

static bool is_tenant_name(struct slice name)
{
    return name.n > 0 && name.n <= MAX_TENANT_NAME && chars_are(name, CHAR_HOST);
}

static enum status begin_tenant(struct loader *l, struct slice name, const char *where,
                                struct diag *why)
{
    struct config *c = l->config;

    if (name.n == 0) {
        diag_set(why, "the section lacks the tenant name; write [tenant NAME]");
        return ST_BAD_INPUT;
    }
    if (!is_tenant_name(name)) {
        diag_set(why, "`%.*s` is not a tenant name; use 1 to %d of A-Z a-z 0-9 . _ -", (int)name.n,
                 name.p, MAX_TENANT_NAME);
        return ST_BAD_INPUT;
    }
    for (size_t i = 0; i < c->ntenants; i++) {
        if (slice_eq(slice_of(c->tenants[i]->name), name)) {
            diag_set(why, "[tenant %s] appears a second time (first at %s); join the two sections",
                     c->tenants[i]->name, c->tenants[i]->where);
            return ST_BAD_INPUT;
        }
    }
    l->tenant = NEW(struct tenant);
    l->tenant->name = mem_copy_bytes(name.p, name.n);
    l->tenant->where = mem_copy_string(where);
    c->tenants = mem_grow(c->tenants, (c->ntenants + 1) * sizeof(struct tenant *));
    c->tenants[c->ntenants++] = l->tenant;
    l->in_section = true;
    return apply_defaults(l, why);
}

static enum status begin_section(struct loader *l, const char *title, const char *where,
                                 struct diag *why)
{
    struct slice rest = slice_of(title);

    if (strcmp(title, "proxy") == 0) {
        if (l->proxy_seen) {
            diag_set(why, "[proxy] appears a second time (first at %s); join the two sections",
                     l->proxy_where);
            return ST_BAD_INPUT;
        }
        l->proxy_seen = true;
        l->proxy_where = mem_copy_string(where);
        l->in_section = true;
        return ST_OK;
    }
    if (slice_eq(slice_split(&rest, ' '), SLICE("tenant")))
        return begin_tenant(l, slice_trim(rest), where, why);
    diag_set(why, "unknown section [%s]; write [proxy] or [tenant NAME]", title);
    return ST_BAD_INPUT;
}

/* ---- the whole ---- */

/* Two tenants between which no request can tell the difference. */
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

static enum status finish(struct loader *l, struct diag *why)
{
    enum status st = end_section(l, why);

    if (st == ST_OK)
        st = load_check_remote(l, why);
    if (st == ST_OK)
        st = load_tokens(l, why);
    if (st == ST_OK && l->config->ntenants == 0) {
        diag_at(why, l->file,
                "names no tenant; add a section [tenant NAME] with company-id, server and "
                "certificate");
        st = ST_BAD_INPUT;
    }
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
    l->file = file;
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
    free(l->proxy_where);
    if (st == ST_OK)
        *out = l->config;
    else
        config_unref(l->config);
    return st;
}

/* A sentence of the end of a section names its own line; the reader's would be the next one's. */
struct file_loader {
    struct loader loader;
    bool located;
    struct diag located_why;
};

static enum status on_section(void *ctx, const char *name, int line, struct diag *why)
{
    struct file_loader *f = ctx;
    enum status st = end_section(&f->loader, why);

    if (st != ST_OK) {
        f->located = true;
        f->located_why = *why;
        return st;
    }
    char *where = mem_format("%s:%d", f->loader.file, line);
    st = begin_section(&f->loader, name, where, why);
    free(where);
    return st;
}

static enum status on_setting(void *ctx, const char *key, const char *value, int line,
                              struct diag *why)
{
    struct file_loader *f = ctx;
    char *where = mem_format("%s:%d", f->loader.file, line);
    enum status st = set(&f->loader, key, value, where, why);

    free(where);
    return st;
}

static enum status load_file(struct file_loader *f, const char *path, struct config **out,
                             struct diag *why)
{
    static const struct reader_sink sink = {on_section, on_setting};
    enum status st = start(&f->loader, path, why);

    if (st == ST_OK)
        st = reader_run(path, &sink, f, why);
    if (f->located)
        *why = f->located_why;
    if (st == ST_OK)
        st = finish(&f->loader, why);
    return end(&f->loader, st, out);
}

enum status config_load(const char *path, config_ask *ask, void *ask_ctx, struct config **out,
                        struct diag *why)
{
    struct file_loader f = {.loader = {.ask = ask, .ask_ctx = ask_ctx}};

    return load_file(&f, path, out, why);
}

enum status config_load_flawed(const char *path, config_ask *ask, void *ask_ctx,
                               struct config **out, struct diag *why)
{
    struct file_loader f = {.loader = {.ask = ask, .ask_ctx = ask_ctx, .keeps_flaws = true}};

    return load_file(&f, path, out, why);
}

enum status config_load_names(const char *path, struct config **out, struct diag *why)
{
    struct file_loader f = {.loader = {.names_only = true}};

    return load_file(&f, path, out, why);
}

enum status config_from_pairs(const struct config_pair *pairs, size_t count, config_ask *ask,
                              void *ask_ctx, struct config **out, struct diag *why)
{
    struct loader l = {.ask = ask, .ask_ctx = ask_ctx};
    enum status st = start(&l, NULL, why);
    const char *section = "";

    for (size_t i = 0; st == ST_OK && i < count; i++) {
        if (strcmp(section, pairs[i].section) != 0) {
            section = pairs[i].section;
            st = end_section(&l, why);
            if (st == ST_OK)
                st = begin_section(&l, section, "command line", why);
        }
        if (st == ST_OK)
            st = set(&l, pairs[i].key, pairs[i].value, pairs[i].where, why);
        if (st != ST_OK)
            diag_place(why, pairs[i].where);
    }
    if (st == ST_OK)
        st = finish(&l, why);
    return end(&l, st, out);
}
