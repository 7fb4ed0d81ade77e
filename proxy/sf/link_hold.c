#include "sf/link_hold.h"

#include <string.h>

static void add_base(struct link_rewriter *r, bool escaped, struct link_out *o)
{
    r->changed = true;
    const char *base = escaped ? r->rules->escaped : r->rules->base;

    link_out_add(o, base, strlen(base));
}

/* What ends the string, value or text that has begun. */
static struct link_end end_of(const struct link_rewriter *r)
{
    if (r->syntax == LINK_JSON)
        return (struct link_end){LINK_JSON, "\""};
    if (r->state == XML_VALUE || r->state == XML_ITEM)
        return (struct link_end){LINK_XML, r->quote == '"' ? "\"" : "'"};
    return (struct link_end){LINK_XML, r->state == XML_SKIP ? r->until : "<"};
}

void link_begin(struct link_rewriter *r, const char **at, const char *end, struct link_out *o)
{
    struct slice text = {*at, (size_t)(end - *at)};
    size_t length;
    bool escaped;

    if (text.n > LINK_LONGEST)
        text.n = LINK_LONGEST;
    struct link_end end_mark = end_of(r);
    switch (link_match(r->rules, &end_mark, text, &length, &escaped)) {
    case LINK_MATCH_YES:
        add_base(r, escaped, o);
        *at += length;
        break;
    case LINK_MATCH_MORE:
        r->matching = true;
        r->nheld = text.n;
        memcpy(r->held, text.p, text.n);
        *at = end;
        break;
    default:
        break;
    }
}

/* Sends the held bytes from the offset `from`: they are no link, or come after one. */
static struct slice release(struct link_rewriter *r, size_t from, struct link_out *o)
{
    struct slice text = {r->flushed, r->nheld - from};

    memcpy(r->flushed, r->held + from, text.n);
    link_out_add(o, text.p, text.n);
    r->flushes = true;
    return text;
}

bool link_resolve(struct link_rewriter *r, struct slice *in, struct link_out *o,
                  struct slice *released)
{
    size_t had = r->nheld, room = LINK_LONGEST - had, n = in->n < room ? in->n : room, length;
    bool escaped;

    *released = SLICE("");
    if (n > 0)
        memcpy(r->held + had, in->p, n);
    struct link_end end = end_of(r);
    struct slice held = {r->held, had + n};
    switch (link_match(r->rules, &end, held, &length, &escaped)) {
    case LINK_MATCH_MORE:
        r->nheld = had + n;
        in->p += n;
        in->n -= n;
        return false;
    case LINK_MATCH_YES:
        add_base(r, escaped, o);
        break;
    default:
        length = 0;
        break;
    }
    if (length < had) {
        *released = release(r, length, o);
        length = had;
    }
    in->p += length - had;
    in->n -= length - had;
    r->matching = false;
    r->nheld = 0;
    return true;
}
