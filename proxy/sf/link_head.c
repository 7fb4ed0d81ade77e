#include "sf/link_head.h"

#include "sf/link_field.h"
#include "sf/link_names.h"

/* ---- lines ---- */

struct line {
    struct slice whole; /* with its line end */
    struct slice text;
    struct slice name, value; /* if it is a field */
};

/* The rest after the last line end counts as a line too. */
static bool next_line(struct slice *rest, struct line *out)
{
    if (rest->n == 0)
        return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end + 1 - rest->p);
    out->whole = (struct slice){rest->p, n};
    rest->p += n;
    rest->n -= n;
    out->text = out->whole;
    while (out->text.n > 0 &&
           (out->text.p[out->text.n - 1] == '\n' || out->text.p[out->text.n - 1] == '\r'))
        out->text.n--;
    out->value = out->text;
    out->name = slice_trim(slice_split(&out->value, ':'));
    out->value = slice_trim(out->value);
    return true;
}

static bool is_folded(const struct line *l)
{
    return l->text.n > 0 && (l->text.p[0] == ' ' || l->text.p[0] == '\t');
}

static bool is_named(const struct line *l, struct slice name)
{
    return slice_eq_nocase(l->name, name);
}

/* ---- reading ---- */

static void note_field(struct link_head *h, const struct line *l)
{
    if (is_named(l, SLICE("content-type")))
        h->content_type = l->value;
    else if (is_named(l, SLICE("content-length")))
        h->has_length = true;
    else if (is_named(l, SLICE("content-encoding")) || is_named(l, SLICE("transfer-encoding")))
        h->coded = true;
}

/* A field continues in lines that begin with a blank (RFC 822, 3.1.1). */
static void note_folded(struct link_head *h, const struct line *before, const struct line *l)
{
    if (h->content_type.p != NULL && is_named(before, SLICE("content-type")))
        h->content_type.n = (size_t)(l->text.p + l->text.n - h->content_type.p);
}

bool link_head_read(struct slice *rest, bool is_message, struct link_head *out)
{
    struct slice begin = *rest;
    struct line l, field = {0};
    bool first = true;

    *out = (struct link_head){.is_message = is_message};
    while (next_line(rest, &l)) {
        out->text = (struct slice){begin.p, begin.n - rest->n};
        if (l.text.n == 0)
            return true;
        if (is_folded(&l)) {
            note_folded(out, &field, &l);
        } else if (!first || !is_message) {
            note_field(out, &l);
            field = l;
        }
        first = false;
    }
    return false;
}

/* ---- writing ---- */

/* The first line of a response is a status line (RFC 9112, 4). */
static bool is_request(const struct link_head *h)
{
    return h->is_message && (h->text.n < 5 || memcmp(h->text.p, "HTTP/", 5) != 0);
}

/* In a request line the target follows the method (RFC 9112, 3). */
static void add_request_line(const struct link_rules *rules, const struct line *l, struct buf *out)
{
    struct slice text = l->text;

    (void)slice_split(&text, ' ');
    while (text.n > 0 && *text.p == ' ')
        text.p++, text.n--;
    struct slice target = slice_split(&text, ' ');
    const char *end = l->whole.p + l->whole.n;
    buf_add(out, l->whole.p, (size_t)(target.p - l->whole.p));
    link_write_url(rules, target, out);
    buf_add(out, target.p + target.n, (size_t)(end - target.p) - target.n);
}

/* Writes the corrected length. A length that cannot be right is not changed. */
static void add_length(struct slice value, uint64_t grown, struct buf *out)
{
    uint64_t length;

    if (slice_to_u64(value, INT64_MAX, &length) && grown != 0 && length + grown <= INT64_MAX)
        buf_add_u64(out, length + grown);
    else
        buf_add_slice(out, value);
}

static void add_value(const struct link_rules *rules, const struct line *l, bool in_request,
                      struct buf *out)
{
    enum link_kind kind = link_field(l->name);

    switch (kind == LINK_FIELD_HOST && !in_request ? LINK_NOT_KNOWN : kind) {
    case LINK_FIELD:
        link_write_url(rules, l->value, out);
        break;
    case LINK_FIELD_TARGETS:
        link_write_targets(rules, l->value, out);
        break;
    case LINK_FIELD_HOST:
        link_write_host(rules, l->value, out);
        break;
    default:
        buf_add_slice(out, l->value);
        break;
    }
}

void link_head_write(const struct link_rules *rules, const struct link_head *h, bool with_length,
                     uint64_t grown, struct buf *out)
{
    struct slice rest = h->text;
    struct line l;
    bool in_request = is_request(h), first = true;

    for (; next_line(&rest, &l); first = false) {
        bool is_length = is_named(&l, SLICE("content-length"));
        if (first && in_request) {
            add_request_line(rules, &l, out);
            continue;
        }
        if (is_folded(&l))
            buf_add_slice(out, l.whole);
        if (is_folded(&l) || (is_length && !with_length))
            continue;
        buf_add(out, l.whole.p, (size_t)(l.value.p - l.whole.p));
        if (is_length)
            add_length(l.value, grown, out);
        else
            add_value(rules, &l, in_request, out);
        buf_add(out, l.value.p + l.value.n,
                (size_t)(l.whole.p + l.whole.n - l.value.p) - l.value.n);
    }
}
