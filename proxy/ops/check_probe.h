/*
 * check_probe: a closer look at AUTH0032 for `sfmtls check --probe`: what do
 * other certificates, other companies and the plain host get?
 */
#ifndef OPS_CHECK_PROBE_H
#define OPS_CHECK_PROBE_H

#include "ops/call.h"
#include "ops/check.h"

/* The call that was refused, and where more calls can be made. */
struct check_probe {
    struct config *config;
    const struct check_options *options;
    struct call_room *room;
    size_t tenant; /* index of the tenant */
    int identity;
};

/* If the report on the company has the code AUTH0032, makes further calls and adds their results to
 * its evidence. */
void check_probe(const struct check_probe *p, struct check_report *company);

#endif
