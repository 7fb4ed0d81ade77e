/*
 * line: who waits, and whose turn it is. Callers take turns: each gets one place, then the next
 * caller, so that one with many requests leaves the others as much as one with a single request.
 * The requests of one caller go in the order in which they came.
 *
 * Pure. Those that wait are members of whoever waits.
 */
#ifndef POLICY_LINE_H
#define POLICY_LINE_H

#include "base/list.h"

#include <stdint.h>

/* Whose request it is. */
struct line_caller {
    enum { LINE_USER, LINE_UID, LINE_CONNECTION } kind;
    uint64_t value;
};

struct line {
    struct list callers; /* of those that wait, the next one first */
    size_t length;
};

struct line_place {
    struct list node;
    struct line_group *group; /* the caller's */
};

void line_init(struct line *l);
void line_join(struct line *l, struct line_place *p, struct line_caller whose);
void line_leave(struct line *l, struct line_place *p);

/* Whose turn it is, who leaves the line by that; NULL: nobody waits. */
struct line_place *line_next(struct line *l);

#endif
