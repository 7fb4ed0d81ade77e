#include "exchange/request_pump.h"

/* Is the method idempotent (RFC 9110, 9.2.2), and does no method override field change it? */
static bool may_repeat(const struct head *h)
{
    switch (h->method) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_OPTIONS:
    case METHOD_PUT:
    case METHOD_DELETE:
        return !head_has(h, FIELD_METHOD_OVERRIDE);
    default:
        return false;
    }
}

void request_pump_start(struct request_pump *p, const struct head *h,
                        const struct body_limits *limits, struct quota *quota)
{
    enum framing framing = framing_of_request(h);

    p->may_repeat = p->holding = may_repeat(h);
    p->expects = h->minor > 0 && head_has(h, FIELD_EXPECT) && framing != FRAMING_NONE;
    p->quota = quota;
    body_start(&p->body, framing, framing, h->content_length, limits);
}

/* A rewritten body that is not too large keeps a Content-Length (RFC 9110, 8.6). A body that came
 * in chunks goes on in chunks, as a stream. */
enum edit_body request_pump_rewritten(const struct head *h)
{
    return framing_of_request(h) == FRAMING_LENGTH && h->content_length <= REQUEST_COLLECT_MAX
               ? EDIT_BODY_LATER
               : EDIT_BODY_CHUNKED;
}

enum edit_body request_pump_filter(struct request_pump *p, const struct head *h,
                                   struct link_filter *links)
{
    p->links = links;
    p->body.filter = link_filter_run(links);
    enum edit_body body = request_pump_rewritten(h);
    p->collects = body == EDIT_BODY_LATER;
    if (!p->collects)
        p->body.out = FRAMING_CHUNKED;
    return body;
}

void request_pump_trailers(struct request_pump *p, const struct head *h,
                           const struct edit_header *headers, size_t nheaders)
{
    if (p->body.in != FRAMING_CHUNKED)
        return;
    edit_trailer_rules_start(&p->trailers, h, headers, nheaders);
    if (p->links != NULL)
        edit_trailer_rules_drop_digests(&p->trailers);
    p->body.drops_trailer = edit_drops_trailer;
    p->body.drops_ctx = &p->trailers;
}

/* ---- collecting ---- */

/* Keeps the pieces. Returns false if the whole process collects too much already; the pieces are
 * kept in that case too. */
static bool keep(struct request_pump *p, const struct gather *g)
{
    for (size_t i = 0; i < g->count; i++)
        buf_add(&p->held, g->pieces[i].iov_base, g->pieces[i].iov_len);
    if (!quota_take_many(p->quota, g->bytes))
        return false;
    p->collected += g->bytes;
    return true;
}

/* Goes on in chunks; what was collected is the first chunk. If the caller still waits for 100
 * (Continue), the server has to send it. */
static void send_in_chunks(struct request_pump *p)
{
    struct buf chunk = {0};

    if (p->held.n > 0) {
        buf_addf(&chunk, "%zx\r\n", p->held.n);
        buf_add_slice(&chunk, buf_slice(&p->held));
        buf_add_string(&chunk, "\r\n");
    }
    buf_free(&p->held);
    p->held = chunk;
    p->body.out = FRAMING_CHUNKED;
    p->collects = false;
    edit_finish_head_chunked(&p->head, p->expects);
}

enum collected request_pump_collect(struct request_pump *p, struct slice *in)
{
    enum body_result result;
    struct gather g;
    bool kept;

    do {
        g.count = g.bytes = 0;
        result = body_next(&p->body, in, &g);
        kept = keep(p, &g);
    } while (result == BODY_FULL && kept);
    body_put_back(&p->body, in);
    if (result == BODY_BAD)
        return COLLECT_BAD;
    if (result == BODY_END) {
        edit_finish_head(&p->head, p->body.bytes);
        p->collects = false;
        return COLLECT_READY;
    }
    if (!kept) {
        send_in_chunks(p);
        return COLLECT_READY;
    }
    if (!p->expects)
        return COLLECT_MORE;
    p->expects = false;
    return COLLECT_ASK;
}

void request_pump_end(struct request_pump *p)
{
    if (p->collected > 0)
        quota_give_many(p->quota, p->collected);
    p->collected = 0;
}

/* ---- sending ---- */

/* The collected body has been sent. It is kept only if it may have to be sent again and is
 * small. */
static void settle_held(struct request_pump *p)
{
    request_pump_end(p);
    if (p->holding && p->held.n <= REQUEST_HELD_MAX)
        return;
    p->holding = false;
    buf_free(&p->held);
}

/* Keeps a copy of the body that is sent, as long as the copy is small. */
static void hold(struct request_pump *p, const struct gather *g, size_t first)
{
    for (size_t i = first; p->holding && i < g->count; i++) {
        if (p->held.n + g->pieces[i].iov_len > REQUEST_HELD_MAX) {
            p->holding = false;
            buf_free(&p->held);
        } else {
            buf_add(&p->held, g->pieces[i].iov_base, g->pieces[i].iov_len);
        }
    }
}

/* The head goes out together with the beginning of the body. If there are held bytes, they have to
 * be sent first, because adding to the buffer may move them. */
enum body_result request_pump_next(struct request_pump *p, struct slice *in, struct gather *g)
{
    if (!p->head_sent) {
        p->head_sent = true;
        gather_add(g, p->head.p, p->head.n);
        gather_add(g, p->held.p, p->held.n);
        if (p->held.n > 0)
            return BODY_FULL;
    } else if (p->held.n > 0) {
        settle_held(p);
    }
    size_t first = g->count;
    enum body_result result = body_next(&p->body, in, g);
    hold(p, g, first);
    return result;
}

void request_pump_stop(struct request_pump *p, struct slice *in)
{
    body_put_back(&p->body, in);
}

bool request_pump_may_rewind(const struct request_pump *p)
{
    return !p->head_sent || (p->may_repeat && p->holding);
}

void request_pump_rewind(struct request_pump *p)
{
    p->head_sent = false;
}

void request_pump_free(struct request_pump *p)
{
    buf_free(&p->held);
    body_free(&p->body);
    edit_trailer_rules_free(&p->trailers);
    link_filter_free(p->links);
}
