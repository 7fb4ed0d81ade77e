/* A proxy that the environment names, as curl reads it, and that is not used. */
#include "ops/announce.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"

/* The variable that would count for https, or NULL. */
static const char *variable(void)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0')
            return names[i];
    }
    return NULL;
}

/* "*", the host itself, or a domain that it is in, with a dot before it or not. */
static bool covers(struct slice entry, const char *host)
{
    size_t n = strlen(host);

    if (slice_eq(entry, SLICE("*")))
        return true;
    if (entry.n > 0 && *entry.p == '.')
        entry = (struct slice){entry.p + 1, entry.n - 1};
    return entry.n > 0 && n >= entry.n && strncasecmp(host + n - entry.n, entry.p, entry.n) == 0 &&
           (n == entry.n || host[n - entry.n - 1] == '.');
}

static bool is_excepted(const char *host)
{
    const char *list = getenv("no_proxy") != NULL ? getenv("no_proxy") : getenv("NO_PROXY");
    struct slice rest = slice_of(list);

    while (rest.n > 0)
        if (covers(slice_trim(slice_split(&rest, ',')), host))
            return true;
    return false;
}

/* Would a program that uses such a variable connect to that tenant's server by the proxy? */
static bool is_concerned(const struct tenant *t)
{
    return t->connect_to.host == NULL && strcmp(t->server.host, "localhost") != 0 &&
           !is_excepted(t->server.host);
}

void announce_unused_proxy(const struct config *c)
{
    const char *name = variable();

    for (size_t i = 0; name != NULL && i < c->ntenants; i++) {
        if (!is_concerned(c->tenants[i]))
            continue;
        log_say(LOG_WARNING,
                "%s is set; sfmtls does not use it and connects to %s directly; if the network "
                "does not permit that, have it permitted, or name a tunnel in connect-to; else "
                "unset the variable for sfmtls, or add the host to no_proxy",
                name, c->tenants[i]->server.host);
        return;
    }
}
