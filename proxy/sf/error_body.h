/*
 * error_body: finds what an error answer's body says.
 *
 * A body may quote what a caller has sent. So a code or a phrase counts only in
 * places where the server writes its own texts:
 *
 *   JSON  {"error":{"code":..,"message":..,"details":..}}   the mTLS gate, REST, OData 4
 *         {"error":{"message":{"value":..}}}                OData 2
 *         {"errorMessage":..}                               OAuth
 *   XML   <error><code/><message/></error>                  OData 2
 *         <error><errorCode/><errorMessage/></error>        SFAPI
 *   HTML  the title, if nothing that a browser shows comes before it; the first heading
 *
 * The beginning of a body is enough. A text that is cut off counts as far as it
 * goes, except a code, a title and a heading. A body that is malformed, or that
 * has one of these places twice, says nothing. Pure; nothing has to be freed.
 */
#ifndef SF_ERROR_BODY_H
#define SF_ERROR_BODY_H

#include <stdbool.h>

#include "base/slice.h"

enum { ERROR_BODY_LOOK = 4096 }; /* bytes of the body that are read */

enum error_body_form { ERROR_BODY_OTHER, ERROR_BODY_JSON, ERROR_BODY_XML, ERROR_BODY_HTML };

enum error_body_place {
    ERROR_CODE, /* code, errorCode */
    ERROR_MESSAGE,
    ERROR_MESSAGE_VALUE,
    ERROR_DETAILS,
    ERROR_ERROR_MESSAGE,
    ERROR_TITLE,
    ERROR_HEADING,
    ERROR_PLACES
};

struct error_body {
    enum error_body_form form; /* by the media type */
    /* Views into room, with escapes decoded; p NULL: there is no such place. */
    struct slice text[ERROR_PLACES];
    unsigned claimed; /* bits of the places that were found */
    size_t used;
    char room[ERROR_BODY_LOOK];
};

/* content_type: the value of Content-Type (RFC 9110, 8.3). content: without content codings. */
void error_body_read(struct error_body *b, struct slice content_type, struct slice content);

/* Does the text at that place contain the words? */
bool error_body_has(const struct error_body *b, enum error_body_place at, struct slice words);

#endif
