/*
 * check: walks the path from the configuration to an answer of the API server,
 * step by step, and says at which one it ends and why: one root cause.
 *
 * Everything is asked of the parts that serve requests, too (call.h). It never
 * changes anything: one GET for each certificate that is checked, and a few
 * more with probe.
 */
#ifndef OPS_CHECK_H
#define OPS_CHECK_H

#include "config/config.h"
#include "ops/check_steps.h"

#define CHECK_PATH "/odata/v2/"

struct check_options {
    const char *tenant;          /* NULL: all */
    bool identities[IDENTITIES]; /* which are checked, where a tenant has them */
    const char *path;            /* of the GET */
    int64_t fail_days; /* a certificate that ends sooner fails; 0: a valid one is enough */
    bool skip[CHECK_STEPS];
    bool probe;           /* on AUTH0032, ask under other identities and companies what they get */
    struct config *plain; /* for probe: the same tenants, with the API servers' plain hosts; NULL:
                             these are not asked. Of config_load_flawed() */
};

struct check_walk {
    const struct tenant *tenant;
    int identity;
    struct check_report steps[CHECK_STEPS];
    enum check_result result; /* the worst of the steps; OK if the worst is SKIPPED */
};

struct check {
    struct check_walk *walks;
    size_t nwalks;
};

/* Is the step one of this walk? Those of BTP are for a certificate that is fetched from there. */
bool check_has_step(const struct check_walk *w, enum check_step s);

/* c: of config_load_flawed(), and outlives the result. */
void check_run(struct config *c, const struct check_options *o, struct check *out);
void check_free(struct check *c);

/* As documented in sfmtls-check(7) and tests/integration/check.schema.json. */
void check_write_json(const struct check *c, struct buf *out);

#endif
