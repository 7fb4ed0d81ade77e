/* The listeners of a configuration, and the notes about them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/load_parts.h"
#include "config/option_set.h"

enum status load_add_listens(struct loader *l, const struct setting *s, struct diag *why)
{
    struct config *c = l->config;
    struct slice rest = slice_of(s->value);
    enum status st = ST_OK;

    while (st == ST_OK && rest.n > 0) {
        struct slice item = slice_trim(slice_split(&rest, ','));
        char *text = mem_copy_bytes(item.p, item.n);
        int tenant = l->tenant == NULL ? -1 : (int)c->ntenants - 1;
        st = option_add_listen(&c->listens, &c->nlistens, text, s, tenant, why);
        free(text);
    }
    return st;
}

static enum status add_default(struct loader *l, struct diag *why)
{
    const struct option *o = option_find(SECTION_PROXY, "listen");
    struct setting s = {o->key, o->fallback, NULL, ""};

    return load_add_listens(l, &s, why);
}

static bool same_address(const struct address *a, const struct address *b)
{
    char x[ADDRESS_TEXT_SIZE], y[ADDRESS_TEXT_SIZE];

    address_text(a, x);
    address_text(b, y);
    return strcmp(x, y) == 0 && (address_is_unix(a) || address_port(a) != 0);
}

static enum status check_repetition(const struct config *c, struct diag *why)
{
    for (size_t i = 1; i < c->nlistens; i++) {
        for (size_t j = 0; j < i; j++) {
            char text[ADDRESS_TEXT_SIZE];
            if (!same_address(&c->listens[i].address, &c->listens[j].address))
                continue;
            address_text(&c->listens[i].address, text);
            diag_at(why, c->listens[i].where,
                    "listen = %s is set a second time (first at %s); keep one of them", text,
                    c->listens[j].where);
            return ST_BAD_INPUT;
        }
    }
    return ST_OK;
}

bool load_has_listener(const struct config *c, int tenant)
{
    for (size_t i = 0; i < c->nlistens; i++)
        if (c->listens[i].tenant == tenant)
            return true;
    return false;
}

/* If any tenant has a listener of its own, the default one is not used; tenants without one cannot
 * be called then. */
static void note_unreachable(struct config *c)
{
    for (size_t i = 0; i < c->ntenants; i++)
        if (!load_has_listener(c, (int)i) && !load_has_listener(c, -1))
            load_note(c, LOG_WARNING,
                      mem_format("%s: nobody can call tenant %s: it has no listen, [proxy] has "
                                 "none, and the default is not used beside those of other "
                                 "tenants; add listen = localhost:8080 to [proxy]",
                                 c->tenants[i]->where, c->tenants[i]->name));
}

/* ---- localhost ---- */

static struct address parsed(const char *text, int port)
{
    struct address a;
    struct diag why;

    if (address_parse(text, &a, &why) != ST_OK)
        abort(); /* the text is a constant of this file */
    address_set_port(&a, port);
    return a;
}

static bool is_listened_on(const struct config *c, const struct address *a)
{
    for (size_t i = 0; i < c->nlistens; i++)
        if (same_address(&c->listens[i].address, a))
            return true;
    for (size_t i = 0; i < c->nadmins; i++)
        if (same_address(&c->admins[i].address, a))
            return true;
    return false;
}

/* The addresses of localhost by family; the second of each pair is the one that includes all
 * addresses. */
static const char *const leads_to[ADDRESS_FAMILIES][2] = {{"127.0.0.1:0", "0.0.0.0:0"},
                                                          {"[::1]:0", "[::]:0"}};

static bool serves_localhost(const struct config *c, int family, int port)
{
    struct address own = parsed(leads_to[family][0], port), any = parsed(leads_to[family][1], port);

    return is_listened_on(c, &own) || is_listened_on(c, &any);
}

static bool is_for_localhost(const struct listen_address *l, int family)
{
    struct address own = parsed(leads_to[family][0], 0), any = parsed(leads_to[family][1], 0);

    return address_is_same_host(&l->address, &own) || address_is_same_host(&l->address, &any);
}

/* The cure depends on the listener: one that listens on all addresses has to keep doing so. */
static void note_free(struct config *c, const struct listen_address *l, const char *key,
                      const struct address *other)
{
    char own[ADDRESS_TEXT_SIZE], text[ADDRESS_TEXT_SIZE], *cure;
    int port = address_port(other);

    address_text(&l->address, own);
    address_text(other, text);
    cure = address_is_loopback(&l->address) ? mem_format("write %s = localhost:%d", key, port)
                                            : mem_format("let sfmtls listen there, too");
    load_note(c, LOG_WARNING,
              mem_format("%s: %s is left free beside %s, so another program of this machine can "
                         "listen there and get what callers send to localhost:%d, passwords and "
                         "tokens too; %s",
                         l->where, text, own, port, cure));
    free(cure);
}

/* With port 0 callers are told the address, so they do not use localhost. */
static void note_free_family(struct config *c, const struct listen_address *l, const char *key)
{
    int port = address_port(&l->address);

    for (int f = 0; port != 0 && f < ADDRESS_FAMILIES; f++) {
        struct address other = parsed(leads_to[1 - f][0], port);
        if (!is_for_localhost(l, f) || serves_localhost(c, 1 - f, port) ||
            !address_is_available(&other))
            continue;
        note_free(c, l, key, &other);
    }
}

/* ---- all of them ---- */

enum status load_check_listens(struct loader *l, struct diag *why)
{
    struct config *c = l->config;
    enum status st = c->nlistens == 0 ? add_default(l, why) : check_repetition(c, why);

    if (st != ST_OK)
        return st;
    note_unreachable(c);
    for (size_t i = 0; i < c->nlistens; i++)
        if (!c->listens[i].of_localhost)
            note_free_family(c, &c->listens[i], "listen");
    for (size_t i = 0; i < c->nadmins; i++)
        if (!c->admins[i].of_localhost)
            note_free_family(c, &c->admins[i], "admin");
    return ST_OK;
}
