/*
 * JSON is not parsed: a link's string begins with "htt, which is looked for, and
 * its name stands right before it. An unescaped quote that is followed by a
 * letter begins a string, wherever it is.
 */
#include <stdint.h>
#include <string.h>

#include "sf/link_parts.h"

/* ---- what stands before ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice trim_end(struct slice s)
{
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool cut_end(struct slice *s, char c)
{
    if (s->n == 0 || s->p[s->n - 1] != c)
        return false;
    s->n--;
    return true;
}

/* Is the text before a string the name of a link and a colon? */
static bool announces_link(struct slice before)
{
    before = trim_end(before);
    if (!cut_end(&before, ':'))
        return false;
    before = trim_end(before);
    if (!cut_end(&before, '"'))
        return false;
    const char *quote = memrchr(before.p, '"', before.n);
    if (quote == NULL || (quote > before.p && quote[-1] == '\\'))
        return false;
    return link_is_member((struct slice){quote + 1, (size_t)(before.p + before.n - quote - 1)});
}

/* The last LINK_CONTEXT bytes of all that came before at, which lies in the input that begins at
 * start. */
static bool is_announced(const struct link_rewriter *r, const char *start, const char *at)
{
    char joined[LINK_CONTEXT];
    size_t here = (size_t)(at - start);

    if (here >= LINK_CONTEXT)
        return announces_link((struct slice){at - LINK_CONTEXT, LINK_CONTEXT});
    size_t earlier = LINK_CONTEXT - here;
    if (earlier > r->nbefore)
        earlier = r->nbefore;
    memcpy(joined, r->before + r->nbefore - earlier, earlier);
    if (here > 0)
        memcpy(joined + earlier, start, here);
    return announces_link((struct slice){joined, earlier + here});
}

static void remember(struct link_rewriter *r, const char *p, size_t n)
{
    if (n == 0)
        return;
    size_t kept = LINK_CONTEXT - (n < LINK_CONTEXT ? n : LINK_CONTEXT);

    if (n > LINK_CONTEXT) {
        p += n - LINK_CONTEXT;
        n = LINK_CONTEXT;
    }
    if (kept > r->nbefore)
        kept = r->nbefore;
    memmove(r->before, r->before + r->nbefore - kept, kept);
    memcpy(r->before + kept, p, n);
    r->nbefore = kept + n;
}

/* ---- the search ---- */

typedef unsigned char block __attribute__((vector_size(16)));

static block load(const char *p)
{
    block b;

    memcpy(&b, p, sizeof(b));
    return b;
}

static bool is_zero(block b)
{
    uint64_t halves[2];

    memcpy(halves, &b, sizeof(b));
    return (halves[0] | halves[1]) == 0;
}

/* Does a string that may be a link begin at the quote p, as far as can be seen? */
static bool begins_link(const char *p, const char *end)
{
    static const char begin[] = "\"htt";
    size_t seen = (size_t)(end - p);

    if (seen >= 4)
        return memcmp(p, begin, 4) == 0; /* a constant: no call */
    return memcmp(p, begin, seen) == 0;
}

/* The first of n bytes that begins one; NULL: none. */
static const char *find_among(const char *p, int n, const char *end)
{
    for (int i = 0; i < n; i++)
        if (p[i] == '"' && begins_link(p + i, end))
            return p + i;
    return NULL;
}

static block has_tt(const char *p)
{
    const block t = (block){0} + (unsigned char)'t';

    return (block)(load(p) == t) & (block)(load(p + 1) == t);
}

/* The first quote with htt behind it, or as much of that as there is before the end; NULL: none.
 * Most of JSON has no tt, so it is passed over 64 bytes at a time. */
static const char *find_string(const char *p, const char *end)
{
    for (; end - p > 64 + 3; p += 64) {
        if (is_zero(has_tt(p + 2) | has_tt(p + 18) | has_tt(p + 34) | has_tt(p + 50)))
            continue;
        for (int i = 0; i < 64; i += 16) {
            const char *quote = is_zero(has_tt(p + i + 2)) ? NULL : find_among(p + i, 16, end);
            if (quote != NULL)
                return quote;
        }
    }
    return find_among(p, (int)(end - p), end);
}

/* Looks on from *at; the link's string begins behind the quote. */
static const char *find_candidate(const struct link_rewriter *r, const char *start, const char *at,
                                  const char *end)
{
    const char *quote = find_string(at, end);

    while (quote != NULL && !is_announced(r, start, quote)) {
        if (quote + 1 == end)
            return NULL;
        quote = find_string(quote + 1, end);
    }
    return quote;
}

void link_run_json(struct link_rewriter *r, struct slice *in, struct link_out *o)
{
    const char *start = in->p, *end = in->p + in->n;

    if (r->matching && !link_resolve(r, in, o)) {
        remember(r, start, (size_t)(in->p - start));
        return;
    }
    const char *from = in->p, *at = from;
    while (at < end && !link_out_is_full(o)) {
        const char *quote = find_candidate(r, start, at, end);
        if (quote == NULL) {
            at = end;
            break;
        }
        at = quote + 1;
        link_out_add(o, from, (size_t)(at - from));
        if (at == end)
            r->matching = true;
        else
            link_begin(r, &at, end, o);
        from = at;
    }
    link_out_add(o, from, (size_t)(at - from));
    remember(r, start, (size_t)(at - start));
    *in = (struct slice){at, (size_t)(end - at)};
}
