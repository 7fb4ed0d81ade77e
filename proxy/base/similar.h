/*
 * similar: how far apart two words are, for "did you mean".
 */
#ifndef BASE_SIMILAR_H
#define BASE_SIMILAR_H

#include <stddef.h>

/* Levenshtein's distance; b of 64 bytes or more is far from everything. */
size_t similar_distance(const char *a, const char *b);

#endif
