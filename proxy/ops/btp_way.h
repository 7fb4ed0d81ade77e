/*
 * btp_way: how BTP is called: through a parent proxy that is named, as the
 * environment says (`system`, or nothing is set), or directly (`none`).
 */
#ifndef OPS_BTP_WAY_H
#define OPS_BTP_WAY_H

#include "btp/web.h"
#include "config/config.h"

struct btp_way {
    struct web_proxy proxy; /* its texts are those below, and of the options */
    char *url, *text, *ccache;
    struct buf password;
};

/* o is borrowed. where: the place that names the proxy, for sentences. Reads the file of the
 * password, so it is for a process that may. On failure there is nothing to end. */
enum status btp_way_find(const struct parent_options *o, const char *where, struct btp_way *out,
                         struct diag *why) MUST_CHECK;
void btp_way_end(struct btp_way *w); /* overwrites the password */

/* What holds for that tenant: its own section, else [proxy]. */
const struct parent_options *btp_way_options(const struct config *c, const struct tenant *t);

/* The same as btp_way_find(), of a tenant. */
enum status btp_way_of(const struct config *c, const struct tenant *t, struct btp_way *out,
                       struct diag *why) MUST_CHECK;

/* May Kerberos be needed? Then *path: where the tickets are, or the keytab; NULL: in no file. The
 * caller frees it. */
bool btp_way_wants_tickets(const struct parent_options *o, char **path);

#endif
