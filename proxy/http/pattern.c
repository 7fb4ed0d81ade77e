#include "http/pattern.h"

#include "http/chars.h"
#include "http/rules_path.h"

/* ---- matching ---- */

/* Does the path continue at *i with that text? Moves *i past it. */
static bool begins(struct slice path, size_t *i, struct slice text)
{
    while (text.n > 0) {
        if (*i >= path.n)
            return false;
        struct rules_unit u = rules_next_unit(path, i);
        if (u.n > text.n || memcmp(u.text, text.p, u.n) != 0)
            return false;
        text = (struct slice){text.p + u.n, text.n - u.n};
    }
    return true;
}

/* Does the path, from the offset `from` on, end with that text? */
static bool ends(struct slice path, size_t from, struct slice text)
{
    size_t end = path.n;

    while (text.n > 0) {
        if (end <= from)
            return false;
        size_t i = end = rules_unit_before(path, from, end);
        struct rules_unit u = rules_next_unit(path, &i);
        if (u.n > text.n || memcmp(u.text, text.p + text.n - u.n, u.n) != 0)
            return false;
        text.n -= u.n;
    }
    return true;
}

static bool fits_segment(const struct pattern *p, struct slice wanted, struct slice segment)
{
    struct slice tail = wanted, head = slice_split(&tail, '*');
    bool star = head.n < wanted.n;
    size_t i = 0;

    if (!begins(segment, &i, head))
        return false;
    if (!star)
        return i == segment.n;
    return ends(segment, i, tail) && (p->covers_batch || !rules_segment_is_batch(segment));
}

/* Bytes that are not percent-encoded can be compared without decoding units. */
bool pattern_may_fit(const struct pattern *p, struct slice beginning)
{
    size_t i = 0;

    while (i < p->text.n && i < beginning.n && p->text.p[i] == beginning.p[i]) {
        if (p->text.p[i] == '*' || p->text.p[i] == '%')
            return true;
        i++;
    }
    return i >= p->text.n || i >= beginning.n || p->text.p[i] == '*' || p->text.p[i] == '%' ||
           beginning.p[i] == '%' || char_is(beginning.p[i], CHAR_ENCODE);
}

bool pattern_fits(const struct pattern *p, struct slice path)
{
    struct slice rest = {p->text.n == 0 ? "" : p->text.p, p->text.n}, wanted, segment;
    size_t i = 0;

    while (rules_next_segment(&rest, &wanted)) {
        if (p->any_rest && rest.p == NULL)
            return path.p != NULL && begins(path, &i, wanted) &&
                   (p->covers_batch || !rules_path_has_batch(path));
        if (!rules_next_segment(&path, &segment) || !fits_segment(p, wanted, segment))
            return false;
    }
    return path.p == NULL;
}

/* ---- reading ---- */

static bool has_two_stars(struct slice text)
{
    struct slice segment;

    while (rules_next_segment(&text, &segment)) {
        const char *star = segment.n == 0 ? NULL : memchr(segment.p, '*', segment.n);
        if (star != NULL && memchr(star + 1, '*', (size_t)(segment.p + segment.n - star - 1)))
            return true;
    }
    return false;
}

const char *pattern_find_flaw(struct slice text)
{
    if (text.p[0] != '/' && !slice_eq(text, SLICE("*")))
        return "has a path that does not begin with '/'";
    if (memchr(text.p, ' ', text.n) != NULL)
        return "has a blank in its path (a comma inside parentheses separates no rules)";
    if (memchr(text.p, '?', text.n) != NULL)
        return "has a query, which is not looked at; end it before the '?'";
    if (!chars_are(text, CHAR_TARGET | CHAR_ENCODE))
        return "has a character that no path holds; percent-encode it";
    if (has_two_stars(text))
        return "has two `*` in one segment of its path, where one is served";
    return NULL;
}

void pattern_set(struct pattern *p, struct slice text)
{
    p->any_rest = text.p[text.n - 1] == '*';
    if (p->any_rest)
        text.n--;
    for (size_t i = 0; i < text.n;) {
        struct rules_unit u = rules_next_unit(text, &i);
        buf_add(&p->text, u.text, u.n);
    }
}

void pattern_free(struct pattern *p)
{
    buf_free(&p->text);
}

void pattern_write(const struct pattern *p, struct buf *out)
{
    buf_addf(out, "%.*s%s", (int)p->text.n, p->text.n == 0 ? "" : p->text.p,
             p->any_rest ? "*" : "");
}

struct slice pattern_next_item(struct slice *text)
{
    size_t i = 0;
    int depth = 0;

    for (; i < text->n && (text->p[i] != ',' || depth > 0); i++)
        depth += text->p[i] == '(' ? 1 : text->p[i] == ')' && depth > 0 ? -1 : 0;
    struct slice item = {text->p, i};
    *text =
        i < text->n ? (struct slice){text->p + i + 1, text->n - i - 1} : (struct slice){NULL, 0};
    return slice_trim(item);
}
