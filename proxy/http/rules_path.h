/*
 * rules_path: paths in the form in which patterns are compared, and what a
 * server could understand differently in a path. Private to rules.c, pattern.c
 * and rules_path.c.
 *
 * A path is checked as it is sent. Servers decode it, some of them more than
 * once, some with decoders that accept other bytes than UTF-8, and some replace
 * characters by similar ones before they split the path. So everything that
 * could become a separator or a dot segment in any of these ways is refused.
 */
#ifndef HTTP_RULES_PATH_H
#define HTTP_RULES_PATH_H

#include <stdbool.h>

#include "base/slice.h"

/* One character, or one byte that stays percent-encoded, in upper case. */
struct rules_unit {
    char text[3];
    size_t n;
};

/* The unit that begins at *i. Moves *i past it. */
struct rules_unit rules_next_unit(struct slice s, size_t *i);

/* The offset of the unit that ends before `end`, for a path without a flaw. */
size_t rules_unit_before(struct slice s, size_t from, size_t end);

/* The byte at *i, decoded once. Moves *i past it. */
char rules_next_byte(struct slice s, size_t *i);

/* Cuts the next segment off. False after the last. */
bool rules_next_segment(struct slice *rest, struct slice *segment);

/* Names what a server could understand differently in the path; NULL: nothing. */
const char *rules_find_flaw(struct slice path);

/* Could a server read the segment, or a segment of the path, as $batch? For paths without a
 * flaw. */
bool rules_segment_is_batch(struct slice segment);
bool rules_path_has_batch(struct slice path);

#endif
