/*
 * check_probe: a closer look at AUTH0032, for `sfmtls check --probe`: what do
 * other certificates, other companies and the plain host get?
 */
#ifndef OPS_CHECK_PROBE_H
#define OPS_CHECK_PROBE_H

#include "ops/call.h"
#include "ops/check.h"

/* Whose call was refused, and where more can be made. */
struct check_probe {
    struct config *config;
    const struct check_options *options;
    struct call_room *room;
    size_t tenant; /* index */
    int identity;
};

/* Asks if the report on the company says AUTH0032, and adds to its evidence. */
void check_probe(const struct check_probe *p, struct check_report *company);

#endif
