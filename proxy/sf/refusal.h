/*
 * refusal: how servers say, in an answer of HTTP, that they do not accept the
 * client certificate.
 *
 * nginx, and the edge of SF with it, answers 400 with a page whose title says
 * so; SF itself answers 401 with the error AuthenticationFailed and the code
 * AUTH0032 in its details (KBA 3333286), which it also uses for a company id
 * that does not belong to the certificate, and for a mapping that is not
 * synchronised yet (KBA 3505973).
 *
 * Such an answer can make another certificate serve, so the same words
 * elsewhere, where a caller could have them quoted, mean nothing.
 */
#ifndef SF_REFUSAL_H
#define SF_REFUSAL_H

#include "sf/error_body.h"

enum { SF_REFUSAL_LOOK = ERROR_BODY_LOOK }; /* so much of the content is to be looked at */

/* Is it worth looking at the content? */
static inline bool sf_refusal_status(int status)
{
    return status == 400 || status == 401;
}

/* The phrase by which it is known, or NULL: it is not a refusal, as far as content goes.
 * content_type: the field's value; content: without its content codings. */
const char *sf_refusal_find(int status, struct slice content_type, struct slice content);

/* Does the content have such words anywhere? Then it does not prove that a certificate is accepted.
 */
bool sf_refusal_is_mentioned(struct slice content);

#endif
