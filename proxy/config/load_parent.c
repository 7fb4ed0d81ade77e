/* Which parent proxy is used for each tenant's server, and for each entry of connect-allow. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/load_parts.h"
#include "config/option_set.h"
#include "config/parent_proxy.h"
#include "config/system_proxy.h"
#include "http/chars.h"

enum { CURL_PORT = 1080 }; /* curl's default, for a proxy that is written without a port */

/* The settings of one section. */
struct source {
    const struct config *config;
    const struct tenant *tenant; /* NULL: [proxy] */
    const struct parent_options *options;
    struct parent_proxy *parent; /* the proxy that the section names; NULL: none */
    bool by_system;              /* the variables name it; then no_proxy can except hosts */
};

static const char *place_of(const struct source *s, const char *key)
{
    return s->tenant == NULL ? config_where(s->config, key) : tenant_where(s->tenant, key);
}

static enum status refuse(const char **key, const char *at_fault, struct diag *why,
                          const char *sentence)
{
    *key = at_fault;
    diag_set(why, "%s", sentence);
    return ST_BAD_INPUT;
}

/* ---- which settings fit together ---- */

static enum status check_alone(const struct source *s, struct diag *why)
{
    static const char *const keys[] = {"parent-proxy-user", "parent-proxy-password-file",
                                       "parent-proxy-ccache", "parent-proxy-keytab",
                                       "parent-proxy-auth"};
    /* the last key is not looked at if it is auto, which is the default */
    size_t n = ARRAY_LEN(keys) - (s->options->auth == PARENT_AUTO ? 1 : 0);

    for (size_t i = 0; i < n; i++) {
        if (place_of(s, keys[i]) == NULL)
            continue;
        diag_at(why, place_of(s, keys[i]),
                "`%s` is set without a `parent-proxy` in the same section; add that line, or take "
                "this one out",
                keys[i]);
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

enum status parent_proxy_check(const struct parent_options *o, bool by_system, const char **key,
                               struct diag *why)
{
    bool wants = o->auth == PARENT_BASIC || o->auth == PARENT_DIGEST || o->auth == PARENT_NTLM;

    if (o->user != NULL && o->password_file == NULL)
        return refuse(key, "parent-proxy-user", why,
                      "the user of the parent proxy has no password; add "
                      "`parent-proxy-password-file`");
    if (o->user == NULL && o->password_file != NULL)
        return refuse(key, "parent-proxy-password-file", why,
                      "the password of the parent proxy has no user; add `parent-proxy-user`");
    if (o->user != NULL && (*o->user == '\0' || !chars_are(slice_of(o->user), CHAR_VALUE)))
        return refuse(key, "parent-proxy-user", why,
                      "the user of the parent proxy is empty or has a control character in it; "
                      "write visible characters only");
    if (wants && o->user == NULL && !by_system)
        return refuse(key, "parent-proxy-auth", why,
                      "this way of authentication needs a user; add `parent-proxy-user` and "
                      "`parent-proxy-password-file`");
    if (o->auth == PARENT_BASIC && o->user != NULL && strchr(o->user, ':') != NULL)
        return refuse(key, "parent-proxy-user", why,
                      "a user with a colon in its name cannot be sent by Basic; use another user, "
                      "or parent-proxy-auth = digest");
    if (o->ccache != NULL && o->keytab != NULL)
        return refuse(key, "parent-proxy-keytab", why,
                      "parent-proxy-ccache and parent-proxy-keytab are both set; keep one of them");
    return ST_OK;
}

static enum status check_user(const struct source *s, struct diag *why)
{
    const char *key;
    enum status st = parent_proxy_check(s->options, s->by_system, &key, why);

    if (st != ST_OK)
        diag_place(why, place_of(s, key));
    return st;
}

/* Other ways may do where Kerberos is not the only one. */
static enum status check_tickets(struct loader *l, const struct source *s, struct diag *why)
{
    const struct parent_options *o = s->options;
    const char *set = parent_proxy_environment_ccache();
    struct diag found;

    if ((o->auth != PARENT_NEGOTIATE && o->auth != PARENT_AUTO) || o->ccache != NULL ||
        o->keytab != NULL || set == NULL || parent_proxy_can_read_ccache(set))
        return ST_OK;
    diag_at(
        &found, "KRB5CCNAME",
        "`%s` is not possible here; set parent-proxy-ccache to FILE:/PATH, DIR:/PATH or KCM:", set);
    if (o->auth == PARENT_NEGOTIATE) {
        *why = found;
        return ST_BAD_INPUT;
    }
    load_note(l->config, LOG_WARNING, mem_copy_string(found.text));
    return ST_OK;
}

/* ---- the password ---- */

static void cut_line_end(struct buf *b)
{
    if (b->n > 0 && b->p[b->n - 1] == '\n')
        b->n--;
    if (b->n > 0 && b->p[b->n - 1] == '\r')
        b->n--;
    b->p[b->n] = '\0';
}

static bool is_visible(const struct buf *b)
{
    return chars_are(buf_slice(b), CHAR_VALUE);
}

enum status parent_proxy_read_password(const char *path, struct buf *out, struct diag *why)
{
    enum status st = file_read(path, out, why);

    if (st != ST_OK)
        return st;
    cut_line_end(out);
    if (is_visible(out))
        return ST_OK;
    diag_at(why, path,
            "the password has a control character in it; write it alone on the first line");
    return ST_BAD_INPUT;
}

static enum status read_password(struct config *c, const struct source *s, struct diag *why)
{
    const char *path = s->options->password_file, *key = "parent-proxy-password-file";
    enum status st = parent_proxy_read_password(path, &s->parent->password, why);

    if (st != ST_OK)
        diag_place(why, place_of(s, key));
    else if (load_is_open_to_others(path))
        load_note(c, LOG_WARNING,
                  mem_format("%s: %s: every user of this machine may read the password; chmod o-r "
                             "%s",
                             place_of(s, key), path, path));
    return st;
}

/* ---- the proxy ---- */

/* Adds `in`, percent-decoded (RFC 3986, 2.1). */
static void add_decoded(struct buf *out, struct slice in)
{
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '%' && i + 2 < in.n && char_hex(in.p[i + 1]) >= 0 && char_hex(in.p[i + 2]) >= 0) {
            c = (char)(char_hex(in.p[i + 1]) * 16 + char_hex(in.p[i + 2]));
            i += 2;
        }
        buf_add(out, &c, 1);
    }
}

/* Takes USER[:PASSWORD] of a variable, unless the configuration sets a user. False: the user or the
 * password has characters that cannot be sent. */
static bool take_user(const struct source *s, struct slice user)
{
    struct slice name = slice_split(&user, ':');
    struct buf decoded = {0};

    if (s->options->user != NULL)
        return true;
    add_decoded(&decoded, name);
    add_decoded(&s->parent->password, user);
    bool is_sound = decoded.n > 0 && is_visible(&decoded) && is_visible(&s->parent->password);
    if (is_sound)
        s->parent->user = mem_copy_bytes(decoded.p, decoded.n);
    buf_free(&decoded);
    return is_sound;
}

/* [http://][USER[:PASSWORD]@]HOST[:PORT][/] */
static bool read_variable(const struct source *s, const char *value)
{
    const char *scheme = strstr(value, "://");
    struct slice rest = slice_of(scheme == NULL ? value : scheme + 3), user = {NULL, 0};
    struct authority a;

    if (scheme != NULL &&
        !slice_eq_nocase((struct slice){value, (size_t)(scheme - value)}, SLICE("http")))
        return false;
    rest.n = strcspn(rest.p, "/");
    const char *at = memrchr(rest.p, '@', rest.n);
    if (at != NULL) {
        user = (struct slice){rest.p, (size_t)(at - rest.p)};
        rest = (struct slice){at + 1, rest.n - user.n - 1};
    }
    if (!authority_parse(rest, &a))
        return false;
    s->parent->at =
        (struct endpoint){mem_copy_bytes(a.host.p, a.host.n), a.port == 0 ? CURL_PORT : a.port};
    return at == NULL || take_user(s, user);
}

/* Sentences do not repeat the value, because it may contain a password. */
static enum status find_by_system(struct source *s, struct diag *why)
{
    const char *value, *variable = system_proxy_variable(&value);

    s->by_system = true;
    if (variable == NULL)
        return ST_OK;
    s->parent = load_parent_new();
    if (read_variable(s, value)) {
        s->parent->where = mem_copy_string(variable);
        return ST_OK;
    }
    diag_at(why, place_of(s, "parent-proxy"),
            "system means the proxy of %s, which is not of the form http://HOST:PORT; set the "
            "variable to such a one, or name the proxy here",
            variable);
    return ST_BAD_INPUT;
}

static enum status find(struct source *s, struct diag *why)
{
    enum parent_kind kind;
    struct endpoint at;
    enum status st = parent_proxy_parse(s->options->proxy, &kind, &at, why);

    if (st != ST_OK || kind == PARENT_SYSTEM)
        return st == ST_OK ? find_by_system(s, why) : st;
    if (kind == PARENT_NONE)
        return check_alone(s, why);
    s->parent = load_parent_new();
    s->parent->at = at;
    s->parent->where = mem_copy_string(place_of(s, "parent-proxy"));
    return ST_OK;
}

static void complete(const struct source *s)
{
    const struct parent_options *o = s->options;
    struct parent_proxy *p = s->parent;

    p->name = parent_proxy_place(&p->at);
    p->auth = (enum parent_way)o->auth;
    p->ccache = mem_copy_string(o->ccache);
    p->keytab = mem_copy_string(o->keytab);
    if (o->user == NULL)
        return;
    free(p->user);
    p->user = mem_copy_string(o->user);
}

static enum status load_source(struct loader *l, struct source *s, struct diag *why)
{
    if (s->options->proxy == NULL)
        return check_alone(s, why);
    enum status st = find(s, why);
    if (st == ST_OK && s->parent != NULL)
        st = check_user(s, why);
    if (st == ST_OK && s->parent != NULL)
        st = check_tickets(l, s, why);
    if (st != ST_OK || s->parent == NULL)
        return st;
    complete(s);
    return s->options->user == NULL || l->names_only ? ST_OK : read_password(l->config, s, why);
}

/* ---- which servers it is used for ---- */

static struct parent_proxy *choose(const struct source *s, const struct endpoint *to)
{
    return s->by_system && system_proxy_excepts(to->host) ? NULL : parent_proxy_ref(s->parent);
}

static enum status load_of_tenant(struct loader *l, const struct source *shared, struct tenant *t,
                                  struct diag *why)
{
    struct source own = {.config = l->config, .tenant = t, .options = &t->parent_options};
    const struct endpoint *to = t->connect_to.host != NULL ? &t->connect_to : &t->server;
    enum status st = load_source(l, &own, why);

    if (st == ST_OK)
        t->parent = choose(t->parent_options.proxy != NULL ? &own : shared, to);
    if (st == ST_OK && !l->names_only)
        load_write_pool_key(t);
    parent_proxy_unref(own.parent);
    return st;
}

enum status load_parents(struct loader *l, struct diag *why)
{
    struct config *c = l->config;
    struct source shared = {.config = c, .options = &c->parent_options};
    enum status st = load_source(l, &shared, why);

    for (size_t i = 0; st == ST_OK && i < c->ntenants; i++)
        st = load_of_tenant(l, &shared, c->tenants[i], why);
    if (st == ST_OK && c->nconnect_allow > 0)
        c->connect_parents = mem_new(c->nconnect_allow * sizeof(c->connect_parents[0]));
    for (size_t i = 0; st == ST_OK && i < c->nconnect_allow; i++)
        c->connect_parents[i] = choose(&shared, &c->connect_allow[i]);
    parent_proxy_unref(shared.parent);
    return st;
}
