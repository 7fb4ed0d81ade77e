/*
 * Any bytes as a chunked body: however they are split, the same content comes
 * out, and what goes out is a chunked body again; also if it goes through a
 * filter whose sink is full all the time.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "http/body.h"

static const struct body_limits limits = {1024, 20};

/* Takes two bytes at a time, and says that there is no room for more. */
static enum filter_result sip(void *ctx, struct slice *content, bool last, struct iovec *pieces,
                              size_t room, size_t *count)
{
    size_t n = content->n < 2 ? content->n : 2;

    (void)ctx;
    (void)room;
    *count = n > 0 ? 1 : 0;
    pieces[0] = (struct iovec){(void *)(uintptr_t)content->p, n};
    *content = (struct slice){content->p + n, content->n - n};
    return content->n > 0 ? FILTER_FULL : last ? FILTER_END : FILTER_MORE;
}

/* One call; what it puts back is shown to the next one at another place. */
static enum body_result next_held(struct body *b, struct buf *shown, struct buf *out)
{
    struct gather g = {0};
    char *copy = mem_copy_bytes(shown->n == 0 ? "" : shown->p, shown->n);
    struct slice in = {copy, shown->n};

    enum body_result result = body_next(b, &in, &g);
    for (size_t i = 0; i < g.count; i++)
        buf_add(out, g.pieces[i].iov_base, g.pieces[i].iov_len);
    if (result == BODY_FULL)
        body_put_back(b, &in);
    if (in.n > 0)
        memmove(shown->p, in.p, in.n);
    shown->n = in.n;
    free(copy);
    return result;
}

static enum body_result run_held(struct slice in, bool is_answer, size_t step, struct buf *out)
{
    struct body b;
    struct buf shown = {0};
    enum body_result result = BODY_MORE;

    body_start(&b, FRAMING_CHUNKED, FRAMING_CHUNKED, 0, &limits);
    b.is_answer = is_answer;
    b.filter.run = sip;
    while (result == BODY_FULL || (result == BODY_MORE && in.n > 0)) {
        size_t n = result == BODY_FULL ? 0 : in.n < step ? in.n : step;
        buf_add(&shown, in.p, n);
        in = (struct slice){in.p + n, in.n - n};
        result = next_held(&b, &shown, out);
    }
    buf_free(&shown);
    body_free(&b);
    return result;
}

static enum body_result run(struct slice in, bool is_answer, size_t step, struct buf *out)
{
    struct body b;
    enum body_result result = BODY_MORE;
    size_t at = 0;

    body_start(&b, FRAMING_CHUNKED, FRAMING_CHUNKED, 0, &limits);
    b.is_answer = is_answer;
    while (result == BODY_MORE && at < in.n) {
        size_t n = in.n - at < step ? in.n - at : step;
        struct slice portion = {mem_copy_bytes(in.p + at, n), n};
        char *copy = (char *)(uintptr_t)portion.p;
        do {
            struct gather g = {0};
            result = body_next(&b, &portion, &g);
            for (size_t i = 0; i < g.count; i++)
                buf_add(out, g.pieces[i].iov_base, g.pieces[i].iov_len);
        } while (result == BODY_FULL);
        at += n - portion.n;
        free(copy);
    }
    body_free(&b);
    return result;
}

/* The content alone, then a mark if it is complete. */
static enum chunked_result content_of(struct slice chunked, struct buf *out)
{
    struct chunked c = {.max_trailers = 4096};
    struct slice data;
    enum chunked_result result;

    while ((result = chunked_read(&c, &chunked, &data)) == CHUNKED_DATA)
        buf_add_slice(out, data);
    chunked_free(&c);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {(const char *)data, size};
    struct buf whole = {0}, split = {0}, held = {0}, a = {0}, b = {0}, c = {0};
    bool is_answer = size % 2 == 1;
    enum body_result r1 = run(bytes, is_answer, size + 1, &whole);
    size_t step = size > 0 ? 1 + data[0] % 7 : 1;
    enum body_result r2 = run(bytes, is_answer, step, &split);
    enum body_result r3 = run_held(bytes, is_answer, step, &held);

    if (r1 != r2 || r1 != r3)
        abort();
    enum chunked_result c1 = content_of(buf_slice(&whole), &a),
                        c2 = content_of(buf_slice(&split), &b),
                        c3 = content_of(buf_slice(&held), &c);
    if (c1 == CHUNKED_REFUSED || c2 == CHUNKED_REFUSED || c3 != c1 ||
        (r1 == BODY_END) != (c1 == CHUNKED_END))
        abort();
    if (!slice_eq(buf_slice(&a), buf_slice(&b)) || !slice_eq(buf_slice(&a), buf_slice(&c)))
        abort();
    buf_free(&whole);
    buf_free(&split);
    buf_free(&held);
    buf_free(&c);
    buf_free(&a);
    buf_free(&b);
    return 0;
}
