#include "sf/link_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_BOUNDARY = 70 /* RFC 2046, 5.1.1 */ };

struct link_batch {
    const struct link_rules *rules;
    int depth;
    char delimiter[MAX_BOUNDARY + 3]; /* with the two dashes */
    size_t ndelimiter;
    struct buf buffer;
    size_t gone;     /* of the buffer; behind it stands the segment: what came since the last */
    size_t searched; /* delimiter, without its dashes and boundary; so much of that was searched */
    bool begun;      /* a delimiter was seen */
    bool passing;    /* the part is too large to be collected */
};

/* ---- media types ---- */

bool link_syntax_of(struct slice media_type, enum link_syntax *out)
{
    bool json = slice_eq_nocase(media_type, SLICE("application/json")) ||
                slice_eq_nocase(media_type, SLICE("text/json")) ||
                slice_ends_nocase(media_type, SLICE("+json"));

    *out = json ? LINK_JSON : LINK_XML;
    return json || slice_eq_nocase(media_type, SLICE("application/xml")) ||
           slice_eq_nocase(media_type, SLICE("text/xml")) ||
           slice_ends_nocase(media_type, SLICE("+xml"));
}

static struct slice unquoted(struct slice s)
{
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        return (struct slice){s.p + 1, s.n - 2};
    return s;
}

/* The parameter's value; empty: there is none. */
static struct slice boundary_of(struct slice content_type)
{
    struct slice rest = content_type, type = slice_trim(slice_split(&rest, ';'));

    if (!slice_eq_nocase(type, SLICE("multipart/mixed")))
        return (struct slice){NULL, 0};
    while (rest.n > 0) {
        struct slice value = slice_split(&rest, ';');
        struct slice name = slice_trim(slice_split(&value, '='));
        if (slice_eq_nocase(name, SLICE("boundary")))
            return unquoted(slice_trim(value));
    }
    return (struct slice){NULL, 0};
}

/* ---- heads within parts: lines up to an empty one ---- */

struct line {
    struct slice whole; /* with its end */
    bool empty;
    struct slice name, value;
};

static bool next_line(struct slice *rest, struct line *out)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

    if (end == NULL)
        return false;
    out->whole = (struct slice){rest->p, (size_t)(end + 1 - rest->p)};
    rest->p += out->whole.n;
    rest->n -= out->whole.n;
    struct slice text = out->whole;
    while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    out->empty = text.n == 0;
    out->value = text;
    out->name = slice_trim(slice_split(&out->value, ':'));
    out->value = slice_trim(out->value);
    return true;
}

/* A head is `lines` up to and with the empty line; what is behind it is its content. */
struct message {
    struct slice head, content;
    struct slice content_type;
    bool has_length, coded;
    uint64_t length;
};

static bool note_field(struct message *m, const struct line *l)
{
    if (slice_eq_nocase(l->name, SLICE("content-type")))
        m->content_type = l->value;
    else if (slice_eq_nocase(l->name, SLICE("content-encoding")) ||
             slice_eq_nocase(l->name, SLICE("transfer-encoding")))
        m->coded = true;
    if (!slice_eq_nocase(l->name, SLICE("content-length")))
        return true;
    m->has_length = slice_to_u64(l->value, LINK_BATCH_PART, &m->length);
    return m->has_length;
}

/* False: it has no end of a head, or an unsound length, and is left as it is. */
static bool read_message(struct slice text, struct message *m)
{
    struct slice rest = text;
    struct line l;

    *m = (struct message){.head = text};
    while (next_line(&rest, &l)) {
        if (l.empty) {
            m->head.n = (size_t)(rest.p - text.p);
            m->content = rest;
            return !m->has_length || m->length <= rest.n;
        }
        if (!note_field(m, &l))
            return false;
    }
    return false;
}

static void add_link_line(const struct link_rules *rules, const struct line *l, struct buf *out)
{
    size_t n = link_prefix(rules, l->value);

    buf_add(out, l->whole.p, (size_t)(l->value.p - l->whole.p));
    if (n > 0)
        buf_add_string(out, rules->base);
    buf_add(out, l->value.p + n, (size_t)(l->whole.p + l->whole.n - l->value.p) - n);
}

/* grown: by how much the content is longer than it was, modulo 2^64. */
static void add_head(const struct link_rules *rules, const struct message *m, uint64_t grown,
                     struct buf *out)
{
    struct slice rest = m->head;
    struct line l;

    while (next_line(&rest, &l)) {
        if (slice_eq_nocase(l.name, SLICE("content-length")) && m->has_length) {
            buf_add(out, l.whole.p, (size_t)(l.value.p - l.whole.p));
            buf_add_u64(out, m->length + grown);
            buf_add(out, l.value.p + l.value.n,
                    (size_t)(l.whole.p + l.whole.n - l.value.p) - l.value.n);
        } else if (slice_eq_nocase(l.name, SLICE("location")) ||
                   slice_eq_nocase(l.name, SLICE("content-location"))) {
            add_link_line(rules, &l, out);
        } else {
            buf_add_slice(out, l.whole);
        }
    }
}

/* ---- contents ---- */

static void add_rewritten(const struct link_rules *rules, enum link_syntax syntax,
                          struct slice content, struct buf *out)
{
    struct link_rewriter r;
    struct iovec pieces[64];

    link_start(&r, syntax, rules);
    while (content.n > 0) {
        size_t count = link_run(&r, &content, pieces, ARRAY_LEN(pieces));
        for (size_t i = 0; i < count; i++)
            buf_add(out, pieces[i].iov_base, pieces[i].iov_len);
    }
    if (link_finish(&r, pieces) > 0)
        buf_add(out, pieces[0].iov_base, pieces[0].iov_len);
}

static void add_nested(const struct link_batch *parent, const struct message *m,
                       struct slice content, struct buf *out)
{
    struct link_batch *b =
        parent->depth < LINK_BATCH_DEPTH ? link_batch_new(m->content_type, parent->rules) : NULL;

    if (b == NULL) {
        buf_add_slice(out, content);
        return;
    }
    b->depth = parent->depth + 1;
    link_batch_run(b, content, out);
    link_batch_finish(b, out);
    link_batch_free(b);
}

static void add_message(const struct link_batch *b, struct slice text, struct buf *out);

static void add_content(const struct link_batch *b, const struct message *m, struct slice content,
                        struct buf *out)
{
    struct slice rest = m->content_type, type = slice_trim(slice_split(&rest, ';'));
    enum link_syntax syntax;

    if (m->coded)
        buf_add_slice(out, content);
    else if (link_syntax_of(type, &syntax))
        add_rewritten(b->rules, syntax, content, out);
    else if (slice_eq_nocase(type, SLICE("application/http")))
        add_message(b, content, out);
    else
        add_nested(b, m, content, out);
}

/* Of a response the status line is no field, and passes as one without harm. */
static void add_message(const struct link_batch *b, struct slice text, struct buf *out)
{
    struct buf content = {0};
    struct message m;

    if (!read_message(text, &m)) {
        buf_add_slice(out, text);
        return;
    }
    struct slice whole = m.content;
    if (m.has_length)
        whole.n = (size_t)m.length;
    add_content(b, &m, whole, &content);
    add_head(b->rules, &m, (uint64_t)content.n - whole.n, out);
    buf_add_slice(out, buf_slice(&content));
    buf_add(out, whole.p + whole.n, m.content.n - whole.n);
    buf_free(&content);
}

/* ---- the whole ---- */

bool link_batch_is(struct slice content_type)
{
    struct slice boundary = boundary_of(content_type);

    return boundary.n > 0 && boundary.n <= MAX_BOUNDARY;
}

struct link_batch *link_batch_new(struct slice content_type, const struct link_rules *rules)
{
    struct slice boundary = boundary_of(content_type);

    if (boundary.p == NULL || !link_batch_is(content_type))
        return NULL;
    struct link_batch *b = NEW(struct link_batch);
    b->rules = rules;
    memcpy(b->delimiter, "--", 2);
    memcpy(b->delimiter + 2, boundary.p, boundary.n);
    b->ndelimiter = boundary.n + 2;
    return b;
}

void link_batch_free(struct link_batch *b)
{
    if (b == NULL)
        return;
    buf_free(&b->buffer);
    free(b);
}

static struct slice segment_of(const struct link_batch *b)
{
    if (b->buffer.n == b->gone)
        return SLICE("");
    return (struct slice){b->buffer.p + b->gone, b->buffer.n - b->gone};
}

static bool is_line_blank(char c)
{
    return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

/* Is that the end of a delimiter? Another boundary may begin as this one does, and go on with a
 * dash: only two of them end the last delimiter. *sure: enough has come to tell. */
static bool ends_delimiter(const char *behind, const char *end, bool *sure)
{
    *sure = behind < end && (*behind != '-' || behind + 1 < end);
    return *sure && (*behind == '-' ? behind[1] == '-' : is_line_blank(*behind));
}

/* The first delimiter that stands at the beginning of a line and is followed by something that
 * tells its end; NULL: none so far, and up to *searched none will be. */
static const char *find_delimiter(const struct link_batch *b, size_t *searched)
{
    struct slice segment = segment_of(b);
    const char *p = segment.p + *searched, *end = segment.p + segment.n, *found;

    while ((found = memmem(p, (size_t)(end - p), b->delimiter, b->ndelimiter)) != NULL) {
        bool at_start = found > segment.p ? found[-1] == '\n' : !b->begun, sure;
        bool ends = ends_delimiter(found + b->ndelimiter, end, &sure);
        if (!sure) {
            *searched = (size_t)(found - segment.p);
            return NULL;
        }
        if (at_start && ends)
            return found;
        p = found + 1;
    }
    size_t n = segment.n;
    *searched = n < b->ndelimiter ? 0 : n - b->ndelimiter;
    return NULL;
}

static size_t line_end_before(const char *start, const char *p)
{
    if (p > start && p[-1] == '\n')
        return p > start + 1 && p[-2] == '\r' ? 2 : 1;
    return 0;
}

/* A part: the rest of the delimiter's line, then the message. The preamble passes as it is. */
static void add_segment(struct link_batch *b, struct slice segment, struct buf *out)
{
    struct slice rest = segment;
    struct line first;

    if (!b->begun || b->passing || segment.n > LINK_BATCH_PART || !next_line(&rest, &first)) {
        buf_add_slice(out, segment);
        return;
    }
    buf_add_slice(out, first.whole);
    add_message(b, rest, out);
}

static void consume(struct link_batch *b, size_t n)
{
    b->gone += n;
    b->searched = 0;
}

/* Once for all that one call has used: whatever the number of parts. */
static void close_gap(struct link_batch *b)
{
    if (b->gone == 0)
        return;
    b->buffer.n -= b->gone;
    memmove(b->buffer.p, b->buffer.p + b->gone, b->buffer.n);
    b->gone = 0;
}

/* What is certainly no delimiter can go out of a part that is not collected. */
static void pass(struct link_batch *b, struct buf *out)
{
    struct slice segment = segment_of(b);
    size_t kept = b->ndelimiter + 3, n = segment.n > kept ? segment.n - kept : 0;

    buf_add(out, segment.p, n);
    if (n > 0)
        consume(b, n);
}

void link_batch_run(struct link_batch *b, struct slice in, struct buf *out)
{
    const char *found;

    buf_add_slice(&b->buffer, in);
    while (segment_of(b).n > 0 && (found = find_delimiter(b, &b->searched)) != NULL) {
        const char *start = segment_of(b).p;
        size_t end = (size_t)(found - start);
        size_t line = line_end_before(start, found);
        add_segment(b, (struct slice){start, end - line}, out);
        buf_add(out, found - line, line + b->ndelimiter);
        consume(b, end + b->ndelimiter);
        b->begun = true;
        b->passing = false;
    }
    if (segment_of(b).n > LINK_BATCH_PART + b->ndelimiter + 3) /* the part is, wherever it ends */
        b->passing = true;
    if (b->passing)
        pass(b, out);
    close_gap(b);
}

void link_batch_finish(struct link_batch *b, struct buf *out)
{
    buf_add_slice(out, segment_of(b)); /* the epilogue, or a part that never ended */
    b->buffer.n = 0;
}
