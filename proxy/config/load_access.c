#include "base/mem.h"
#include "config/load_parts.h"

static bool has_unix_listener(const struct config *c)
{
    for (size_t i = 0; i < c->nlistens; i++)
        if (address_is_unix(&c->listens[i].address))
            return true;
    return false;
}

/* A caller needs write permission to connect to a socket. */
void load_check_access(const struct loader *l)
{
    struct config *c = l->config;
    const mode_t mode = c->access.mode;
    const char *set = config_where(c, "socket-mode"), *group = config_where(c, "socket-group");
    const char *where = set != NULL ? set : group;

    for (size_t i = 0; i < c->nlistens; i++)
        if (!address_is_loopback(&c->listens[i].address))
            c->serves_remote = true;
    if (c->allow_uid.any)
        load_note(c, LOG_NOTICE,
                  mem_format("%s: allow-uid = any: every user of this machine may call",
                             config_where(c, "allow-uid")));
    if (where == NULL || !has_unix_listener(c))
        return;
    if ((mode & 0002) != 0 && c->allow_uid.any)
        load_note(c, LOG_WARNING,
                  mem_format("%s: every user of this machine can connect to the Unix socket; write "
                             "socket-mode = 0660 and a socket-group, or list users in allow-uid",
                             where));
    else if ((mode & 0022) != 0 && c->allow_uid.count == 0 && !c->allow_uid.any)
        load_note(c, LOG_WARNING,
                  mem_format("%s: socket-mode lets others connect to the Unix socket, but without "
                             "allow-uid only sfmtls's own user and root are served; list the "
                             "others in allow-uid",
                             where));
}
