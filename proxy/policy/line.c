#include "policy/line.h"

#include <stdlib.h>

#include "base/mem.h"

struct line_group {
    struct list node;
    struct line_caller whose;
    struct list places;
};

void line_init(struct line *l)
{
    list_init(&l->callers);
    l->length = 0;
}

static struct line_group *group_of(struct line *l, struct line_caller whose)
{
    list_each (node, &l->callers) {
        struct line_group *g = list_entry(node, struct line_group, node);
        if (g->whose.kind == whose.kind && g->whose.value == whose.value)
            return g;
    }
    struct line_group *g = NEW(struct line_group);
    g->whose = whose;
    list_init(&g->places);
    list_append(&l->callers, &g->node);
    return g;
}

void line_join(struct line *l, struct line_place *p, struct line_caller whose)
{
    p->group = group_of(l, whose);
    list_append(&p->group->places, &p->node);
    l->length++;
}

void line_leave(struct line *l, struct line_place *p)
{
    struct line_group *g = p->group;

    list_remove(&p->node);
    l->length--;
    if (!list_empty(&g->places))
        return;
    list_remove(&g->node);
    free(g);
}

struct line_place *line_next(struct line *l)
{
    struct list *first = list_first(&l->callers);

    if (first == NULL)
        return NULL;
    struct line_group *g = list_entry(first, struct line_group, node);
    struct line_place *p = list_entry(list_first(&g->places), struct line_place, node);
    list_remove(&g->node);
    list_append(&l->callers, &g->node); /* the other callers come first, before its next request */
    line_leave(l, p);
    return p;
}
