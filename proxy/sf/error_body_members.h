/*
 * error_body_members: which members (JSON) and elements (XML) of an error body
 * have a text that counts, and how the readers put those texts together.
 * Private to error_body*.c.
 */
#ifndef SF_ERROR_BODY_MEMBERS_H
#define SF_ERROR_BODY_MEMBERS_H

#include <stdint.h>

#include "sf/error_body.h"

/* Where in the tree of members or elements a reader is. */
enum error_level { ERROR_AT_TOP, ERROR_IN_ERROR, ERROR_IN_MESSAGE, ERROR_ELSEWHERE };

/* A member or element that is known. */
struct error_member {
    enum error_level level;
    struct slice name;
    int place;              /* of its text; ERROR_PLACES: it has none */
    enum error_level inner; /* of its own members */
};

/* Those that no row names have no place, and nothing in them has one. */
const struct error_member *error_body_member(enum error_level level, struct slice name);

/* The member is met; false if that happens a second time. */
bool error_body_claim(struct error_body *b, const struct error_member *m);

/* Texts are put together at the end of room, which is as large as what they are decoded from. */
void error_body_put(struct error_body *b, char c);
void error_body_put_code_point(struct error_body *b, uint32_t c); /* as UTF-8 */

/* All that was put since room's use was `start` is the text of that place, without blanks and line
 * ends around it; of none (ERROR_PLACES), or if it is empty, it is taken away again. */
void error_body_keep(struct error_body *b, size_t start, int place);

static inline bool error_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

#endif
