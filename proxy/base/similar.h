/*
 * similar: the distance between two words, for "did you mean".
 */
#ifndef BASE_SIMILAR_H
#define BASE_SIMILAR_H

#include <stddef.h>

/* The Levenshtein distance. SIZE_MAX if b has 64 bytes or more. */
size_t similar_distance(const char *a, const char *b);

/* Which of many names somebody meant who wrote a word that is none of them. */
struct similar {
    const char *word, *name; /* the nearest so far; NULL: none is near */
    size_t distance;
};

struct similar similar_to(const char *word);
void similar_offer(struct similar *s, const char *name); /* of two alike the first is kept */

#endif
