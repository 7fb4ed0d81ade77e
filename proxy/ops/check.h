/*
 * check: walks the path from the configuration to an answer of the API server,
 * step by step, and finds the step at which it ends, and why: one root cause.
 *
 * It uses the code that serves requests (call.h). It changes nothing. It makes
 * one GET for each certificate that is checked, and a few more with probe.
 */
#ifndef OPS_CHECK_H
#define OPS_CHECK_H

#include "config/config.h"
#include "ops/check_steps.h"

#define CHECK_PATH "/odata/v2/"

struct check_options {
    const char *tenant;          /* NULL: all tenants */
    bool identities[IDENTITIES]; /* the certificates to check, if a tenant has them */
    const char *path;            /* for the GET */
    /* A certificate that ends in fewer days fails; 0: it has to be valid now. */
    int64_t fail_days;
    bool skip[CHECK_STEPS];
    /* Root becomes the `user` of the configuration first, as for `run`, so that every step is made
     * with that user's rights. */
    bool as_user;
    /* On AUTH0032, ask with other certificates and companies too. */
    bool probe;
    /* For probe: the same tenants with the plain hosts of the API servers, by
     * config_load_flawed(); NULL: these are not asked. */
    struct config *plain;
};

struct check_walk {
    const struct tenant *tenant;
    int identity;
    struct check_report steps[CHECK_STEPS];
    enum check_result result; /* the worst step's; OK instead of SKIPPED */
};

struct check {
    struct check_walk *walks;
    size_t nwalks;
};

/* Has the walk that step? The steps of BTP exist only for a certificate that is fetched from
 * BTP. */
bool check_has_step(const struct check_walk *w, enum check_step s);

/* c: loaded by config_load_flawed(); must outlive the result. */
void check_run(struct config *c, const struct check_options *o, struct check *out);
void check_free(struct check *c);

/* Appends JSON as documented in sfmtls-check(7) and tests/integration/check.schema.json. */
void check_write_json(const struct check *c, struct buf *out);

#endif
