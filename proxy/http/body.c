#include "http/body.h"

#include <assert.h>

#include "http/h1_reader.h"

enum { PIECES_PER_CHUNK = 3 /* the size line, the CRLF after the chunk, the last chunk */ };

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
    b->left -= n; /* has no meaning for FRAMING_CLOSE */
    if (n > 0)
        return CHUNKED_DATA;
    return b->in == FRAMING_LENGTH && b->left == 0 ? CHUNKED_END : CHUNKED_MORE;
}

/* Adds the last chunk and the trailers that may be passed on. */
static bool add_tail(struct body *b)
{
    struct slice section = buf_slice(&b->chunked.trailers);
    bool ok = true;

    buf_add_string(&b->tail, "0\r\n");
    if (section.n > 0) {
        struct head *h = head_new(b->max_fields);
        ok = h1_read_trailers(section, b->is_answer, h);
        for (size_t i = 0; ok && i < h->nfields; i++) {
            if (!field_may_be_trailer(&h->fields[i]) ||
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

/* Makes one chunk of all pieces since `first`, whatever chunks they came in. */
static void close_chunk(struct body *b, struct gather *g, size_t first, size_t content)
{
    static const char hex[] = "0123456789abcdef";
    char *end = b->size_line + sizeof(b->size_line), *p = end;

    if (b->out != FRAMING_CHUNKED)
        return;
    if (content == 0) {
        g->count = first; /* drops the place that was kept for the size line */
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
    b->complete = (b->in != FRAMING_CHUNKED && b->out != FRAMING_CHUNKED) || add_tail(b);
    if (!b->complete)
        return false;
    if (b->out == FRAMING_CHUNKED)
        gather_add(g, b->tail.p, b->tail.n);
    return true;
}

/* Adds the output of the filter for the next piece of content. BODY_FULL: there may be more. */
static enum body_result add_filtered(struct body *b, struct gather *g, size_t *content)
{
    size_t count = 0, room = GATHER_MAX - g->count - PIECES_PER_CHUNK + 1;

    enum filter_result result =
        b->filter.run(b->filter.ctx, &b->unfiltered, b->over, g->pieces + g->count, room, &count);
    for (size_t i = 0; i < count; i++)
        *content += g->pieces[g->count + i].iov_len;
    g->count += count;
    switch (result) {
    case FILTER_MORE:
        return BODY_MORE;
    case FILTER_FULL:
        return BODY_FULL;
    case FILTER_END:
        return BODY_END;
    default:
        return BODY_BAD;
    }
}

/* Like gather_content(), but each piece goes through the filter. */
static enum body_result gather_filtered(struct body *b, struct slice *in, struct gather *g,
                                        size_t *content)
{
    while (GATHER_MAX - g->count >= PIECES_PER_CHUNK + FILTER_ROOM) {
        if (b->unfiltered.n == 0 && !b->over && !b->filtered) {
            enum chunked_result read = read_piece(b, in, &b->unfiltered);
            if (read == CHUNKED_REFUSED)
                return BODY_BAD;
            b->over = read == CHUNKED_END;
            if (read != CHUNKED_DATA)
                b->unfiltered = SLICE(""); /* not NULL, because readers point into it */
            if (read == CHUNKED_MORE)
                return BODY_MORE;
        }
        enum body_result result = add_filtered(b, g, content);
        b->filtered = result == BODY_FULL;
        if (result != BODY_MORE)
            return result;
    }
    return BODY_FULL;
}

/* Adds the content as it comes. The pieces are views into *in. */
static enum body_result gather_content(struct body *b, struct slice *in, struct gather *g,
                                       size_t *content)
{
    struct slice data;

    while (!b->over && g->count + PIECES_PER_CHUNK <= GATHER_MAX) {
        switch (read_piece(b, in, &data)) {
        case CHUNKED_DATA:
            gather_add(g, data.p, data.n);
            *content += data.n;
            break;
        case CHUNKED_MORE:
            return BODY_MORE;
        case CHUNKED_END:
            return BODY_END;
        default:
            return BODY_BAD;
        }
    }
    return b->over ? BODY_END : BODY_FULL;
}

enum body_result body_next(struct body *b, struct slice *in, struct gather *g)
{
    size_t first = g->count, content = 0, bytes = g->bytes;
    enum body_result result;

    if (b->complete)
        return BODY_END;
    if (g->count + PIECES_PER_CHUNK + FILTER_ROOM >= GATHER_MAX)
        return BODY_FULL;
    if (b->out == FRAMING_CHUNKED)
        g->count++;
    result = b->filter.run == NULL ? gather_content(b, in, g, &content)
                                   : gather_filtered(b, in, g, &content);
    g->bytes = bytes + content;
    b->bytes += content;
    close_chunk(b, g, first, content);
    if (result == BODY_END && !end_body(b, g))
        return BODY_BAD;
    return result;
}

void body_put_back(struct body *b, struct slice *in)
{
    size_t n = b->unfiltered.n;

    if (n == 0)
        return;
    assert(b->unfiltered.p + n == in->p);
    *in = (struct slice){in->p - n, in->n + n};
    b->unfiltered = SLICE("");
    if (b->in == FRAMING_CHUNKED)
        chunked_put_back(&b->chunked, n);
    else
        b->left += n;
}

bool body_is_here(const struct body *b)
{
    return b->complete || b->over || (b->in == FRAMING_LENGTH && b->left == 0);
}

bool body_ends_here(struct body *b)
{
    if (b->in == FRAMING_CLOSE)
        b->over = true;
    return body_is_here(b);
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
