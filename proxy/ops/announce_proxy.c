/* A proxy that the environment names (as curl reads it) and that sfmtls does not use. */
#include "ops/announce.h"

#include <string.h>

#include "base/log.h"
#include "config/system_proxy.h"

/* Would a program that follows the variable call that tenant's server through the proxy? */
static bool is_concerned(const struct tenant *t)
{
    return t->parent_options.proxy == NULL && t->connect_to.host == NULL &&
           strcmp(t->server.host, "localhost") != 0 && !system_proxy_excepts(t->server.host);
}

void announce_unused_proxy(const struct config *c)
{
    const char *value, *name = system_proxy_variable(&value);

    if (c->parent_options.proxy != NULL)
        return;
    for (size_t i = 0; name != NULL && i < c->ntenants; i++) {
        if (!is_concerned(c->tenants[i]))
            continue;
        log_say(LOG_WARNING,
                "%s is set; sfmtls does not use it and connects to %s directly; if the network "
                "does not permit that, set parent-proxy = system; else set parent-proxy = none, "
                "unset the variable for sfmtls, or add the host to no_proxy",
                name, c->tenants[i]->server.host);
        return;
    }
}
