/*
 * link_json: finds possible links in JSON. Private to link*.c.
 */
#ifndef SF_LINK_JSON_H
#define SF_LINK_JSON_H

#include "sf/link_hold.h"

/* Like link_run(). */
void link_run_json(struct link_rewriter *r, struct slice *in, struct link_out *o);

#endif
