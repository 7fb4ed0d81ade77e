/*
 * refusal: how servers say in an HTTP answer that they do not accept the client
 * certificate.
 *
 * nginx, and so the edge of SuccessFactors, answers 400 with a page whose title
 * says so. SuccessFactors itself answers 401 with the error
 * AuthenticationFailed and the code AUTH0032 in its details (KBA 3333286). It
 * uses that code also if the company ID does not belong to the certificate, and
 * if a mapping is not synchronised yet (KBA 3505973).
 *
 * Such an answer may bring another certificate into use. So the same words mean
 * nothing in other places, where a caller could have them quoted.
 */
#ifndef SF_REFUSAL_H
#define SF_REFUSAL_H

#include "sf/error_body.h"

enum { SF_REFUSAL_LOOK = ERROR_BODY_LOOK }; /* bytes of the content to look at */

/* Can an answer with that status be a refusal? */
static inline bool sf_refusal_status(int status)
{
    return status == 400 || status == 401;
}

/* The phrase that shows the refusal; NULL: the content shows none. content_type: the value of
 * Content-Type; content: without content codings. */
const char *sf_refusal_find(int status, struct slice content_type, struct slice content);

/* Does the content have such words anywhere? If so, the answer does not prove that the server
 * accepts the certificate. */
bool sf_refusal_is_mentioned(struct slice content);

#endif
