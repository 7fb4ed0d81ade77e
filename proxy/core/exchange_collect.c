/*
 * Bodies of requests that are sent only when they are whole: what is rewritten has another length
 * than its caller said, some servers want a length (411), and it is known at the end only.
 *
 * What all of them hold together is limited for the process. One that comes beyond the limit goes
 * out in chunks, with what was collected of it as the first.
 */
#include "core/exchange_parts.h"

bool exchange_collect_may(const struct exchange *x, const struct head *h)
{
    return x->request.in == FRAMING_LENGTH && h->content_length <= COLLECT_MAX;
}

/* RFC 9110, 10.1.1: a caller that waits is asked for its body by the proxy itself, since nothing
 * was said to the server yet. */
static void say_continue(struct exchange *x)
{
    struct slice line = SLICE("HTTP/1.1 100 Continue\r\n\r\n");

    x->expects = false;
    (void)stream_write_bytes(client_stream(x->client), line.p, line.n);
}

/* False if the process holds too much already; kept all the same. */
static bool keep(struct exchange *x, const struct gather *g)
{
    for (size_t i = 0; i < g->count; i++)
        buf_add(&x->held, g->pieces[i].iov_base, g->pieces[i].iov_len);
    if (!quota_take_many(&x->worker->shared->collected, g->bytes))
        return false;
    x->collected += g->bytes;
    return true;
}

/* The caller that still waits is asked for its body by the server, then. */
static void stream_instead(struct exchange *x)
{
    struct buf chunk = {0};

    if (x->held.n > 0) {
        buf_addf(&chunk, "%zx\r\n", x->held.n);
        buf_add_slice(&chunk, buf_slice(&x->held));
        buf_add_string(&chunk, "\r\n");
    }
    buf_free(&x->held);
    x->held = chunk;
    x->request.out = FRAMING_CHUNKED;
    x->collecting = false;
    edit_finish_head_chunked(&x->head, x->expects);
}

enum body_result exchange_collect(struct exchange *x, struct slice *in)
{
    enum body_result result;
    struct gather g;
    bool kept;

    do {
        g.count = g.bytes = 0;
        result = body_next(&x->request, in, &g);
        kept = keep(x, &g);
    } while (result == BODY_FULL && kept);
    body_put_back(&x->request, in);
    if (result == BODY_BAD)
        return result;
    if (result == BODY_END) {
        edit_finish_head(&x->head, x->request.bytes);
        x->collecting = false;
    } else if (!kept) {
        stream_instead(x);
    } else if (result == BODY_MORE && x->expects) {
        say_continue(x);
    }
    return result;
}

void exchange_collect_end(struct exchange *x)
{
    quota_give_many(&x->worker->shared->collected, x->collected);
    x->collected = 0;
}
