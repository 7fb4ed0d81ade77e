#include "sf/link.h"

#include <string.h>

#include "base/status.h"
#include "sf/link_parts.h"

enum { MAX_PORT_DIGITS = 5 };

/* ---- does it lead there? ---- */

/* A text that is read from the front. */
struct cursor {
    struct slice text;
    size_t at;
};

static enum link_match skip(struct cursor *c, const char *expected, size_t n, bool any_case)
{
    size_t left = c->text.n - c->at, compared = left < n ? left : n;
    struct slice here = {c->text.p + c->at, compared}, there = {expected, compared};

    if (any_case ? !slice_eq_nocase(here, there) : !slice_eq(here, there))
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

/* The authority is over only if a path, query or fragment begins, or the link ends. */
static enum link_match is_over(const struct cursor *c, enum link_syntax syntax)
{
    static const char *const ends[] = {[LINK_JSON] = "/?#\"", [LINK_XML] = "/?#\"'< \t\r\n"};

    if (c->at == c->text.n)
        return MATCH_MORE;
    if (syntax == LINK_JSON && c->text.p[c->at] == '\\') {
        if (c->at + 1 == c->text.n)
            return MATCH_MORE;
        return c->text.p[c->at + 1] == '/' ? MATCH_YES : MATCH_NO;
    }
    return memchr(ends[syntax], c->text.p[c->at], strlen(ends[syntax])) != NULL ? MATCH_YES
                                                                                : MATCH_NO;
}

/* The length of the part that is replaced; what tells where it ends stands behind it. */
static enum link_match match_place(const struct link_place *place, enum link_syntax syntax,
                                   struct slice text, size_t *length, bool *escaped)
{
    struct cursor c = {text, 0};
    bool https = place->origin.p[4] == 's';
    size_t before = https ? 8 : 7;
    int port;

    enum link_match m = skip_scheme(&c, place, syntax == LINK_JSON, escaped);
    if (m == MATCH_YES)
        m = skip(&c, place->origin.p + before, place->origin.n - before, true);
    if (m == MATCH_YES)
        m = skip_port(&c, https ? 443 : 80, &port);
    if (m != MATCH_YES)
        return m;
    if (port != place->port && port != place->other_port)
        return MATCH_NO;
    *length = c.at;
    return is_over(&c, syntax);
}

enum link_match link_match(const struct link_rules *rules, enum link_syntax syntax,
                           struct slice text, size_t *length, bool *escaped)
{
    enum link_match best = MATCH_NO;

    for (size_t i = 0; i < rules->nplaces && best != MATCH_YES; i++) {
        enum link_match m = match_place(&rules->places[i], syntax, text, length, escaped);
        if (m > best)
            best = m;
    }
    return best;
}

/* In the syntax of XML a blank ends a link, as the end of the text does. */
size_t link_prefix(const struct link_rules *rules, struct slice url)
{
    char text[LINK_LONGEST];
    size_t n = url.n < sizeof(text) ? url.n : sizeof(text) - 1, length;
    bool escaped;

    memcpy(text, url.p, n);
    text[n] = ' ';
    return link_match(rules, LINK_XML, (struct slice){text, n + 1}, &length, &escaped) == MATCH_YES
               ? length
               : 0;
}

/* ---- candidates ---- */

static void add_base(const struct link_rewriter *r, bool escaped, struct link_out *o)
{
    const char *base = escaped ? r->rules->escaped : r->rules->base;

    link_out_add(o, base, strlen(base));
}

void link_begin(struct link_rewriter *r, const char **at, const char *end, struct link_out *o)
{
    struct slice text = {*at, (size_t)(end - *at)};
    size_t length;
    bool escaped;

    if (text.n > LINK_LONGEST)
        text.n = LINK_LONGEST;
    switch (link_match(r->rules, r->syntax, text, &length, &escaped)) {
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

bool link_resolve(struct link_rewriter *r, struct slice *in, struct link_out *o)
{
    size_t had = r->nheld, room = LINK_LONGEST - had, n = in->n < room ? in->n : room, length;
    bool escaped;

    if (n > 0)
        memcpy(r->held + had, in->p, n);
    switch (link_match(r->rules, r->syntax, (struct slice){r->held, had + n}, &length, &escaped)) {
    case MATCH_MORE:
        r->nheld = had + n;
        in->p += n;
        in->n -= n;
        return false;
    case MATCH_YES:
        add_base(r, escaped, o);
        break;
    default:
        memcpy(r->flushed, r->held, had);
        link_out_add(o, r->flushed, had);
        r->flushes = had > 0;
        length = had;
        break;
    }
    if (length < had) { /* a byte behind the link was held to decide */
        memcpy(r->flushed, r->held + length, had - length);
        link_out_add(o, r->flushed, had - length);
        r->flushes = true;
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
    r->matching = r->link_element = r->flushes = false;
    r->nheld = r->nbefore = r->nname = r->nuntil = 0;
    r->state = XML_TEXT;
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
