/*
 * What the readers of error bodies share. Private to error_body.c,
 * error_body_json.c and error_body_markup.c.
 */
#ifndef SF_ERROR_BODY_PARTS_H
#define SF_ERROR_BODY_PARTS_H

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
const struct error_member *error_member_find(enum error_level level, struct slice name);

/* How a reader came to its end. */
enum error_read { ERROR_READ_ALL, ERROR_READ_CUT, ERROR_READ_BAD };

enum error_read error_body_read_json(struct error_body *b, struct slice content);
enum error_read error_body_read_xml(struct error_body *b, struct slice content);
enum error_read error_body_read_html(struct error_body *b, struct slice content);

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
