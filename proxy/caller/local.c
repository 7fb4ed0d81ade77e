#include "caller/local.h"

#include "base/clock.h"

static void report(const struct client *c, const struct client_request *r, const char *id,
                   int status, const struct failure *why, size_t bytes)
{
    struct slice path = r->head->target;
    struct record record = {.id = id,
                            .caller = client_caller(c),
                            .method = r->head->method_name,
                            .path = slice_split(&path, '?'),
                            .status = status,
                            .bytes_out = bytes,
                            .failure = why->id == FAIL_NONE ? NULL : why};

    clients_report(client_all(c), &record, r->begun_us, clock_monotonic_us());
}

/* The service does not wait for a request's body; the connection ends after the answer. */
static size_t serve(void *ctx, struct client *c, const struct client_request *r)
{
    const struct local *l = ctx;
    struct local_request request = {.head = r->head,
                                    .tls = stream_ssl(client_stream(c)),
                                    .clients = client_all(c),
                                    .door = client_door(c),
                                    .own = client_own_address(c)};
    struct failure why = {.id = FAIL_NONE};
    struct reply reply = {.head_only = r->head->method == METHOD_HEAD};
    struct buf body = {0}, fields = {0}, out = {0};
    bool whole = framing_of_request(r->head) == FRAMING_NONE;
    char id[REQUEST_ID_SIZE];

    clients_new_id(client_all(c), id);
    if (target_parse(r->head, &request.target, &why) &&
        (l->guard == NULL || l->guard(l->ctx, &request, &why))) {
        reply.persistence = client_decide(c, whole);
        l->answer(l->ctx, &request, &reply, &body, &fields);
        reply_write(&out, &reply, clock_wall_us());
        (void)stream_write_bytes(client_stream(c), out.p, out.n);
    } else { /* a refused caller loses its connection */
        reply.status = client_refuse(
            c, &why, &(struct client_refusal){.id = id, .head_only = reply.head_only});
    }
    if (!l->silent)
        report(c, r, id, reply.status, &why, reply.body.n);
    buf_free(&body);
    buf_free(&fields);
    buf_free(&out);
    client_done(c, whole);
    return 0;
}

const struct client_service local_service = {serve};
