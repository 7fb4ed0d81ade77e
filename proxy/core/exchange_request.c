#include "base/log.h"
#include "core/cookies.h"
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

/* RFC 9110, 8.6: a body that is not too large keeps a Content-Length. One that came in chunks goes
 * on in chunks, as a stream. */
static enum edit_body body_with_links(struct exchange *x, const struct head *h)
{
    x->request_links = link_filter_for_request(x->tenant, buf_slice(&x->base), h);
    x->request.filter = link_filter_run(x->request_links);
    x->collecting = exchange_collect_may(x, h);
    if (x->collecting)
        return EDIT_BODY_LATER;
    x->request.out = FRAMING_CHUNKED;
    return EDIT_BODY_CHUNKED;
}

/* A coded body would have to be coded again. */
static bool has_links(const struct exchange *x, const struct head *h)
{
    return x->base.n > 0 && x->request.in != FRAMING_NONE && links_are_in(h) &&
           !head_has(h, FIELD_CONTENT_ENCODING);
}

static void start_trailers(struct exchange *x, const struct head *h)
{
    edit_trailer_rules_start(&x->request_trailers, h, x->tenant->headers, x->tenant->nheaders);
    if (x->request_links != NULL)
        exchange_drop_digests(&x->request_trailers);
    x->request.drops_trailer = edit_drops_trailer;
    x->request.drops_ctx = &x->request_trailers;
}

static void write_cookie(const void *ctx, struct slice value, struct buf *out)
{
    const struct exchange *x = ctx;

    if (cookies_write(x->worker->shared->cookies, x->tenant, value, out))
        log_say(LOG_NOTICE,
                "tenant %s: a cookie was taken out of a request, because the server has not set it "
                "since sfmtls started; with several tenants only those that it has set are sent. "
                "This is logged once",
                x->tenant->name);
}

static bool is_tls(const struct client *c)
{
    const struct inside *in = client_inside(c);

    return client_door(c)->tls != NULL || (in != NULL && in->secure);
}

void exchange_request_edit(struct exchange *x, const struct head *h, const struct target *t)
{
    const struct tenant *tenant = x->tenant;
    struct edit_rules rules = {.host = tenant->host_field,
                               .company_id = tenant->company_id,
                               .headers = tenant->headers,
                               .nheaders = tenant->nheaders,
                               .keep_authorization =
                                   tenant->keep_authorization && tenant->callers == NULL,
                               .undoes_codings = tenant->rewrite_links,
                               .ctx = x};

    x->forwards_authorization = rules.keep_authorization && head_has(h, FIELD_AUTHORIZATION);
    if (tenant->rewrite_links)
        links_write_base(&x->base, h, t, is_tls(x->client));
    if (x->worker->config->ntenants > 1)
        rules.write_cookie = write_cookie;
    rules.drop = exchange_page_drops_request(x) | exchange_part_drops_request(x, h);
    if (has_links(x, h))
        rules.body = body_with_links(x, h);
    buf_reserve(&x->head, 1024);
    edit_request(&x->head, h, t, &rules);
    if (x->request.in == FRAMING_CHUNKED)
        start_trailers(x, h);
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

/* What was collected stays only as what was sent, and so if it is small. */
static void settle_held(struct exchange *x)
{
    exchange_collect_end(x);
    if (x->holding && x->held.n <= HELD_MAX)
        return;
    x->holding = false;
    buf_free(&x->held);
}

static void send_pieces(struct exchange *x, const struct gather *g)
{
    if (g->count > 0 && !stream_write(upstream_stream(x->upstream), g->pieces, g->count))
        x->upload_blocked = true;
}

/* The head goes together with the beginning of the body; but what is held may move when more of it
 * comes, so that is sent before. */
static void gather_sent_before(struct exchange *x, struct gather *g)
{
    if (x->head_sent)
        return;
    x->head_sent = true;
    gather_add(g, x->head.p, x->head.n);
    if (x->held.n == 0)
        return;
    gather_add(g, x->held.p, x->held.n);
    send_pieces(x, g);
    g->count = g->bytes = 0;
    settle_held(x);
}

/* The caller has nothing to do any more, or waits for the server as for any other body. */
static bool set_out_late(struct exchange *x)
{
    timer_stop(&x->caller_timer);
    return exchange_set_out(x);
}

size_t exchange_request_push(struct exchange *x, struct slice bytes)
{
    struct slice rest = bytes;
    enum body_result result = BODY_END;
    struct gather g;

    if (x->collecting) {
        result = exchange_collect(x, &rest);
        if (!x->collecting && !set_out_late(x))
            return bytes.n - rest.n;
    }
    while (!x->collecting && result != BODY_BAD) {
        g.count = g.bytes = 0;
        gather_sent_before(x, &g);
        size_t first = g.count;
        result = body_next(&x->request, &rest, &g);
        hold(x, &g, first);
        send_pieces(x, &g);
        if (result != BODY_FULL || (x->upload_blocked && x->request_links != NULL))
            break;
    }
    if (result == BODY_BAD) {
        exchange_fail_plain(x, FAIL_REQUEST_BODY);
        return bytes.n;
    }
    body_put_back(&x->request, &rest);
    x->request_done = result == BODY_END;
    if (x->upload_blocked && !x->request_done)
        stream_pause(client_stream(x->client));
    exchange_await(x);
    return bytes.n - rest.n;
}

bool exchange_request_may_rewind(const struct exchange *x)
{
    return !x->head_sent || (x->may_repeat && x->holding);
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

    if (x->request_done || x->upload_dead || x->upload_blocked || x->check != NULL ||
        (x->upstream == NULL && !x->collecting)) {
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
    (void)exchange_request_push(x, SLICE("")); /* first what needs no more input */
    if (!x->over && !x->request_done && !x->upload_blocked)
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
