/*
 * error_body_members: the members (JSON) and elements (XML) of an error body
 * whose texts count, and how the readers store those texts. Private to
 * error_body*.c.
 */
#ifndef SF_ERROR_BODY_MEMBERS_H
#define SF_ERROR_BODY_MEMBERS_H

#include <stdint.h>

#include "sf/error_body.h"

/* The reader's position in the tree of members or elements. */
enum error_level { ERROR_AT_TOP, ERROR_IN_ERROR, ERROR_IN_MESSAGE, ERROR_ELSEWHERE };

/* A known member or element. */
struct error_member {
    enum error_level level;
    struct slice name;
    int place;              /* of its text; ERROR_PLACES: none */
    enum error_level inner; /* the level of its own members */
};

/* The row for that name. A member without a row has no place, and nor has anything inside it. */
const struct error_member *error_body_member(enum error_level level, struct slice name);

/* Notes that the member was found. Returns false if it was found before. */
bool error_body_claim(struct error_body *b, const struct error_member *m);

/* Append to the text at the end of room. room is large enough, because a decoded text is never
 * longer than its source. */
void error_body_put(struct error_body *b, char c);
void error_body_put_code_point(struct error_body *b, uint32_t c); /* as UTF-8 */

/* Makes everything that was put since room's use was `start` the text of that place, without blanks
 * and line ends around it. If place is ERROR_PLACES or the text is empty, removes it again. */
void error_body_keep(struct error_body *b, size_t start, int place);

static inline bool error_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

#endif
