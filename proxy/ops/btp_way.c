#include "ops/btp_way.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/parent_proxy.h"
#include "config/system_proxy.h"

static bool is_for(const char *host)
{
    const char *value;

    return system_proxy_variable(&value) != NULL && !system_proxy_excepts(host);
}

/* auto takes each way but Basic, which shows the password. */
static unsigned ways_of(const struct parent_options *o)
{
    static const unsigned ways[] = {[PARENT_AUTO] = WEB_DIGEST | WEB_NEGOTIATE | WEB_NTLM,
                                    [PARENT_BASIC] = WEB_BASIC,
                                    [PARENT_DIGEST] = WEB_DIGEST,
                                    [PARENT_NEGOTIATE] = WEB_NEGOTIATE,
                                    [PARENT_NTLM] = WEB_NTLM};

    return ways[o->auth];
}

static char *ccache_of(const struct parent_options *o)
{
    return parent_proxy_ccache(&(struct parent_proxy){.ccache = o->ccache, .keytab = o->keytab});
}

static void name(struct btp_way *w, const struct endpoint *at, const char *where)
{
    char *place = parent_proxy_place(at);

    w->url = mem_format("http://%s", place);
    w->text = mem_format("the parent proxy %s (%s)", place, where);
    free(place);
}

/* The environment may name a user; what the file says of one comes first. */
static enum status identify(struct btp_way *w, const struct parent_options *o, struct diag *why)
{
    if (w->proxy.way == WEB_BY_ENVIRONMENT && o->user == NULL && o->auth == PARENT_AUTO)
        return ST_OK;
    if (o->user != NULL && parent_proxy_read_password(o->password_file, &w->password, why) != ST_OK)
        return ST_BAD_INPUT;
    w->ccache = ccache_of(o);
    w->proxy.ways = ways_of(o);
    w->proxy.user = o->user;
    w->proxy.password = w->password.p;
    w->proxy.ccache = w->ccache;
    w->proxy.keytab = o->keytab;
    return ST_OK;
}

static const char *variable(void)
{
    const char *value, *found = system_proxy_variable(&value);

    return found == NULL ? "https_proxy" : found;
}

enum status btp_way_find(const struct parent_options *o, const char *where, struct btp_way *out,
                         struct diag *why)
{
    static const enum web_way ways[] = {[PARENT_NONE] = WEB_DIRECT,
                                        [PARENT_SYSTEM] = WEB_BY_ENVIRONMENT,
                                        [PARENT_NAMED] = WEB_BY_PROXY};
    enum parent_kind kind;
    struct endpoint at = {NULL, 0};
    enum status st = parent_proxy_parse(o->proxy == NULL ? "system" : o->proxy, &kind, &at, why);

    *out = (struct btp_way){.proxy = {.is_for = is_for}};
    if (st != ST_OK)
        return st;
    out->proxy.way = ways[kind];
    if (kind == PARENT_NAMED)
        name(out, &at, where);
    else
        out->text = mem_format("the proxy of %s", variable());
    out->proxy.url = out->url;
    out->proxy.text = out->text;
    free(at.host);
    if (kind != PARENT_NONE)
        st = identify(out, o, why);
    if (st != ST_OK)
        btp_way_end(out);
    return st;
}

void btp_way_end(struct btp_way *w)
{
    free(w->url);
    free(w->text);
    free(w->ccache);
    file_wipe(&w->password);
}

/* ---- of a tenant ---- */

const struct parent_options *btp_way_options(const struct config *c, const struct tenant *t)
{
    return t->parent_options.proxy != NULL ? &t->parent_options : &c->parent_options;
}

enum status btp_way_of(const struct config *c, const struct tenant *t, struct btp_way *out,
                       struct diag *why)
{
    const char *key = "parent-proxy";

    return btp_way_find(
        btp_way_options(c, t),
        t->parent_options.proxy != NULL ? tenant_where(t, key) : config_where(c, key), out, why);
}

/* The file or folder of tickets or keys, which may be named without a type; NULL: of another type.
 */
static const char *file_of(const char *name)
{
    const char *colon = strchr(name, ':');

    if (colon == NULL || memchr(name, '/', (size_t)(colon - name)) != NULL)
        return name;
    return strncmp(name, "FILE:", 5) == 0 || strncmp(name, "DIR:", 4) == 0 ? colon + 1 : NULL;
}

/* Of a proxy that the environment names, only if the file says how it is told who calls. */
bool btp_way_wants_tickets(const struct parent_options *o, char **path)
{
    bool by_file = o->proxy != NULL && strcmp(o->proxy, "none") != 0 &&
                   (strcmp(o->proxy, "system") != 0 || o->user != NULL || o->auth != PARENT_AUTO);

    *path = NULL;
    if (!by_file || (o->auth != PARENT_AUTO && o->auth != PARENT_NEGOTIATE))
        return false;
    char *ccache = o->keytab != NULL ? mem_copy_string(o->keytab) : ccache_of(o);
    const char *file = file_of(ccache);
    if (file != NULL)
        *path = mem_copy_string(file);
    free(ccache);
    return true;
}
