/* end: how an exchange ends: for the caller, for the connection, and in the record. See inner.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "caller/checker.h"
#include "exchange/inner.h"
#include "http/mask.h"
#include "upstream/upstream.h"

static void release(void *arg)
{
    struct exchange *x = arg;

    request_pump_free(&x->request);
    answer_pump_free(&x->answer);
    buf_free(&x->sentence);
    free(x->barred);
    free(x->failure);
    free(x->user);
    if (x->origin != NULL)
        origin_unref(x->origin);
    generation_unref(x->generation);
    exchange_recycle(x);
}

/* Method and path are read from the request's head, which begins with them. */
static void report(const struct exchange *x)
{
    struct slice target = buf_slice(&x->request.head);
    struct slice method = slice_split(&target, ' ');
    struct slice path = mask_target(slice_split(&target, ' '));
    struct record r = {
        .id = x->id,
        .tenant = x->tenant == NULL ? NULL : x->tenant->name,
        .caller = client_caller(x->client),
        .user = x->admitted && x->generation->config->log_caller ? x->user : NULL,
        .method = method,
        .path = path,
        .status = x->status,
        .bytes_in = x->request.body.bytes,
        .bytes_out = x->answer.body.bytes,
        .reused = x->reused,
        .tls = x->tls,
        .cell = x->cell,
        .identity = x->identity,
        .failure = x->failure,
        .cause = x->cause,
        .sentence = x->sentence.p,
        .way = &x->acquire.way,
    };

    clients_report(x->all->clients, &r, x->begun_us, x->first_us);
}

/* Releases everything except the client and the connection to the server. */
static void end(struct exchange *x)
{
    exchange_set_state(x, EXCHANGE_OVER);
    timer_stop(&x->answer_timer);
    timer_stop(&x->caller_timer);
    timer_stop(&x->look_timer);
    task_cancel(&x->go_on);
    request_pump_end(&x->request);
    if (x->check != NULL)
        check_cancel(x->check);
    origin_cancel(&x->acquire);
    crossing_end(&x->crossing);
    report(x);
    loop_bury(x->all->loop, x, release);
}

void exchange_drop_upstream(struct exchange *x, const char *reason)
{
    struct upstream *u = x->upstream;

    x->upstream = NULL;
    if (u != NULL)
        upstream_close(u, STREAM_ABORT, reason);
}

/* Why the connection cannot serve another request; NULL: it can. */
static const char *reason_to_close(const struct exchange *x)
{
    if (x->closing != NULL)
        return x->closing;
    if (x->upload != UPLOAD_DONE || stream_queued(upstream_stream(x->upstream)) > 0)
        return "the answer came before the whole request was sent";
    return NULL;
}

void exchange_finish(struct exchange *x, const char *closing)
{
    struct client *c = x->client;
    struct upstream *u = x->upstream;

    if (u != NULL && closing == NULL)
        closing = reason_to_close(x);

    x->upstream = NULL;
    end(x);
    if (u != NULL && closing == NULL)
        origin_give_back(x->origin, u, x->idle_ms);
    else if (u != NULL)
        upstream_close(u, x->upload == UPLOAD_DONE ? STREAM_CLOSE : STREAM_ABORT, closing);
    client_done(c, request_pump_is_read(&x->request));
}

/* A caller without the proxy's token loses its connection. */
static bool is_stranger(const struct exchange *x)
{
    return x->failure->id == FAIL_CALLER_TOKEN || x->failure->id == FAIL_PROXY_TOKEN;
}

/* Sends the proxy's own answer (RFC 9110, 15). */
static void reply(struct exchange *x)
{
    bool reusable = request_pump_is_read(&x->request) && !is_stranger(x);

    x->first_us = clock_monotonic_us();
    x->status = client_refuse(x->client, x->failure,
                              &(struct client_refusal){.id = x->id,
                                                       .head_only = x->method == METHOD_HEAD,
                                                       .reusable = reusable,
                                                       .fields = exchange_page_fields(x)});
}

void exchange_fail(struct exchange *x)
{
    struct client *c = x->client;
    enum fail id = x->failure->id;
    bool answers = x->state != EXCHANGE_STREAM && fail_info(id)->status != 0;
    bool closes = x->minor == 0 || x->answer.body.out == FRAMING_CLOSE;

    exchange_drop_upstream(x, x->failure->detail.text);
    if (answers)
        reply(x);
    end(x);
    if (answers)
        client_done(c, request_pump_is_read(&x->request));
    else
        client_cut_off(c, closes || id == FAIL_CALLER_STALLED);
}

void exchange_abandon(struct exchange *x, const struct failure *why)
{
    exchange_note_failure(x, why);
    exchange_drop_upstream(x, why->detail.text);
    end(x);
}
