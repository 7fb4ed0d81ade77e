#include "sf/link.h"

#include <string.h>

#include "base/status.h"
#include "sf/link_parts.h"

enum { MAX_PORT_DIGITS = 5 };

/* ---- does it lead there? ---- */

enum link_match { MATCH_NO, MATCH_MORE, MATCH_YES };

/* What ends a link, beside the rest of its URL. */
struct link_end {
    enum link_syntax syntax;
    const char *mark;
};

/* A text that is read from the front. */
struct cursor {
    struct slice text;
    size_t at;
};

static enum link_match skip(struct cursor *c, const char *expected, size_t n, bool any_case)
{
    size_t left = c->text.n - c->at, compared = left < n ? left : n;
    struct slice here = {c->text.p + c->at, compared}, there = {expected, compared};

    if (!slice_eq(here, there) && !(any_case && slice_eq_nocase(here, there)))
        return MATCH_NO;
    c->at += compared;
    return compared < n ? MATCH_MORE : MATCH_YES;
}

/* "https:", then the two slashes, which may be escaped. */
static enum link_match skip_scheme(struct cursor *c, const struct link_place *p, bool may_escape,
                                   bool *escaped)
{
    enum link_match m = skip(c, p->origin.p, p->origin.p[4] == 's' ? 6 : 5, false);

    if (m != MATCH_YES)
        return m;
    *escaped = may_escape && c->at < c->text.n && c->text.p[c->at] == '\\';
    return *escaped ? skip(c, "\\/\\/", 4, false) : skip(c, "//", 2, false);
}

static enum link_match skip_port(struct cursor *c, int fallback, int *port)
{
    size_t digits = 0;

    *port = fallback;
    if (c->at == c->text.n)
        return MATCH_MORE;
    if (c->text.p[c->at] != ':')
        return MATCH_YES;
    c->at++;
    *port = 0;
    while (c->at < c->text.n && c->text.p[c->at] >= '0' && c->text.p[c->at] <= '9') {
        *port = *port * 10 + (c->text.p[c->at++] - '0');
        if (++digits > MAX_PORT_DIGITS)
            return MATCH_NO;
    }
    if (c->at == c->text.n)
        return MATCH_MORE;
    return digits > 0 ? MATCH_YES : MATCH_NO;
}

/* The authority is over only if a path, query or fragment begins, or the link ends: with its
 * syntax's closing mark, or in XML with a blank. */
static enum link_match is_over(const struct cursor *c, const struct link_end *end)
{
    struct cursor rest = *c;

    if (c->at == c->text.n)
        return MATCH_MORE;
    char next = c->text.p[c->at];
    if (next == '/' || next == '?' || next == '#')
        return MATCH_YES;
    if (end->syntax == LINK_JSON && next == '\\')
        return skip(&rest, "\\/", 2, false);
    if (next == end->mark[0])
        return skip(&rest, end->mark, strlen(end->mark), false);
    return end->syntax == LINK_XML && link_is_blank(next) ? MATCH_YES : MATCH_NO;
}

/* The length of the part that is replaced; what tells where it ends stands behind it. */
static enum link_match match_place(const struct link_place *place, const struct link_end *end,
                                   struct slice text, size_t *length, bool *escaped)
{
    struct cursor c = {text, 0};
    bool https = place->origin.p[4] == 's';
    size_t before = https ? 8 : 7;
    int port;

    enum link_match m = skip_scheme(&c, place, end->syntax == LINK_JSON, escaped);
    if (m == MATCH_YES)
        m = skip(&c, place->origin.p + before, place->origin.n - before, true);
    if (m == MATCH_YES)
        m = skip_port(&c, https ? 443 : 80, &port);
    if (m != MATCH_YES)
        return m;
    if (port != place->port && port != place->other_port)
        return MATCH_NO;
    *length = c.at;
    return is_over(&c, end);
}

/* Does a link begin at text.p? *length: what is to be replaced; *escaped: its slashes are. */
static enum link_match match(const struct link_rules *rules, const struct link_end *end,
                             struct slice text, size_t *length, bool *escaped)
{
    enum link_match best = MATCH_NO;

    for (size_t i = 0; i < rules->nplaces && best != MATCH_YES; i++) {
        enum link_match m = match_place(&rules->places[i], end, text, length, escaped);
        if (m > best)
            best = m;
    }
    return best;
}

size_t link_prefix(const struct link_rules *rules, struct slice url)
{
    static const struct link_end end = {LINK_XML, " "};
    char text[LINK_LONGEST];
    size_t n = url.n < sizeof(text) ? url.n : sizeof(text) - 1, length;
    bool escaped;

    memcpy(text, url.p, n);
    text[n] = ' ';
    struct slice whole = {text, n + 1};
    return match(rules, &end, whole, &length, &escaped) == MATCH_YES ? length : 0;
}

/* ---- candidates ---- */

bool link_may_grow(const struct link_rules *rules)
{
    size_t n = strlen(rules->base);
    bool may = false;

    for (size_t i = 0; i < rules->nplaces; i++)
        may = may || rules->places[i].origin.n < n;
    return may;
}

static void add_base(struct link_rewriter *r, bool escaped, struct link_out *o)
{
    r->changed = true;
    const char *base = escaped ? r->rules->escaped : r->rules->base;

    link_out_add(o, base, strlen(base));
}

/* Of the string, value or text that has begun. */
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
    switch (match(r->rules, &end_mark, text, &length, &escaped)) {
    case MATCH_YES:
        add_base(r, escaped, o);
        *at += length;
        break;
    case MATCH_MORE:
        r->matching = true;
        r->nheld = text.n;
        memcpy(r->held, text.p, text.n);
        *at = end;
        break;
    default:
        break;
    }
}

/* What was held, from there on, is no link or stands behind one: it goes the way of other text. */
static void release(struct link_rewriter *r, size_t from, struct link_out *o)
{
    struct slice text = {r->flushed, r->nheld - from};

    memcpy(r->flushed, r->held + from, text.n);
    link_out_add(o, text.p, text.n);
    r->flushes = true;
    if (r->syntax == LINK_JSON)
        link_pass_json(r, text);
    else
        link_pass_xml(r, text);
}

bool link_resolve(struct link_rewriter *r, struct slice *in, struct link_out *o)
{
    size_t had = r->nheld, room = LINK_LONGEST - had, n = in->n < room ? in->n : room, length;
    bool escaped;

    if (n > 0)
        memcpy(r->held + had, in->p, n);
    struct link_end end = end_of(r);
    struct slice held = {r->held, had + n};
    switch (match(r->rules, &end, held, &length, &escaped)) {
    case MATCH_MORE:
        r->nheld = had + n;
        in->p += n;
        in->n -= n;
        return false;
    case MATCH_YES:
        add_base(r, escaped, o);
        break;
    default:
        length = 0;
        break;
    }
    if (length < had) {
        release(r, length, o);
        length = had;
    }
    in->p += length - had;
    in->n -= length - had;
    r->matching = false;
    r->nheld = 0;
    return true;
}

/* ---- the whole ---- */

void link_start(struct link_rewriter *r, enum link_syntax syntax, const struct link_rules *rules)
{
    r->syntax = syntax;
    r->rules = rules;
    r->matching = r->link_element = r->starts_text = r->flushes = r->changed = false;
    r->nheld = r->nbefore = r->nname = r->nuntil = 0;
    r->json = JSON_ELSEWHERE;
    r->state = XML_TEXT;
    link_names_prepare();
}

size_t link_run(struct link_rewriter *r, struct slice *in, struct iovec *pieces, size_t room)
{
    struct link_out o = {pieces, 0, room};

    r->flushes = false;
    if (r->syntax == LINK_JSON)
        link_run_json(r, in, &o);
    else
        link_run_xml(r, in, &o);
    return o.count;
}

size_t link_finish(struct link_rewriter *r, struct iovec *piece)
{
    struct link_out o = {piece, 0, 1};

    link_out_add(&o, r->held, r->nheld);
    r->matching = false;
    r->nheld = 0;
    return o.count;
}
