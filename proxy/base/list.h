/*
 * list: an intrusive, circular, doubly linked list.
 *
 * The node is a member of the object, so an object with several nodes can be on
 * several lists. A node that is on no list points at itself, so list_remove()
 * may be called twice.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define list_entry(node, type, member) ((type *)(void *)(((char *)(node)) - offsetof(type, member)))

/* Iterates over a list. The current node may be removed, but no other one. */
#define list_each(node, head)                                                                      \
    for (struct list * (node) = (head)->next, *node##_next = (node)->next; (node) != (head);       \
         (node) = node##_next, node##_next = (node)->next)

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_append(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
    list_append(head->next, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

static inline struct list *list_first(const struct list *head)
{
    return list_empty(head) ? NULL : head->next; /* NOLINT(clang-analyzer-unix.Malloc): removed
                                                    nodes are seen as still linked */
}

/* Moves all nodes of `from` to the end of `to`. */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#endif
