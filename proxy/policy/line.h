/*
 * line: the waiting requests, and whose turn it is. Callers take turns: one
 * request of a caller, then one of the next caller. So a caller with many
 * requests does not delay a caller with one request. The requests of one caller
 * keep their order.
 *
 * Pure. A place in the line is a member of the waiting object.
 */
#ifndef POLICY_LINE_H
#define POLICY_LINE_H

#include "base/list.h"

#include <stdint.h>

/* The caller of a request. */
struct line_caller {
    enum { LINE_USER, LINE_UID, LINE_CONNECTION } kind;
    uint64_t value;
};

struct line {
    struct list callers; /* the callers that wait, the next one first */
    size_t length;
};

struct line_place {
    struct list node;
    struct line_group *group; /* of the caller */
};

void line_init(struct line *l);
void line_join(struct line *l, struct line_place *p, struct line_caller whose);
void line_leave(struct line *l, struct line_place *p);

/* Takes the next request out of the line and returns its place; NULL: nobody waits. */
struct line_place *line_next(struct line *l);

#endif
