#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/load_parts.h"

enum { NOTED_DAYS = 60 };

/* ---- other targets of CONNECT ---- */

enum status load_check_connect(const struct loader *l, struct diag *why)
{
    const struct config *c = l->config;

    if (c->connect_other == CONNECT_TUNNEL && c->nconnect_allow == 0) {
        diag_at(why, config_where(c, "connect-other"),
                "connect-other = tunnel leads nowhere without connect-allow; add lines "
                "`connect-allow = HOST:PORT`, or take it out");
        return ST_BAD_INPUT;
    }
    if (c->connect_other != CONNECT_TUNNEL && c->nconnect_allow > 0) {
        diag_at(why, c->connect_allow_wheres[0],
                "connect-allow has no effect without connect-other = tunnel; add that line, "
                "or take this one out");
        return ST_BAD_INPUT;
    }
    for (size_t i = 0; i < c->nconnect_allow; i++) {
        if (!config_has_name(c, slice_of(c->connect_allow[i].host)))
            continue;
        diag_at(why, c->connect_allow_wheres[i],
                "connect-allow names %s, which is a tenant's server: its calls get the client "
                "certificate and are never passed through; take it out",
                c->connect_allow[i].host);
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

/* ---- the local CA ---- */

static bool is_of_service(const struct config *c)
{
    static const char folder[] = "/etc/sfmtls/";

    if (c != NULL && c->user != NULL)
        return true; /* that user's home is not the home of whoever starts the process */
    return c != NULL && c->file != NULL && strncmp(c->file, folder, sizeof(folder) - 1) == 0;
}

char *config_local_ca_folder(const struct config *c)
{
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (c != NULL && c->local_ca_folder != NULL)
        return mem_copy_string(c->local_ca_folder);
    if (!is_of_service(c) && xdg != NULL && *xdg == '/')
        return mem_format("%s/sfmtls/ca", xdg);
    if (!is_of_service(c) && home != NULL && *home == '/')
        return mem_format("%s/.local/share/sfmtls/ca", home);
    return mem_copy_string("/var/lib/sfmtls/ca");
}

/* The signer ends when the root ends, so one date is enough. */
static void note_dates(struct config *c, const char *folder)
{
    int64_t end = local_ca_not_after(c->local_ca), now = clock_wall_s();
    char until[CLOCK_TEXT_SIZE];

    clock_text_s(end, until);
    if (end < now)
        load_note(c, LOG_ERROR,
                  mem_format("the local CA in %s has expired on %.10s, so CONNECT is refused; "
                             "`sfmtls ca init --replace` makes another one",
                             folder, until));
    else if (end - now < (int64_t)NOTED_DAYS * SECONDS_PER_DAY)
        load_note(
            c, LOG_WARNING,
            mem_format("the local CA in %s expires on %.10s; `sfmtls ca init --replace` makes "
                       "another one",
                       folder, until));
    else
        load_note(c, LOG_NOTICE,
                  mem_format("CONNECT (https_proxy) is answered under the local CA in %s", folder));
}

/* One warning for each tenant that has names which the CA does not permit. */
static void note_missing(struct config *c, const struct tenant *t, const char *folder)
{
    struct buf missing = {0};

    for (char **name = t->names; *name != NULL; name++)
        if (!authority_is_address(slice_of(*name)) && !local_ca_permits(c->local_ca, *name))
            buf_addf(&missing, "%s%s", missing.n == 0 ? "" : ", ", *name);
    if (missing.n > 0)
        load_note(c, LOG_WARNING,
                  mem_format("%s: CONNECT to %.*s is refused, for the local CA in %s was not made "
                             "for that; `sfmtls ca init --replace` makes one that is, which "
                             "callers then have to trust",
                             t->where, (int)missing.n, missing.p, folder));
    buf_free(&missing);
}

enum status config_add_local_ca(struct config *c, struct diag *why)
{
    char *folder = config_local_ca_folder(c);
    enum status st = ST_OK;

    for (int i = 0; i < LOCAL_CA_FILES; i++) {
        char *path = local_ca_path(folder, (enum local_ca_file)i);
        load_name_file(c, FILE_READ, "local-ca", path, config_where(c, "local-ca"));
        free(path);
    }
    if (local_ca_is_in(folder)) {
        st = local_ca_load(folder, &c->local_ca, why);
    } else if (c->local_ca_folder != NULL) {
        diag_at(why, folder, "holds no local CA; make one with `sfmtls ca init`");
        st = ST_BAD_INPUT;
    }
    if (st != ST_OK && config_where(c, "local-ca") != NULL)
        diag_place(why, config_where(c, "local-ca"));
    if (c->local_ca != NULL)
        note_dates(c, folder);
    for (size_t i = 0; c->local_ca != NULL && i < c->ntenants; i++)
        note_missing(c, c->tenants[i], folder);
    free(folder);
    return st;
}
