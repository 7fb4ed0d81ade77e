#include "http/body.h"

#include "http/h1_reader.h"

enum { PIECES_PER_CHUNK = 3 /* the size line, the CRLF behind it all, the last chunk */ };

void body_start(struct body *b, enum framing in, enum framing out, uint64_t length,
                const struct body_limits *limits)
{
    *b = (struct body){.in = in, .out = out, .left = length, .complete = in == FRAMING_NONE};
    b->chunked.max_trailers = limits->max_trailers;
    b->max_fields = limits->max_fields;
}

void body_free(struct body *b)
{
    chunked_free(&b->chunked);
    buf_free(&b->tail);
}

static enum chunked_result read_piece(struct body *b, struct slice *in, struct slice *data)
{
    size_t n = in->n;

    if (b->in == FRAMING_CHUNKED)
        return chunked_read(&b->chunked, in, data);
    if (b->in == FRAMING_LENGTH && n > b->left)
        n = (size_t)b->left;
    *data = (struct slice){in->p, n};
    in->p += n;
    in->n -= n;
    b->left -= n; /* without meaning for FRAMING_CLOSE */
    if (n > 0)
        return CHUNKED_DATA;
    return b->in == FRAMING_LENGTH && b->left == 0 ? CHUNKED_END : CHUNKED_MORE;
}

/* Adds the last chunk with those trailers that may travel. */
static bool add_tail(struct body *b)
{
    struct slice section = buf_slice(&b->chunked.trailers);
    bool ok = true;

    buf_add_string(&b->tail, "0\r\n");
    if (section.n > 0) {
        struct head *h = head_new(b->max_fields);
        ok = h1_read_trailers(section, h);
        for (size_t i = 0; ok && i < h->nfields; i++) {
            if ((field_bit(h->fields[i].id) & FIELDS_NOT_IN_TRAILERS) != 0 ||
                (b->drops_trailer != NULL && b->drops_trailer(b->drops_ctx, h->fields[i].name)))
                continue;
            buf_add_slice(&b->tail, h->fields[i].name);
            buf_add_string(&b->tail, ": ");
            buf_add_slice(&b->tail, h->fields[i].value);
            buf_add_string(&b->tail, "\r\n");
        }
        head_free(h);
    }
    buf_add_string(&b->tail, "\r\n");
    return ok;
}

/* What was gathered since piece first becomes one chunk, whatever the chunks it came in. */
static void close_chunk(struct body *b, struct gather *g, size_t first, size_t content)
{
    static const char hex[] = "0123456789abcdef";
    char *end = b->size_line + sizeof(b->size_line), *p = end;

    if (b->out != FRAMING_CHUNKED)
        return;
    if (content == 0) {
        g->count = first; /* the place kept for the size line */
        return;
    }
    *--p = '\n';
    *--p = '\r';
    for (size_t n = content; n > 0; n >>= 4)
        *--p = hex[n & 15];
    g->pieces[first].iov_base = p;
    g->pieces[first].iov_len = (size_t)(end - p);
    g->bytes += (size_t)(end - p);
    gather_add(g, "\r\n", 2);
}

static bool end_body(struct body *b, struct gather *g)
{
    b->complete = add_tail(b);
    if (!b->complete)
        return false;
    if (b->out == FRAMING_CHUNKED)
        gather_add(g, b->tail.p, b->tail.n);
    return true;
}

enum body_result body_next(struct body *b, struct slice *in, struct gather *g)
{
    size_t first = g->count, content = 0;
    enum chunked_result read = CHUNKED_DATA;
    struct slice data;

    if (b->complete)
        return BODY_END;
    if (g->count + PIECES_PER_CHUNK >= GATHER_MAX)
        return BODY_FULL;
    if (b->out == FRAMING_CHUNKED)
        g->count++;
    while (g->count + PIECES_PER_CHUNK <= GATHER_MAX) {
        read = read_piece(b, in, &data);
        if (read != CHUNKED_DATA)
            break;
        gather_add(g, data.p, data.n);
        content += data.n;
    }
    b->bytes += content;
    close_chunk(b, g, first, content);
    switch (read) {
    case CHUNKED_DATA:
        return BODY_FULL;
    case CHUNKED_MORE:
        return BODY_MORE;
    case CHUNKED_END:
        return end_body(b, g) ? BODY_END : BODY_BAD;
    default:
        return BODY_BAD;
    }
}

bool body_finish(struct body *b, struct gather *g)
{
    if (b->complete)
        return true;
    return b->in == FRAMING_CLOSE && end_body(b, g);
}

bool body_peek(enum framing in, uint64_t length, const struct body_limits *limits,
               struct slice bytes, size_t max, struct buf *content)
{
    enum chunked_result read = CHUNKED_DATA;
    struct body b;
    struct slice data;
    size_t left = max;

    body_start(&b, in, in, length, limits);
    while (!b.complete && left > 0 && (read = read_piece(&b, &bytes, &data)) == CHUNKED_DATA) {
        size_t n = data.n < left ? data.n : left;
        buf_add(content, data.p, n);
        left -= n;
    }
    bool more = !b.complete && left > 0 && read == CHUNKED_MORE;
    body_free(&b);
    return !more;
}
