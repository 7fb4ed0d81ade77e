/*
 * Any bytes as JSON, XML or a batch, with a base that is shorter than the server's or longer:
 * however they are split, the same comes out; where no server is named, what comes out is what went
 * in; and what came out has nothing left to be changed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sf/link.h"
#include "sf/link_batch.h"

enum { PIECES = 16, PART_MAX = 120, OUTPUT_MAX = 2 * LINK_BATCH_TURN };

static const struct link_place place = {{"https://a.b", 11}, 443, 9443};
static const struct link_rules rules[] = {
    {&place, 1, "http://c", "http:\\/\\/c"},
    {&place, 1, "http://localhost:8080", "http:\\/\\/localhost:8080"},
};

static void add_portion(struct link_rewriter *r, struct slice in, struct buf *out)
{
    struct iovec pieces[PIECES];

    do {
        size_t count = link_run(r, &in, pieces, PIECES);
        for (size_t i = 0; i < count; i++)
            buf_add(out, pieces[i].iov_base, pieces[i].iov_len);
    } while (in.n > 0);
}

static void run(enum link_syntax syntax, const struct link_rules *to, struct slice in, size_t step,
                struct buf *out)
{
    struct link_rewriter r;
    struct iovec piece;

    link_start(&r, syntax, to);
    for (size_t at = 0; at < in.n; at += step) {
        size_t n = in.n - at < step ? in.n - at : step;
        char *copy = mem_copy_bytes(in.p + at, n);
        add_portion(&r, (struct slice){copy, n}, out);
        free(copy);
    }
    if (link_finish(&r, &piece) > 0)
        buf_add(out, piece.iov_base, piece.iov_len);
}

static void run_batch(const struct link_rules *to, struct slice in, size_t step, struct buf *out)
{
    struct link_batch *b = link_batch_new(SLICE("multipart/mixed;boundary=b"), to, PART_MAX);
    bool more = true;

    for (size_t at = 0; at < in.n; at += step) {
        struct slice portion = {in.p + at, in.n - at < step ? in.n - at : step};
        while (link_batch_run(b, &portion, out) || portion.n > 0)
            continue;
    }
    while (more) {
        size_t had = out->n;
        more = link_batch_finish(b, out);
        if (out->n - had > OUTPUT_MAX + in.n)
            abort();
    }
    link_batch_free(b);
}

static void rewrite(unsigned kind, const struct link_rules *to, struct slice in, size_t step,
                    struct buf *out)
{
    if (kind == 2)
        run_batch(to, in, step, out);
    else
        run((enum link_syntax)kind, to, in, step, out);
}

static bool names_place(struct slice in)
{
    for (size_t i = 0; i + 3 <= in.n; i++)
        if (slice_eq_nocase((struct slice){in.p + i, 3}, SLICE("a.b")))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = {0}, split = {0}, again = {0};

    if (size < 2)
        return 0;
    struct slice in = {(const char *)data + 2, size - 2};
    unsigned kind = data[0] % 3;
    const struct link_rules *to = &rules[data[0] / 3 % 2];
    rewrite(kind, to, in, in.n + 1, &whole);
    rewrite(kind, to, in, 1 + data[1] % 37, &split);
    if (!slice_eq(buf_slice(&whole), buf_slice(&split)))
        abort();
    if (!names_place(in) && !slice_eq(buf_slice(&whole), in))
        abort();
    if (kind != 2) {
        rewrite(kind, to, buf_slice(&whole), whole.n + 1, &again);
        if (!slice_eq(buf_slice(&whole), buf_slice(&again)))
            abort();
    }
    buf_free(&whole);
    buf_free(&split);
    buf_free(&again);
    return 0;
}
