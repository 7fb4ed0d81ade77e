/*
 * link_xml: finds possible links in XML. Private to link*.c.
 */
#ifndef SF_LINK_XML_H
#define SF_LINK_XML_H

#include "sf/link_hold.h"

/* Like link_run(). */
void link_run_xml(struct link_rewriter *r, struct slice *in, struct link_out *o);

#endif
