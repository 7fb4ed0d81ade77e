/*
 * Any bytes as a chunked body: however they are split, the same content comes
 * out, and what goes out is a chunked body again.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "http/body.h"

static const struct body_limits limits = {1024, 20};

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
    struct buf whole = {0}, split = {0}, a = {0}, b = {0};
    bool is_answer = size % 2 == 1;
    enum body_result r1 = run(bytes, is_answer, size + 1, &whole);
    enum body_result r2 = run(bytes, is_answer, size > 0 ? 1 + data[0] % 7 : 1, &split);

    if (r1 != r2)
        abort();
    enum chunked_result c1 = content_of(buf_slice(&whole), &a),
                        c2 = content_of(buf_slice(&split), &b);
    if (c1 == CHUNKED_REFUSED || c2 == CHUNKED_REFUSED || (r1 == BODY_END) != (c1 == CHUNKED_END))
        abort();
    if (!slice_eq(buf_slice(&a), buf_slice(&b)))
        abort();
    buf_free(&whole);
    buf_free(&split);
    buf_free(&a);
    buf_free(&b);
    return 0;
}
