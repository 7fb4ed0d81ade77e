/*
 * refusal: how servers say, in an answer of HTTP, that they do not accept the
 * client certificate.
 *
 * nginx, and the edge of SF with it, answers 400 with a page; SF itself answers
 * 401 with the code AUTH0032 (KBA 3333286), which it also uses for a company id
 * that does not belong to the certificate, and for a mapping that is not
 * synchronised yet (KBA 3505973).
 */
#ifndef SF_REFUSAL_H
#define SF_REFUSAL_H

#include <stdbool.h>

#include "base/slice.h"

enum { SF_REFUSAL_LOOK = 4096 }; /* so much of the content is to be looked at */

/* Is it worth looking at the content? */
static inline bool sf_refusal_status(int status)
{
    return status == 400 || status == 401;
}

/* The phrase by which it is known, or NULL: it is no refusal, as far as content goes. */
const char *sf_refusal_find(int status, struct slice content);

#endif
