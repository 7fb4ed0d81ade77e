/* How callers are identified, and whether that is enough for the places that they can connect
 * from. */
#include <stdlib.h>

#include "base/mem.h"
#include "config/load_parts.h"

static enum status load_token_file(const struct loader *l, const char *key, const char *path,
                                   struct tokens **out, struct diag *why)
{
    enum status st;

    if (path == NULL || l->names_only)
        return ST_OK;
    if (load_is_open_to_others(path)) {
        diag_at(why, path,
                "every user of this machine may read the tokens in it; chmod o-r %s (in "
                "Kubernetes defaultMode: 0440)",
                path);
        st = ST_BAD_INPUT;
    } else {
        st = tokens_load(path, out, why);
    }
    if (st != ST_OK)
        diag_place(why, config_where(l->config, key));
    return st;
}

enum status load_tokens(struct loader *l, struct diag *why)
{
    struct config *c = l->config;
    enum status st = load_token_file(l, "caller-token-file", c->token_file, &c->tokens, why);

    if (st == ST_OK)
        st = load_token_file(l, "admin-token-file", c->admin_token_file, &c->admin_tokens, why);
    return st;
}

/* A tenant that can be reached through this listener and has no callers-file; NULL: there is
 * none. */
static const struct tenant *open_tenant(const struct config *c, const struct listen_address *at)
{
    for (size_t i = 0; i < c->ntenants; i++)
        if ((at->tenant < 0 || at->tenant == (int)i) && c->tenants[i]->callers_file == NULL)
            return c->tenants[i];
    return NULL;
}

static enum status refuse(const struct listen_address *at, const char *flaw, struct diag *why)
{
    char text[ADDRESS_TEXT_SIZE];

    address_text(&at->address, text);
    diag_at(why, at->where, "`%s` can be reached from other machines%s", text, flaw);
    return ST_BAD_INPUT;
}

static enum status check_remote(const struct config *c, const struct listen_address *at,
                                struct diag *why)
{
    if (!c->allow_remote)
        return refuse(at,
                      "; listen on 127.0.0.1, [::1] or a Unix socket, or set allow-remote = yes "
                      "in [proxy] together with caller-token-file",
                      why);
    if (c->token_file != NULL)
        return ST_OK;
    const struct tenant *open = open_tenant(c, at);
    if (open != NULL) {
        char *flaw = mem_format(", and the callers of tenant %s are not identified; set "
                                "caller-token-file in [proxy], or callers-file in [tenant %s]",
                                open->name, open->name);
        (void)refuse(at, flaw, why);
        free(flaw);
        return ST_BAD_INPUT;
    }
    if (c->connect_other == CONNECT_TUNNEL)
        return refuse(at,
                      ", and a tunnel (connect-other) asks for no password; set "
                      "caller-token-file in [proxy], or take connect-other out",
                      why);
    return ST_OK;
}

static void note_remote(struct config *c, const struct listen_address *at, const char *who)
{
    char text[ADDRESS_TEXT_SIZE];

    address_text(&at->address, text);
    load_note(c, LOG_WARNING,
              mem_format("%s: %s reach %s by plain HTTP, so anyone on that network can read and "
                         "change all of it, tokens and passwords included; use only a network that "
                         "you trust",
                         at->where, who, text));
}

/* It is enough to look at the first address: the others (of localhost) are as reachable. */
static enum status check_remote_admin(const struct config *c, struct diag *why)
{
    const struct listen_address *at = c->admins;

    if (c->nadmins == 0 || address_is_loopback(&at->address) ||
        (c->allow_remote && c->admin_token_file != NULL))
        return ST_OK;
    return refuse(at,
                  "; for admin, use localhost, 127.0.0.1, [::1] or a Unix socket, or set "
                  "allow-remote = yes in [proxy] together with admin-token-file",
                  why);
}

enum status load_check_remote(const struct loader *l, struct diag *why)
{
    const struct config *c = l->config;

    for (size_t i = 0; i < c->nlistens; i++) {
        const struct listen_address *at = &c->listens[i];
        if (address_is_loopback(&at->address))
            continue;
        enum status st = check_remote(c, at, why);
        if (st != ST_OK)
            return st;
        note_remote(l->config, at, "callers");
    }
    if (c->nadmins > 0 && !address_is_loopback(&c->admins[0].address))
        note_remote(l->config, c->admins, "operators");
    return check_remote_admin(c, why);
}
