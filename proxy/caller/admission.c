#include "caller/admission.h"

#include <unistd.h>

#include "caller/census.h"

static bool is_allowed(const struct allowed_uids *u, uid_t uid)
{
    for (size_t i = 0; i < u->count; i++)
        if (u->list[i] == uid)
            return true;
    return u->count == 0 && (uid == 0 || uid == geteuid());
}

static bool check_uid(const struct clients *all, const struct allowed_uids *u, const struct peer *p,
                      struct failure *why)
{
    if (u->any || p->kind == PEER_REMOTE)
        return true;
    if (p->kind == PEER_TOLD && is_allowed(u, p->uid))
        return true;
    if (p->kind == PEER_TOLD) {
        failure_set(why, FAIL_CALLER_UID, "The caller's user, uid %lu, may not connect.",
                    (unsigned long)p->uid);
        return false;
    }
    if (!peer_asker_works(all->peers) && u->count == 0)
        return true; /* admission_warn() has logged that */
    failure_set(why, FAIL_CALLER_UID,
                "The system did not say whose this connection is: its caller has closed it, or "
                "cannot be seen from here.");
    return false;
}

/* How many connections the caller may have; 0: no limit. If the option is not set, a limit applies
 * only if callers can be told apart: remote machines, or several users in allow-uid. On a desktop
 * all callers are the same user. */
static int64_t share_of(const struct config *c, const struct peer *p)
{
    if (c->per_caller >= 0)
        return c->per_caller;
    if (p->kind != PEER_REMOTE && c->allow_uid.count < 2)
        return 0;
    return c->max_connections - c->max_connections / 4;
}

/* Is the address not enough to know a caller by? A Unix socket has no address, but asking it costs
 * next to nothing. */
bool admission_needs_peer(const struct clients *all, const struct admission_rule *rule,
                          const struct address *from)
{
    const struct config *c = all->config;

    return !rule->uids->any || c->per_caller > 0 || c->serves_remote || c->keeps_sessions ||
           (c->log_caller && address_is_unix(from));
}

bool admission_take(struct clients *all, const struct admission_rule *rule,
                    const struct address *from, const struct peer *p, struct admission *out,
                    struct failure *why)
{
    int64_t share = 0;

    *out = (struct admission){.caller = caller_id_of_address(from)};
    if (p != NULL) {
        out->caller = caller_id_of_peer(p);
        if (!check_uid(all, rule->uids, p, why))
            return false;
        share = rule->places == &all->shared->connections ? share_of(all->config, p) : 0;
    }
    if (!quota_take(rule->places)) {
        failure_plain(why, FAIL_TOO_MANY_CALLERS);
        return false;
    }
    if (share > 0)
        out->of_caller = census_take(all->shared->census, p, share);
    if (share > 0 && out->of_caller == NULL) {
        quota_give(rule->places);
        failure_plain(why, FAIL_CALLER_SHARE);
        return false;
    }
    out->counted = rule->places;
    return true;
}

void admission_give(struct clients *all, struct admission *a)
{
    quota_give(a->counted);
    census_give(all->shared->census, a->of_caller);
    a->of_caller = NULL;
}

static bool has_ip_listener(const struct config *c)
{
    for (size_t i = 0; i < c->nlistens; i++)
        if (!address_is_unix(&c->listens[i].address))
            return true;
    return false;
}

/* True if the kernel cannot name the user of some connections. */
static bool is_blind(struct clients *const *all, size_t n, const struct config *c)
{
    if (c->allow_uid.any || !has_ip_listener(c))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!peer_asker_works(all[i]->peers))
            return true;
    return false;
}

enum status admission_check(struct clients *const *all, size_t n, const struct config *c,
                            struct diag *why)
{
    if (c->allow_uid.count == 0 || !is_blind(all, n, c))
        return ST_OK;
    diag_at(why, config_where(c, "allow-uid"),
            "allow-uid cannot be kept to: this system does not say whose a TCP connection is "
            "(NETLINK_SOCK_DIAG); listen on Unix sockets only, or write allow-uid = any");
    return ST_BAD_INPUT;
}

void admission_warn(struct clients *const *all, size_t n, const struct config *c)
{
    if (c->allow_uid.count == 0 && is_blind(all, n, c))
        log_say(LOG_WARNING,
                "every user of this machine can call: this system does not say whose a TCP "
                "connection is (NETLINK_SOCK_DIAG); listen on Unix sockets, or write allow-uid = "
                "any if that is as it should be");
}
