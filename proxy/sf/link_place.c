#include "sf/link_place.h"

#include <string.h>

enum { MAX_PORT_DIGITS = 5 };

/* A text that is read from its beginning. */
struct cursor {
    struct slice text;
    size_t at;
};

static enum link_match skip(struct cursor *c, const char *expected, size_t n, bool any_case)
{
    size_t left = c->text.n - c->at, compared = left < n ? left : n;
    struct slice here = {c->text.p + c->at, compared}, there = {expected, compared};

    if (!slice_eq(here, there) && !(any_case && slice_eq_nocase(here, there)))
        return LINK_MATCH_NO;
    c->at += compared;
    return compared < n ? LINK_MATCH_MORE : LINK_MATCH_YES;
}

/* Skips "https:" and the two slashes, which may be escaped. */
static enum link_match skip_scheme(struct cursor *c, const struct link_place *p, bool may_escape,
                                   bool *escaped)
{
    enum link_match m = skip(c, p->origin.p, p->origin.p[4] == 's' ? 6 : 5, false);

    if (m != LINK_MATCH_YES)
        return m;
    *escaped = may_escape && c->at < c->text.n && c->text.p[c->at] == '\\';
    return *escaped ? skip(c, "\\/\\/", 4, false) : skip(c, "//", 2, false);
}

static enum link_match skip_port(struct cursor *c, int fallback, int *port)
{
    size_t digits = 0;

    *port = fallback;
    if (c->at == c->text.n)
        return LINK_MATCH_MORE;
    if (c->text.p[c->at] != ':')
        return LINK_MATCH_YES;
    c->at++;
    *port = 0;
    while (c->at < c->text.n && c->text.p[c->at] >= '0' && c->text.p[c->at] <= '9') {
        *port = *port * 10 + (c->text.p[c->at++] - '0');
        if (++digits > MAX_PORT_DIGITS)
            return LINK_MATCH_NO;
    }
    if (c->at == c->text.n)
        return LINK_MATCH_MORE;
    return digits > 0 ? LINK_MATCH_YES : LINK_MATCH_NO;
}

/* The authority has ended only if a path, a query or a fragment begins, or if the link ends: by the
 * closing mark of its syntax, or by a blank in XML. */
static enum link_match is_over(const struct cursor *c, const struct link_end *end)
{
    struct cursor rest = *c;

    if (c->at == c->text.n)
        return LINK_MATCH_MORE;
    char next = c->text.p[c->at];
    if (next == '/' || next == '?' || next == '#')
        return LINK_MATCH_YES;
    if (end->syntax == LINK_JSON && next == '\\')
        return skip(&rest, "\\/", 2, false);
    if (next == end->mark[0])
        return skip(&rest, end->mark, strlen(end->mark), false);
    return end->syntax == LINK_XML && link_is_blank(next) ? LINK_MATCH_YES : LINK_MATCH_NO;
}

/* *length: of the part that is replaced; the character that shows its end comes after it. */
static enum link_match match_place(const struct link_place *place, const struct link_end *end,
                                   struct slice text, size_t *length, bool *escaped)
{
    struct cursor c = {text, 0};
    bool https = place->origin.p[4] == 's';
    size_t before = https ? 8 : 7;
    int port;

    enum link_match m = skip_scheme(&c, place, end->syntax == LINK_JSON, escaped);
    if (m == LINK_MATCH_YES)
        m = skip(&c, place->origin.p + before, place->origin.n - before, true);
    if (m == LINK_MATCH_YES)
        m = skip_port(&c, https ? 443 : 80, &port);
    if (m != LINK_MATCH_YES)
        return m;
    if (port != place->port && port != place->other_port)
        return LINK_MATCH_NO;
    *length = c.at;
    return is_over(&c, end);
}

enum link_match link_match(const struct link_rules *rules, const struct link_end *end,
                           struct slice text, size_t *length, bool *escaped)
{
    enum link_match best = LINK_MATCH_NO;

    for (size_t i = 0; i < rules->nplaces && best != LINK_MATCH_YES; i++) {
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
    return link_match(rules, &end, whole, &length, &escaped) == LINK_MATCH_YES ? length : 0;
}

bool link_may_grow(const struct link_rules *rules)
{
    size_t n = strlen(rules->base);
    bool may = false;

    for (size_t i = 0; i < rules->nplaces; i++)
        may = may || rules->places[i].origin.n < n;
    return may;
}
