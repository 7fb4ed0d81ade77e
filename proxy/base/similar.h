/*
 * similar: the distance between two words, for "did you mean".
 */
#ifndef BASE_SIMILAR_H
#define BASE_SIMILAR_H

#include <stddef.h>

/* The Levenshtein distance. SIZE_MAX if b has 64 bytes or more. */
size_t similar_distance(const char *a, const char *b);

/* Finds the name that somebody meant who wrote an unknown word. */
struct similar {
    const char *word, *name; /* name: the nearest so far; NULL: none is near */
    size_t distance;
};

struct similar similar_to(const char *word);
void similar_offer(struct similar *s,
                   const char *name); /* of equally near names, the first stays */

#endif
