/*
 * explain: what would become of a request, without sending anything.
 *
 * It asks the functions of the request path themselves: caller/connect,
 * exchange/judgement, http/edit, http/rules. Values that may be secret
 * (header.NAME of the configuration) are not shown.
 */
#ifndef OPS_EXPLAIN_H
#define OPS_EXPLAIN_H

#include "config/config.h"

struct explain_request {
    const char *method, *url;  /* url: http(s)://..., or a path for the first listener */
    const char *const *fields; /* "Name: value" */
    size_t nfields;
    const char *user; /* of Basic credentials; NULL: none */
};

enum explain_change { EXPLAIN_ADDED, EXPLAIN_CHANGED, EXPLAIN_REMOVED };
const char *explain_change_text(enum explain_change c); /* "added" */

struct explain_field {
    enum explain_change change;
    char *name, *value; /* as the server gets it; NULL: it is removed */
    const char *why;
};

struct explanation {
    const struct listen_address *listener;
    bool by_connect;             /* inside a CONNECT, as https_proxy makes clients ask */
    const struct tenant *tenant; /* NULL: none was found */
    struct buf found_by;         /* what names the tenant; empty: it is the only one */
    struct buf rule;             /* of `allow`, which covers it; empty: none is needed */
    struct buf head;             /* as the server gets it */
    struct explain_field *fields;
    size_t nfields;
    char **notes; /* what else the caller has to do, and what cannot be known beforehand */
    size_t nnotes;
    bool passes;
    struct failure failure; /* what the caller gets, unless it passes */
};

/* c has its certificates loaded. False: the command line is wrong, *why says how. */
bool explain_make(const struct config *c, const struct explain_request *r, struct explanation *out,
                  struct diag *why) MUST_CHECK;
void explain_free(struct explanation *e);

#endif
