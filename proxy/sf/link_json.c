/*
 * JSON is not parsed. A link's string begins with "htt, so that is searched
 * for, and its name has to be right before it. An unescaped quote that is
 * followed by a letter always begins a string. Only an array with a name of
 * links is read, up to the first object or array inside it.
 */
#include "sf/link_json.h"

#include "base/block.h"
#include "sf/link_names.h"

/* ---- the name before ---- */

static struct slice trim_end(struct slice s)
{
    while (s.n > 0 && link_is_blank(s.p[s.n - 1]))
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

/* Does the text before a string or an array end with the name of a link and a colon? */
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

/* Looks at the last LINK_CONTEXT bytes before `at`. `at` lies in the input, which begins at start;
 * bytes before that are in r->before. */
static bool is_announced(const struct link_rewriter *r, const char *start, const char *at)
{
    char joined[LINK_CONTEXT];
    size_t here = (size_t)(at - start);

    if (here > 0 && at[-1] != ':' && !link_is_blank(at[-1])) /* nearly always so */
        return false;
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

static uint64_t without_first(uint64_t bytes)
{
    size_t n = 8 * block_first_of_half(bytes);

    return bytes & ~(BLOCK_LITTLE_ENDIAN ? UINT64_C(0xff) << n : UINT64_C(0xff) << 56 >> n);
}

/* Does an array, or a string that may be a link, begin at p, as far as can be seen? */
static bool may_begin(const char *p, const char *end)
{
    static const char begin[] = "\"htt";
    size_t seen = (size_t)(end - p);

    if (*p == '[')
        return true;
    if (seen >= 4)
        return memcmp(p, begin, 4) == 0; /* the length is a constant, so this is no call */
    return memcmp(p, begin, seen) == 0;
}

static bool begins(const struct link_rewriter *r, const char *start, const char *p, const char *end)
{
    return (*p == '"' || *p == '[') && may_begin(p, end) && is_announced(r, start, p);
}

/* Marks each of the 16 bytes at p that is a bracket, or that has tt two bytes after it. */
static block marks(const char *p)
{
    return (block_find(p + 2, 't') & block_find(p + 3, 't')) | block_find(p, '[');
}

/* The first marked one of 16 bytes where a link or an array begins; NULL: there is none. */
static const char *find_marked(const struct link_rewriter *r, const char *start, const char *p,
                               const char *end)
{
    uint64_t halves[2];
    block marked = marks(p);

    memcpy(halves, &marked, sizeof(marked));
    for (int i = 0; i < 2; i++)
        for (const char *at = p + 8 * (ptrdiff_t)i; halves[i] != 0;
             halves[i] = without_first(halves[i])) {
            const char *found = at + block_first_of_half(halves[i]);
            if (begins(r, start, found, end))
                return found;
        }
    return NULL;
}

/* The first place at or after p, with a link's name before it, that is a bracket or a quote with
 * htt after it (as much of htt as there is before the end); NULL: there is none. Most JSON has
 * neither, so 64 bytes are skipped at a time. */
static const char *find_announced(const struct link_rewriter *r, const char *start, const char *p,
                                  const char *end)
{
    for (; end - p > 64 + 3; p += 64) {
        if (block_is_zero(marks(p) | marks(p + 16) | marks(p + 32) | marks(p + 48)))
            continue;
        for (int i = 0; i < 64; i += 16) {
            const char *found = find_marked(r, start, p + i, end);
            if (found != NULL)
                return found;
        }
    }
    for (; p < end; p++)
        if (begins(r, start, p, end))
            return p;
    return NULL;
}

/* ---- in an array of links ---- */

/* Reads one byte. Returns true if a string begins after it. */
static bool in_array(struct link_rewriter *r, char c)
{
    if (r->json == JSON_ESCAPE) {
        r->json = JSON_STRING;
    } else if (r->json == JSON_STRING) {
        if (c == '"')
            r->json = JSON_ARRAY;
        else if (c == '\\')
            r->json = JSON_ESCAPE;
    } else if (c == '"') {
        r->json = JSON_STRING;
        return true;
    } else if (c == ']' || c == '[' || c == '{') {
        r->json = JSON_ELSEWHERE;
    }
    return false;
}

/* Reads bytes of a string that were held and passed on. */
static void read_released(struct link_rewriter *r, struct slice text)
{
    for (size_t i = 0; i < text.n && r->json != JSON_ELSEWHERE; i++)
        (void)in_array(r, text.p[i]);
}

/* Moves *at past the opening quote of the next string that may be a link. False: *at is the end. */
static bool find_link(struct link_rewriter *r, const char *start, const char **at, const char *end)
{
    while (*at < end) {
        if (r->json != JSON_ELSEWHERE) {
            if (in_array(r, *(*at)++))
                return true;
            continue;
        }
        const char *found = find_announced(r, start, *at, end);
        *at = found == NULL ? end : found + 1;
        if (found != NULL && *found == '"')
            return true;
        if (found != NULL)
            r->json = JSON_ARRAY;
    }
    return false;
}

void link_run_json(struct link_rewriter *r, struct slice *in, struct link_out *o)
{
    const char *start = in->p, *end = in->p + in->n;

    if (r->matching) {
        struct slice released;
        if (!link_resolve(r, in, o, &released)) {
            remember(r, start, (size_t)(in->p - start));
            return;
        }
        read_released(r, released);
    }
    const char *from = in->p, *at = from;
    while (at < end && !link_out_is_full(o) && find_link(r, start, &at, end)) {
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
