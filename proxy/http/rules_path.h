/*
 * rules_path: paths as `allow` rules and other patterns compare them, and what in a path a server
 * could understand otherwise. Private to rules.c, pattern.c and rules_path.c.
 *
 * A path is judged as it is sent. Servers decode it, some more than once, some
 * with decoders that accept what is not UTF-8, and some turn characters into
 * others that look alike before they look for segments. So what could become
 * a separator or a dot segment, by whatever way, is found here and refused.
 */
#ifndef HTTP_RULES_PATH_H
#define HTTP_RULES_PATH_H

#include <stdbool.h>

#include "base/slice.h"

/* One character, or one percent-encoded byte that stays encoded, in upper case. */
struct rules_unit {
    char text[3];
    size_t n;
};

/* The unit that begins at *i, which is moved past it. */
struct rules_unit rules_next_unit(struct slice s, size_t *i);

/* Where the unit begins that ends before end; the path has no flaw. */
size_t rules_unit_before(struct slice s, size_t from, size_t end);

/* The byte at *i, decoded once, which is moved past it. */
char rules_next_byte(struct slice s, size_t *i);

/* Cuts the next segment off; false after the last. */
bool rules_next_segment(struct slice *rest, struct slice *segment);

/* What a server may understand otherwise than it is compared here, in words; NULL: nothing. */
const char *rules_find_flaw(struct slice path);

/* Could a server read the segment, or one of the path's, as $batch? They have no flaw. */
bool rules_segment_is_batch(struct slice segment);
bool rules_path_has_batch(struct slice path);

#endif
