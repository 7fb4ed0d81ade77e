/*
 * Any bytes as JSON, XML or a batch: however they are split, the same comes out; and where no
 * server is named, what comes out is what went in.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sf/link.h"
#include "sf/link_batch.h"

enum { PIECES = 16 };

static const struct link_place place = {{"https://a.b", 11}, 443, 9443};
static const struct link_rules rules = {&place, 1, "http://localhost:8080",
                                        "http:\\/\\/localhost:8080"};

static void add_portion(struct link_rewriter *r, struct slice in, struct buf *out)
{
    struct iovec pieces[PIECES];

    do {
        size_t count = link_run(r, &in, pieces, PIECES);
        for (size_t i = 0; i < count; i++)
            buf_add(out, pieces[i].iov_base, pieces[i].iov_len);
    } while (in.n > 0);
}

static void run(enum link_syntax syntax, struct slice in, size_t step, struct buf *out)
{
    struct link_rewriter r;
    struct iovec piece;

    link_start(&r, syntax, &rules);
    for (size_t at = 0; at < in.n; at += step) {
        size_t n = in.n - at < step ? in.n - at : step;
        char *copy = mem_copy_bytes(in.p + at, n);
        add_portion(&r, (struct slice){copy, n}, out);
        free(copy);
    }
    if (link_finish(&r, &piece) > 0)
        buf_add(out, piece.iov_base, piece.iov_len);
}

static void run_batch(struct slice in, size_t step, struct buf *out)
{
    struct link_batch *b = link_batch_new(SLICE("multipart/mixed;boundary=b"), &rules);

    for (size_t at = 0; at < in.n; at += step) {
        size_t n = in.n - at < step ? in.n - at : step;
        link_batch_run(b, (struct slice){in.p + at, n}, out);
    }
    link_batch_finish(b, out);
    link_batch_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = {0}, split = {0};

    if (size < 2)
        return 0;
    struct slice in = {(const char *)data + 2, size - 2};
    size_t step = 1 + data[1] % 37;
    if (data[0] % 3 == 2) {
        run_batch(in, in.n + 1, &whole);
        run_batch(in, step, &split);
    } else {
        run((enum link_syntax)(data[0] % 3), in, in.n + 1, &whole);
        run((enum link_syntax)(data[0] % 3), in, step, &split);
    }
    if (!slice_eq(buf_slice(&whole), buf_slice(&split)))
        abort();
    bool names_host =
        in.n > 0 && (memchr(in.p, 'b', in.n) != NULL || memchr(in.p, 'B', in.n) != NULL);
    if (!names_host && !slice_eq(buf_slice(&whole), in))
        abort();
    buf_free(&whole);
    buf_free(&split);
    return 0;
}
