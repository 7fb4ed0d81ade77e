/*
 * explain: what would happen to a request, without sending anything.
 *
 * It uses the functions of the request path: caller/connect,
 * exchange/judgement, http/edit, http/rules. Values that may be secret
 * (header.NAME in the configuration) are not shown.
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
const char *explain_change_text(enum explain_change c); /* for example "added" */

struct explain_field {
    enum explain_change change;
    char *name, *value; /* value: as the server gets it; NULL: it is removed */
    const char *why;
};

struct explanation {
    const struct listen_address *listener;
    /* The request is inside a CONNECT, which clients send if https_proxy is set. */
    bool by_connect;
    const struct tenant *tenant; /* NULL: none was found */
    /* What names the tenant in the request; empty: there is only one. */
    struct buf found_by;
    /* The `allow` rule that covers the request; empty: none is needed. */
    struct buf rule;
    struct buf head; /* as the server gets it */
    struct explain_field *fields;
    size_t nfields;
    /* What else the caller has to do, and what cannot be known in advance. */
    char **notes;
    size_t nnotes;
    bool passes;
    struct failure failure; /* the caller's answer, unless the request passes */
};

/* Explains r. c: loaded with its certificates. Returns false with the reason in *why if the command
 * line is wrong. */
bool explain_make(const struct config *c, const struct explain_request *r, struct explanation *out,
                  struct diag *why) MUST_CHECK;
void explain_free(struct explanation *e);

#endif
