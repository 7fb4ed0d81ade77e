/*
 * link_json: finds what may be a link in JSON. Private to link*.c.
 */
#ifndef SF_LINK_JSON_H
#define SF_LINK_JSON_H

#include "sf/link_hold.h"

/* As link_run(). */
void link_run_json(struct link_rewriter *r, struct slice *in, struct link_out *o);

#endif
