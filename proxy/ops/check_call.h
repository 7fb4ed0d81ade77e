/*
 * check_call: the steps of `sfmtls check` that one call to the server judges:
 * the way to the server, the connection, the certificates, the answer.
 */
#ifndef OPS_CHECK_CALL_H
#define OPS_CHECK_CALL_H

#include "ops/call.h"
#include "ops/check_steps.h"

struct check_call {
    const struct config *config;
    const struct tenant *tenant;
    int identity;
    const char *path; /* what the server is asked for */
    struct check_report *steps;
};

/* Judges the steps by that call. asked: there was a request; otherwise the call only connected. */
void check_call_judge(const struct check_call *call, bool asked, const struct call_result *r);

/* The sentence for a step that succeeded; NULL: it has none. To be freed. */
char *check_call_text(const struct check_call *call, enum check_step s,
                      const struct call_result *r);

#endif
