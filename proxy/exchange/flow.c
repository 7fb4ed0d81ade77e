/* flow: moves the bytes of both halves between the pumps and the streams. See
 * inner.h. */
#include "exchange/inner.h"
#include "upstream/upstream.h"

enum {
    /* When a filter has rewritten that many bytes of a body, other tasks of the loop get a turn. It
     * is as much as one read brings in. */
    PORTION = 256 * 1024
};

/* ---- the request ---- */

void exchange_hold_caller(struct exchange *x)
{
    stream_pause(client_stream(x->client));
}

static void say_continue(struct exchange *x)
{
    struct slice line = SLICE("HTTP/1.1 100 Continue\r\n\r\n");

    (void)stream_write_bytes(client_stream(x->client), line.p, line.n);
}

/* No connection is taken while a body is collected, because anything that a server says on an idle
 * connection would be read as the answer. */
struct decision exchange_collect(struct exchange *x, struct slice *in)
{
    if (x->state != EXCHANGE_COLLECT)
        exchange_set_state(x, EXCHANGE_COLLECT);
    x->upload = UPLOAD_FLOWING;
    switch (request_pump_collect(&x->request, in)) {
    case COLLECT_READY:
        return exchange_choose_identity(x);
    case COLLECT_BAD:
        in->n = 0;
        return exchange_fails_plain(x, FAIL_REQUEST_BODY);
    case COLLECT_ASK:
        say_continue(x);
        break;
    default:
        break;
    }
    stream_resume(client_stream(x->client));
    exchange_await(x);
    return DECIDE(STEP_WAIT);
}

/* A filter may make much output of little input, so it stops while the server does not read. */
static bool upload_has_to_stop(const struct exchange *x)
{
    return x->upload == UPLOAD_BLOCKED && x->request.links != NULL;
}

struct decision exchange_send(struct exchange *x, struct slice *in)
{
    enum body_result result;
    struct gather g;

    do {
        g.count = g.bytes = 0;
        result = request_pump_next(&x->request, in, &g);
        if (g.count > 0 && !stream_write(upstream_stream(x->upstream), g.pieces, g.count))
            x->upload = UPLOAD_BLOCKED;
    } while (result == BODY_FULL && !upload_has_to_stop(x));
    if (result == BODY_BAD) {
        in->n = 0;
        return exchange_fails_plain(x, FAIL_REQUEST_BODY);
    }
    request_pump_stop(&x->request, in);
    if (result == BODY_END) {
        x->upload = UPLOAD_DONE;
        stream_expect_nothing(client_stream(x->client));
    } else if (x->upload == UPLOAD_BLOCKED) {
        exchange_hold_caller(x);
    } else {
        stream_resume(client_stream(x->client));
    }
    exchange_await(x);
    return DECIDE(STEP_WAIT);
}

/* ---- the answer ---- */

static void hold_server(struct exchange *x)
{
    stream_pause(upstream_stream(x->upstream));
}

static void send_pieces(struct exchange *x, struct gather *g)
{
    if (g->count > 0 && !stream_write(client_stream(x->client), g->pieces, g->count)) {
        x->download = DOWNLOAD_BLOCKED;
        hold_server(x);
        stream_read_less(upstream_stream(x->upstream));
    }
    g->count = g->bytes = 0;
}

/* A filter can make any amount of output of one read's input. So it stops while the caller does not
 * read, and after each PORTION, so that other tasks of the loop get a turn. */
static bool download_has_to_stop(const struct exchange *x, size_t relayed)
{
    return x->answer.links != NULL && (x->download == DOWNLOAD_BLOCKED || relayed >= PORTION);
}

/* g may hold the head already. If passing has to stop, the rest of the input stays in the server's
 * stream until the caller has read what is queued, or until the next turn. */
static struct decision relay(struct exchange *x, struct slice *in, struct gather *g)
{
    enum body_result result;
    size_t relayed = 0;

    x->download = DOWNLOAD_FLOWING;
    do {
        result = answer_pump_next(&x->answer, in, g);
        relayed += g->bytes;
        send_pieces(x, g);
    } while (result == BODY_FULL && !download_has_to_stop(x, relayed));
    if (result == BODY_END)
        return (struct decision){.step = STEP_FINISH,
                                 .closing =
                                     in->n == 0 ? NULL : "the server sent more than its answer"};
    if (result == BODY_BAD)
        return exchange_fails_plain(x, FAIL_ANSWER_MALFORMED);
    if (result == BODY_FULL) {
        answer_pump_stop(&x->answer, in);
        hold_server(x);
    }
    if (result == BODY_FULL && x->download != DOWNLOAD_BLOCKED) {
        x->download = DOWNLOAD_HELD;
        task_defer(x->all->loop, &x->go_on);
    }
    exchange_await(x);
    return DECIDE(STEP_WAIT);
}

static struct decision relay_interim(struct exchange *x, const struct head *h)
{
    struct buf *room = &x->all->scratch;

    room->n = 0;
    struct decision d = exchange_write_interim(x, h, room);
    if (d.step == STEP_RELAY && room->n > 0)
        (void)stream_write_bytes(client_stream(x->client), room->p, room->n);
    return d;
}

/* Reads heads up to the final one, and passes that on with the bytes after it. WAIT: the final head
 * has not come yet, or the stream shows all of it again later. */
static struct decision read_heads(struct exchange *x, struct slice *in)
{
    struct head *h = x->all->response_head;
    struct decision d;
    struct slice rest;
    struct failure why;
    struct gather g;

    while (in->n > 0) {
        switch (answer_pump_head(&x->answer, &x->all->clients->limits, *in, h, &rest, &why)) {
        case H1_MORE:
            return DECIDE(STEP_WAIT);
        case H1_REFUSED:
            return exchange_fails(x, &why);
        default:
            break;
        }
        if (h->status == 429 || h->status == 503)
            exchange_heed(x, h);
        if (h->status < 200) {
            d = relay_interim(x, h);
        } else {
            d = exchange_judge_answer(x, h, rest);
            if (d.step == STEP_RELAY)
                d = exchange_judge_part(x, h);
        }
        if (d.step != STEP_RELAY)
            return d;
        *in = rest;
        if (h->status < 200)
            continue;
        exchange_set_state(x, EXCHANGE_STREAM);
        x->all->scratch.n = 0;
        exchange_write_head(x, h, &x->all->scratch);
        g.count = g.bytes = 0;
        gather_add(&g, x->all->scratch.p, x->all->scratch.n);
        return relay(x, in, &g);
    }
    return DECIDE(STEP_WAIT);
}

struct decision exchange_relay(struct exchange *x, struct slice *in)
{
    struct gather g;

    if (x->state != EXCHANGE_STREAM)
        return read_heads(x, in);
    g.count = g.bytes = 0;
    return relay(x, in, &g);
}
