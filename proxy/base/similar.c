#include "base/similar.h"

#include <stdint.h>
#include <string.h>

#include "base/status.h"

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

size_t similar_distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);

    if (n >= ARRAY_LEN(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

struct similar similar_to(const char *word)
{
    return (struct similar){.word = word, .distance = strlen(word) / 3 + 2};
}

void similar_offer(struct similar *s, const char *name)
{
    size_t d = similar_distance(s->word, name);

    if (d >= s->distance)
        return;
    s->distance = d;
    s->name = name;
}
