#include "ops/unused_proxy.h"

#include <string.h>

#include "base/log.h"
#include "config/system_proxy.h"

const char *unused_proxy_of(const struct config *c, const struct tenant *t)
{
    const char *value, *name = system_proxy_variable(&value);

    if (c->parent_options.proxy != NULL || t->parent_options.proxy != NULL ||
        t->connect_to.host != NULL || strcmp(t->server.host, "localhost") == 0 ||
        system_proxy_excepts(t->server.host))
        return NULL;
    return name;
}

void unused_proxy_announce(const struct config *c)
{
    for (size_t i = 0; i < c->ntenants; i++) {
        const char *name = unused_proxy_of(c, c->tenants[i]);
        if (name == NULL)
            continue;
        log_say(LOG_WARNING,
                "%s is set; sfmtls does not use it and connects to %s directly; if the network "
                "does not permit that, set parent-proxy = system; else set parent-proxy = none, "
                "unset the variable for sfmtls, or add the host to no_proxy",
                name, c->tenants[i]->server.host);
        return;
    }
}
