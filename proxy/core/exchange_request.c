#include "core/exchange_parts.h"
#include "http/edit.h"

enum { LAST_WORDS_MS = 2000 };

/* RFC 9110, 9.2.2, less what the method override fields turn into something else. */
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

void exchange_request_start(struct exchange *x, const struct head *h)
{
    enum framing framing = framing_of_request(h);

    x->may_repeat = may_repeat(h);
    x->holding = x->may_repeat;
    x->expects = h->minor > 0 && head_has(h, FIELD_EXPECT) && framing != FRAMING_NONE;
    body_start(&x->request, framing, framing, h->content_length, &x->worker->body_limits);
}

void exchange_request_edit(struct exchange *x, const struct head *h, const struct target *t)
{
    const struct tenant *tenant = x->tenant;
    struct edit_rules rules = {.host = tenant->host_field,
                               .company_id = tenant->company_id,
                               .headers = tenant->headers,
                               .nheaders = tenant->nheaders,
                               .keep_authorization = tenant->keep_authorization};

    buf_reserve(&x->head, 1024);
    edit_request(&x->head, h, t, &rules);
    if (x->request.in == FRAMING_CHUNKED) {
        edit_trailer_rules_start(&x->request_trailers, h, rules.headers, rules.nheaders);
        x->request.drops_trailer = edit_drops_trailer;
        x->request.drops_ctx = &x->request_trailers;
    }
}

/* Keeps a copy of the body as it is sent, as long as it is small. */
static void hold(struct exchange *x, const struct gather *g, size_t first)
{
    for (size_t i = first; x->holding && i < g->count; i++) {
        if (x->held.n + g->pieces[i].iov_len > HELD_MAX) {
            x->holding = false;
            buf_free(&x->held);
        } else {
            buf_add(&x->held, g->pieces[i].iov_base, g->pieces[i].iov_len);
        }
    }
}

static void gather_sent_before(struct exchange *x, struct gather *g)
{
    if (x->head_sent)
        return;
    x->head_sent = true;
    gather_add(g, x->head.p, x->head.n);
    gather_add(g, x->held.p, x->held.n);
}

static void send_pieces(struct exchange *x, const struct gather *g)
{
    if (g->count > 0 && !stream_write(upstream_stream(x->upstream), g->pieces, g->count))
        x->upload_blocked = true;
}

size_t exchange_request_push(struct exchange *x, struct slice bytes)
{
    struct slice rest = bytes;
    enum body_result result;
    struct gather g;

    do {
        g.count = g.bytes = 0;
        gather_sent_before(x, &g);
        size_t first = g.count;
        result = body_next(&x->request, &rest, &g);
        hold(x, &g, first);
        send_pieces(x, &g);
    } while (result == BODY_FULL);
    if (result == BODY_BAD) {
        exchange_fail_plain(x, FAIL_REQUEST_BODY);
        return bytes.n;
    }
    x->request_done = result == BODY_END;
    if (x->upload_blocked && !x->request_done)
        stream_pause(client_stream(x->client));
    exchange_await(x);
    return bytes.n - rest.n;
}

bool exchange_request_may_rewind(const struct exchange *x)
{
    return !x->head_sent || (x->may_repeat && (x->request.bytes == 0 || x->holding));
}

bool exchange_request_rewind(struct exchange *x)
{
    if (!exchange_request_may_rewind(x))
        return false;
    x->head_sent = false;
    x->upload_blocked = false;
    x->upload_dead = false;
    return true;
}

size_t exchange_on_caller_data(void *ctx, struct slice bytes)
{
    struct exchange *x = ctx;

    if (x->request_done || x->upload_dead || x->upload_blocked || x->upstream == NULL) {
        stream_pause(client_stream(x->client)); /* what comes is for later, or for nobody */
        return 0;
    }
    return exchange_request_push(x, bytes);
}

void exchange_on_server_drained(void *ctx)
{
    struct exchange *x = ctx;

    if (!x->upload_blocked)
        return;
    x->upload_blocked = false;
    if (x->request_done)
        return;
    exchange_await(x);
    stream_resume(client_stream(x->client));
}

/* A server may refuse an upload in the middle and close: its answer is still to be read. */
void exchange_on_server_write_broken(void *ctx)
{
    struct exchange *x = ctx;

    x->upload_dead = true;
    if (x->head_passed)
        return;
    stream_pause(client_stream(x->client));
    timer_stop(&x->caller_timer);
    timer_start(x->worker->loop, &x->answer_timer, LAST_WORDS_MS);
}
