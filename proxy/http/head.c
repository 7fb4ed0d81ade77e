#include "http/head.h"

#include <stdlib.h>

#include "base/mem.h"

struct head *head_new(size_t max_fields)
{
    struct head *h = mem_new(sizeof(*h) + max_fields * sizeof(h->fields[0]));

    h->max_fields = max_fields;
    return h;
}

void head_free(struct head *h)
{
    free(h);
}

const struct field *head_next(const struct head *h, enum field_id id, size_t *at)
{
    if (!head_has(h, id))
        return NULL;
    while (*at < h->nfields) {
        const struct field *f = &h->fields[(*at)++];
        if (f->id == id)
            return f;
    }
    return NULL;
}

const struct field *head_next_named(const struct head *h, struct slice name, size_t *at)
{
    for (size_t i = *at; i < h->nfields; i++)
        if (slice_eq_nocase(h->fields[i].name, name)) {
            *at = i + 1;
            return &h->fields[i];
        }
    return NULL;
}

struct slice head_value(const struct head *h, enum field_id id)
{
    size_t at = 0;
    const struct field *f = head_next(h, id, &at);

    return f == NULL ? (struct slice){NULL, 0} : f->value;
}

size_t head_count(const struct head *h, enum field_id id)
{
    size_t at = 0, count = 0;

    while (head_next(h, id, &at) != NULL)
        count++;
    return count;
}

bool head_next_member(const struct head *h, enum field_id id, struct head_list *at,
                      struct slice *member)
{
    for (;;) {
        while (at->rest.n == 0) {
            const struct field *f = head_next(h, id, &at->at);
            if (f == NULL)
                return false;
            at->rest = f->value;
        }
        *member = slice_trim(slice_split(&at->rest, ','));
        if (member->n > 0)
            return true;
    }
}

void head_read_options(struct head *h)
{
    struct head_list at = {0};
    struct slice option;

    h->options = 0;
    while (head_next_member(h, FIELD_CONNECTION, &at, &option)) {
        if (slice_eq_nocase(option, SLICE("close")))
            h->options |= BIT(OPTION_CLOSE);
        else if (slice_eq_nocase(option, SLICE("keep-alive")))
            h->options |= BIT(OPTION_KEEP_ALIVE);
        else
            h->options |= BIT(OPTION_FIELD);
    }
}

bool head_connection_has(const struct head *h, struct slice name)
{
    struct head_list at = {0};
    struct slice option;

    while (head_next_member(h, FIELD_CONNECTION, &at, &option))
        if (slice_eq_nocase(option, name))
            return true;
    return false;
}
