#include "config/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/option.h"
#include "config/reader.h"
#include "http/chars.h"
#include "sf/hosts.h"

enum { MAX_TENANT_NAME = 32, MAX_OPTIONS = 128 };

/* A configuration while it is read. */
struct loader {
    struct config *config;
    const char *file; /* NULL: settings come from the command line */
    char *folder;     /* of the file */
    bool proxy_seen;
    char *proxy_where;
    struct tenant *tenant; /* whose section is read; NULL: [proxy] or none */
    bool in_section;
    char *wheres[MAX_OPTIONS]; /* of the current section's settings, by option */
    struct trust **trusts;
    size_t ntrusts;
    config_ask *ask;
    void *ask_ctx;
};

/* ---- settings ---- */

static void forget_wheres(struct loader *l)
{
    for (size_t i = 0; i < MAX_OPTIONS; i++) {
        free(l->wheres[i]);
        l->wheres[i] = NULL;
    }
}

static void *section_of(struct loader *l)
{
    return l->tenant == NULL ? (void *)l->config : (void *)l->tenant;
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

static enum status add_listens(struct loader *l, const struct setting *s, struct diag *why)
{
    struct config *c = l->config;
    struct slice rest = slice_of(s->value);

    while (rest.n > 0) {
        struct slice item = slice_trim(slice_split(&rest, ','));
        char *text = mem_copy_bytes(item.p, item.n);
        struct listen_address a = {.tenant = l->tenant == NULL ? -1 : (int)c->ntenants - 1};
        enum status st = address_parse(text, &a.address, why);
        free(text);
        if (st != ST_OK)
            return st;
        if (!address_is_loopback(&a.address)) {
            diag_set(why,
                     "`%.*s` can be reached from other machines, which is not served yet; "
                     "listen on 127.0.0.1, [::1] or a Unix socket",
                     (int)item.n, item.p);
            return ST_BAD_INPUT;
        }
        a.where = mem_copy_string(s->where);
        c->listens = mem_grow(c->listens, (c->nlistens + 1) * sizeof(c->listens[0]));
        c->listens[c->nlistens++] = a;
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

static enum status check_repetition(struct loader *l, const struct option *o, const char *key,
                                    const char *where, struct diag *why)
{
    size_t count, i = (size_t)(o - option_table(&count));

    if (l->wheres[i] != NULL && !o->repeats && o->key[strlen(o->key) - 1] != '*') {
        diag_set(why, "`%s` is set a second time (first at %s); keep one of the lines", key,
                 l->wheres[i]);
        return ST_BAD_INPUT;
    }
    free(l->wheres[i]);
    l->wheres[i] = mem_copy_string(where);
    return ST_OK;
}

static enum status set(struct loader *l, const char *key, const char *value, const char *where,
                       struct diag *why)
{
    const struct option *o = option_find(kind_of(l), key);
    struct setting s = {key, value, where, l->folder};

    if (!l->in_section) {
        diag_set(why, "`%s` stands before the first section; begin with [proxy] or [tenant NAME]",
                 key);
        return ST_BAD_INPUT;
    }
    if (o == NULL)
        return unknown_key(l, key, why);
    if (o->later) {
        diag_set(why, "`%s` is not served by this version of sfmtls; take the line out", key);
        return ST_BAD_INPUT;
    }
    if (*value == '\0') {
        diag_set(why, "`%s` has no value; give one or take the line out", key);
        return ST_BAD_INPUT;
    }
    enum status st = check_repetition(l, o, key, where, why);
    if (st == ST_OK && strcmp(key, "listen") == 0)
        st = add_listens(l, &s, why);
    if (st == ST_OK)
        st = o->set(o, section_of(l), &s, why);
    if (st != ST_OK && strncmp(why->text, key, strlen(key)) != 0 && why->text[0] == '`')
        diag_prefix(why, "%s", key);
    return st;
}

/* ---- the end of a section ---- */

static const char *where_of(const struct loader *l, const char *key)
{
    size_t count, i = (size_t)(option_find(SECTION_TENANT, key) - option_table(&count));

    return l->wheres[i];
}

static enum status check_required(const struct loader *l, struct diag *why)
{
    size_t count;
    const struct option *options = option_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (options[i].section != SECTION_TENANT || !options[i].required || l->wheres[i] != NULL)
            continue;
        diag_set(why, "%s: the tenant has no `%s`; add the line `%s = ...`", l->tenant->where,
                 options[i].key, options[i].key);
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

static void add_name(struct tenant *t, const char *name, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(t->names[i], name) == 0)
            return;
    t->names = mem_grow(t->names, (*count + 2) * sizeof(t->names[0]));
    t->names[(*count)++] = mem_copy_string(name);
    t->names[*count] = NULL;
}

/* Takes the sentence. */
static void note(struct config *c, enum log_level level, char *sentence)
{
    c->notes = mem_grow(c->notes, (c->nnotes + 1) * sizeof(c->notes[0]));
    c->notes[c->nnotes++] = (struct config_note){level, sentence};
}

static void warn_about_host(const struct loader *l, const struct sf_lookup *found)
{
    const struct tenant *t = l->tenant;

    if (found->kind == SF_UI)
        note(l->config, LOG_WARNING,
             mem_format("%s: %s serves the user interface, not the APIs; use the API server of "
                        "your data center, which `sfmtls hosts` lists",
                        where_of(l, "server"), t->server.host));
    else if (found->kind == SF_API && !found->certain)
        note(l->config, LOG_WARNING,
             mem_format("%s: the certificate host of %s is not documented; %s is assumed "
                        "(server-as-is = yes switches that off)",
                        where_of(l, "server"), found->api_host, found->certificate_host));
}

/* The host to call and the names it goes by. */
static void derive_server(const struct loader *l)
{
    struct tenant *t = l->tenant;
    struct sf_lookup found = sf_lookup_host(t->server.host);
    size_t names = 0, nhosts;
    const struct sf_host *hosts = sf_hosts(&nhosts);

    bool derived = found.kind == SF_API && !t->server_as_is;

    add_name(t, t->server.host, &names);
    if (!t->server_as_is)
        warn_about_host(l, &found);
    if (derived) {
        add_name(t, found.certificate_host, &names);
        add_name(t, found.api_host, &names);
        free(t->server.host);
        t->server.host = mem_copy_string(found.certificate_host);
    }
    for (size_t i = 0; derived && i < nhosts; i++)
        if (strcmp(hosts[i].certificate, found.certificate_host) == 0)
            add_name(t, hosts[i].api, &names);
    t->require_request =
        t->require_choice == YES ||
        (t->require_choice == AUTO && found.kind == SF_API && (derived || found.was_certificate));
}

static void describe_server(struct tenant *t)
{
    struct authority a = {.host = slice_of(t->server.host),
                          .port = t->server.port,
                          .ipv6 = strchr(t->server.host, ':') != NULL};
    struct buf text = {0};

    authority_write(&text, &a, 443);
    t->host_field = mem_copy_bytes(text.p, text.n);
    if (t->connect_to.host != NULL)
        buf_addf(&text, " (at %s:%d)", t->connect_to.host, t->connect_to.port);
    t->peer = mem_copy_bytes(text.p, text.n);
    buf_free(&text);
}

static enum status find_trust(struct loader *l, struct trust **out, struct diag *why)
{
    const char *path = l->tenant->ca_file;

    for (size_t i = 0; i < l->ntrusts; i++) {
        if (trust_is_from(l->trusts[i], path)) {
            *out = l->trusts[i];
            return ST_OK;
        }
    }
    enum status st = trust_load(path, out, why);
    if (st != ST_OK) {
        if (path != NULL)
            diag_prefix(why, "%s", where_of(l, "ca-file"));
        return st;
    }
    if (trust_is_empty(*out))
        note(l->config, LOG_WARNING,
             mem_format("%s: this machine has no CA certificates, so no server can be verified; "
                        "install ca-certificates or name a file with ca-file",
                        l->tenant->where));
    l->trusts = mem_grow(l->trusts, (l->ntrusts + 1) * sizeof(l->trusts[0]));
    l->trusts[l->ntrusts++] = *out;
    return ST_OK;
}

static const char *const source_keys[] = {
    [CREDENTIAL_CERTIFICATE] = "certificate",
    [CREDENTIAL_PRIVATE_KEY] = "private-key",
    [CREDENTIAL_PASSPHRASE_FILE] = "passphrase-file",
    [CREDENTIAL_PASSPHRASE_ENV] = "passphrase-env",
    [CREDENTIAL_PASSPHRASE_CREDENTIAL] = "passphrase-credential",
};

static enum status check_passphrases(const struct loader *l, struct diag *why)
{
    const char *first = NULL;

    for (size_t i = CREDENTIAL_PASSPHRASE_FILE; i < ARRAY_LEN(source_keys); i++) {
        if (where_of(l, source_keys[i]) == NULL)
            continue;
        if (first != NULL) {
            diag_set(why, "%s: %s and %s are both set; keep one of them",
                     where_of(l, source_keys[i]), first, source_keys[i]);
            return ST_BAD_INPUT;
        }
        first = source_keys[i];
    }
    return ST_OK;
}

/* Dates are told by whoever serves: they change while it does. */
static void note_findings(struct loader *l)
{
    static const enum log_level levels[] = {
        [FINDING_NOTE] = LOG_NOTICE, [FINDING_WARNING] = LOG_WARNING, [FINDING_ERROR] = LOG_ERROR};
    size_t count;
    const struct finding *findings = credential_findings(l->tenant->credential, &count);

    for (size_t i = 0; i < count; i++)
        if (!findings[i].about_dates)
            note(l->config, levels[findings[i].level],
                 mem_format("tenant %s: %s", l->tenant->name, findings[i].sentence));
}

static void write_pool_key(struct tenant *t, const struct trust *trust)
{
    buf_addf(&t->pool_key, "%s\n%s\n%s\n%d\n%s\n%d\n%d\n", t->name, t->company_id, t->server.host,
             t->server.port, t->connect_to.host == NULL ? "" : t->connect_to.host,
             t->connect_to.port, t->require_request ? 1 : 0);
    credential_digest(t->credential, &t->pool_key);
    trust_digest(trust, &t->pool_key);
}

static enum status load_identity(struct loader *l, struct diag *why)
{
    struct tenant *t = l->tenant;
    struct credential_files files = {.certificate = t->certificate,
                                     .private_key = t->private_key,
                                     .passphrase_file = t->passphrase_file,
                                     .passphrase_env = t->passphrase_env,
                                     .passphrase_credential = t->passphrase_credential,
                                     .allow_readable_key = t->allow_readable_key,
                                     .ask = l->ask,
                                     .ask_ctx = l->ask_ctx};
    enum credential_source source = CREDENTIAL_CERTIFICATE;
    struct trust *trust;
    enum status st = check_passphrases(l, why);

    if (st != ST_OK)
        return st;
    st = credential_load(&files, &t->credential, &source, why);
    if (st != ST_OK) {
        diag_prefix(why, "%s", where_of(l, source_keys[source]));
        return st;
    }
    note_findings(l);
    st = find_trust(l, &trust, why);
    if (st != ST_OK)
        return st;
    st = tls_client_new(t->credential, trust, t->server.host, &t->tls, why);
    if (st != ST_OK)
        diag_prefix(why, "%s", where_of(l, "certificate"));
    else
        write_pool_key(t, trust);
    return st;
}

static enum status end_section(struct loader *l, struct diag *why)
{
    enum status st = ST_OK;

    if (l->tenant != NULL) {
        st = check_required(l, why);
        if (st == ST_OK) {
            derive_server(l);
            describe_server(l->tenant);
            st = load_identity(l, why);
        }
        l->tenant = NULL;
    }
    forget_wheres(l);
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
        diag_set(why, "`%.*s` is no tenant name; use 1 to %d of A-Z a-z 0-9 . _ -", (int)name.n,
                 name.p, MAX_TENANT_NAME);
        return ST_BAD_INPUT;
    }
    for (size_t i = 0; i < c->ntenants; i++) {
        if (slice_eq(slice_of(c->tenants[i]->name), name)) {
            diag_set(why, "[tenant %s] stands a second time (first at %s); join the two sections",
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
            diag_set(why, "[proxy] stands a second time (first at %s); join the two sections",
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

static enum status add_default_listens(struct loader *l, struct diag *why)
{
    const struct option *o = option_find(SECTION_PROXY, "listen");
    struct setting s = {o->key, o->fallback, "default", ""};

    l->config->default_listens = true;
    return add_listens(l, &s, why);
}

static bool same_address(const struct address *a, const struct address *b)
{
    char x[ADDRESS_TEXT_SIZE], y[ADDRESS_TEXT_SIZE];

    address_text(a, x);
    address_text(b, y);
    size_t n = strlen(x);
    bool any_port = !address_is_unix(a) && n > 2 && strcmp(x + n - 2, ":0") == 0;
    return strcmp(x, y) == 0 && !any_port;
}

static enum status check_listens(const struct config *c, struct diag *why)
{
    for (size_t i = 1; i < c->nlistens; i++) {
        for (size_t j = 0; j < i; j++) {
            char text[ADDRESS_TEXT_SIZE];
            if (!same_address(&c->listens[i].address, &c->listens[j].address))
                continue;
            address_text(&c->listens[i].address, text);
            diag_set(why, "%s: listen = %s stands a second time (first at %s); keep one of them",
                     c->listens[i].where, text, c->listens[j].where);
            return ST_BAD_INPUT;
        }
    }
    return ST_OK;
}

static bool has_listener(const struct config *c, size_t tenant)
{
    for (size_t i = 0; i < c->nlistens; i++)
        if (c->listens[i].tenant == (int)tenant)
            return true;
    return false;
}

/* Two tenants between which no request can tell the difference. */
static void note_twins(const struct loader *l)
{
    const struct config *c = l->config;

    for (size_t i = 1; i < c->ntenants; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct tenant *a = c->tenants[k], *b = c->tenants[i];
            if (strcmp(a->company_id, b->company_id) == 0 &&
                strcmp(a->server.host, b->server.host) == 0 && a->server.port == b->server.port &&
                !has_listener(c, k) && !has_listener(c, i))
                note(l->config, LOG_WARNING,
                     mem_format("%s: tenants %s and %s have the same company and server, so no "
                                "request can name one of them; give each a listen of its own",
                                b->where, a->name, b->name));
        }
    }
}

static enum status finish(struct loader *l, struct diag *why)
{
    enum status st = end_section(l, why);

    if (st == ST_OK && l->config->ntenants == 0) {
        diag_set(why,
                 "%s: names no tenant; add a section [tenant NAME] with company-id, server and "
                 "certificate",
                 l->file);
        st = ST_BAD_INPUT;
    }
    if (st == ST_OK && l->config->nlistens == 0)
        st = add_default_listens(l, why);
    if (st == ST_OK)
        note_twins(l);
    return st == ST_OK ? check_listens(l->config, why) : st;
}

static enum status start(struct loader *l, const char *file, struct diag *why)
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');

    l->config = config_new();
    l->config->file = mem_copy_string(file);
    l->file = file;
    l->folder =
        slash == NULL ? mem_copy_string("") : mem_copy_bytes(file, (size_t)(slash + 1 - file));
    return apply_defaults(l, why);
}

static enum status end(struct loader *l, enum status st, struct config **out)
{
    for (size_t i = 0; i < l->ntrusts; i++)
        trust_unref(l->trusts[i]);
    forget_wheres(l);
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

enum status config_load(const char *path, config_ask *ask, void *ask_ctx, struct config **out,
                        struct diag *why)
{
    static const struct reader_sink sink = {on_section, on_setting};
    struct file_loader f = {.loader = {.ask = ask, .ask_ctx = ask_ctx}};
    enum status st = start(&f.loader, path, why);

    if (st == ST_OK)
        st = reader_run(path, &sink, &f, why);
    if (f.located)
        *why = f.located_why;
    if (st == ST_OK)
        st = finish(&f.loader, why);
    return end(&f.loader, st, out);
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
            diag_prefix(why, "%s", pairs[i].where);
    }
    if (st == ST_OK)
        st = finish(&l, why);
    return end(&l, st, out);
}
