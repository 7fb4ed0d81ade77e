#include "ops/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "exchange/answer_pump.h"
#include "exchange/judgement.h"
#include "http/coding.h"
#include "http/date.h"
#include "net/helpers.h"
#include "tls/names.h"
#include "upstream/gss_login.h"
#include "upstream/origin.h"
#include "upstream/upstream.h"

enum { ANSWER_MS = 60 * 1000, QUEUE = 1 };

struct call_room {
    struct loop *loop;
    struct resolver *resolver;
    struct quota queue;
    struct generation *generation;
    struct upstreams upstreams;
};

struct call {
    struct call_room *room;
    const char *peer; /* the server's name in sentences */
    size_t look;      /* bytes of the content to keep */
    struct call_result *out;
    struct acquire acquire;
    struct upstream *upstream;
    struct buf request; /* as the server gets it */
    struct buf in;      /* the answer until its head is complete */
    struct buf coded;   /* the content, still coded */
    struct head *head;
    struct answer_pump pump;
    struct timer timer;
    enum coding coding;
    int64_t sent_us; /* when the request was sent */
    bool has_head, done;
};

/* ---- where calls are made ---- */

struct call_room *call_room_new(struct config *c)
{
    struct call_room *r = NEW(struct call_room);

    h1_reader_setup();
    gss_load(c);
    r->loop = loop_new();
    r->resolver = resolver_new(r->loop, c->resolve_cache);
    r->generation = generation_new(c, NULL);
    quota_init(&r->queue, QUEUE);
    upstreams_init(&r->upstreams, r->loop, r->resolver, &r->queue, r->generation);
    return r;
}

void call_room_free(struct call_room *r)
{
    r->upstreams.ended = true;
    upstreams_end(&r->upstreams);
    loop_turn(r->loop, false); /* frees what was buried */
    helpers_stop();
    upstreams_free(&r->upstreams);
    resolver_free(r->resolver);
    loop_free(r->loop);
    generation_unref(r->generation);
    free(r);
}

static const struct config *config_of(const struct call_room *r)
{
    return r->generation->config;
}

/* ---- the request ---- */

static bool read_request(const struct call_room *r, const char *path, struct buf *text,
                         struct head *h, struct target *t)
{
    const struct config *c = config_of(r);
    const struct h1_limits limits = {(size_t)c->max_head, (size_t)c->max_target};
    struct h1_reader reader = {0};
    struct failure why;
    size_t used;

    buf_addf(text,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
             "User-Agent: sfmtls/%s (check)\r\nConnection: close\r\n\r\n",
             path, SFMTLS_VERSION);
    return h1_read_request(&reader, &limits, buf_slice(text), h, &used, &why) == H1_DONE &&
           target_parse(h, t, &why);
}

/* Returns false if path is not a path. */
static bool write_request(const struct call_room *r, size_t tenant, const char *path,
                          struct buf *out)
{
    struct head *h = head_new((size_t)config_of(r)->max_fields);
    struct judgement j = {.index = (int)tenant, .tenant = config_of(r)->tenants[tenant]};
    struct edit_rules rules;
    struct buf text = {0};

    bool sound = read_request(r, path, &text, h, &j.target);
    if (sound) {
        judgement_set_rules(&j, h, SLICE(""), &rules);
        edit_request(out, h, &j.target, &rules);
    }
    buf_free(&text);
    head_free(h);
    return sound;
}

bool call_is_allowed(const struct call_room *r, size_t tenant, const char *path)
{
    const struct tenant *t = config_of(r)->tenants[tenant];
    struct head *h = head_new((size_t)config_of(r)->max_fields);
    struct buf text = {0};
    struct target target;
    struct failure why;

    bool allowed = t->rules == NULL || (read_request(r, path, &text, h, &target) &&
                                        rules_cover(t->rules, h, &target, &why));
    buf_free(&text);
    head_free(h);
    return allowed;
}

/* ---- the end ---- */

static void end(struct call *c)
{
    c->done = true;
    c->out->way = c->acquire.way;
    timer_stop(&c->timer);
}

static void fail(struct call *c, const struct failure *why)
{
    if (c->done)
        return;
    c->out->failed = true;
    c->out->failure = *why;
    end(c);
}

static void on_expiry(void *ctx)
{
    struct call *c = ctx;
    struct failure why;

    failure_set(&why, FAIL_ANSWER_TIMEOUT, "%s did not answer in time.", c->peer);
    fail(c, &why);
}

/* ---- facts about the connection ---- */

static void add_name(char ***names, size_t *n, const X509_NAME *name)
{
    *names = mem_grow(*names, (*n + 1) * sizeof((*names)[0]));
    (*names)[(*n)++] = names_text(name);
}

static void note_peer(struct call_result *out, int fd)
{
    struct address peer = {.length = sizeof(peer.storage)};

    if (getpeername(fd, &peer.any, &peer.length) == 0)
        address_text(&peer, out->address);
}

static void note_tls(struct call_result *out, const SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    const STACK_OF(X509_NAME) *authorities = SSL_get0_peer_CA_list(ssl);
    const struct tls_report *report = SSL_get_app_data(ssl);

    out->tls = SSL_get_version(ssl);
    out->cipher = SSL_get_cipher_name(ssl);
    out->requested = tls_report_requested(report, ssl);
    for (int i = 0; i < sk_X509_num(chain); i++)
        add_name(&out->chain, &out->nchain, X509_get_subject_name(sk_X509_value(chain, i)));
    for (int i = 0; i < sk_X509_NAME_num(authorities); i++)
        add_name(&out->authorities, &out->nauthorities, sk_X509_NAME_value(authorities, i));
}

/* ---- the answer ---- */

static char *only_value(const struct head *h, enum field_id id)
{
    struct slice value = head_value(h, id);

    return head_count(h, id) == 1 ? mem_copy_bytes(value.p, value.n) : NULL;
}

/* 0: the answer has no Date. */
static int64_t date_of(const struct head *h)
{
    int64_t seconds;

    return date_read(head_value(h, FIELD_DATE), &seconds) ? seconds : 0;
}

static void take_head(struct call *c)
{
    const struct config *config = config_of(c->room);
    const struct body_limits limits = {(size_t)config->max_head, (size_t)config->max_fields};
    struct call_result *out = c->out;

    c->has_head = true;
    out->answer_us = clock_monotonic_us() - c->sent_us;
    out->status = c->head->status;
    out->content_type = only_value(c->head, FIELD_CONTENT_TYPE);
    out->location = only_value(c->head, FIELD_LOCATION);
    out->date_s = date_of(c->head);
    c->coding = coding_of(c->head);
    answer_pump_start(&c->pump, c->head, framing_of_response(c->head, METHOD_GET), FRAMING_CLOSE,
                      NULL, &limits);
}

static void take_content(struct call *c)
{
    struct call_result *out = c->out;
    struct slice in = buf_slice(&c->coded);

    if (c->coding == CODING_IDENTITY) {
        buf_add_slice(&out->content, in);
    } else if (c->coding != CODING_OTHER) {
        struct decoder *d = decoder_new(c->coding);
        buf_reserve(&out->content, c->look);
        if (decoder_run(d, &in, out->content.p, c->look, &out->content.n) == DECODED_BAD)
            out->content.n = 0;
        decoder_free(d);
    }
}

static void finish(struct call *c)
{
    if (c->done)
        return;
    take_content(c);
    if (c->upstream != NULL)
        upstream_collect(c->upstream, &c->out->evidence);
    end(c);
}

/* Returns false if more of the body has to come. */
static bool read_body(struct call *c)
{
    struct gather *g = NEW(struct gather);
    struct slice in = buf_slice(&c->in);
    enum body_result result;

    do {
        g->count = g->bytes = 0;
        result = answer_pump_next(&c->pump, &in, g);
        for (size_t i = 0; i < g->count && c->coded.n < c->look; i++)
            buf_add(&c->coded, g->pieces[i].iov_base, g->pieces[i].iov_len);
    } while (result == BODY_FULL && c->coded.n < c->look);
    free(g);
    c->in.n = 0;
    return result == BODY_END || result == BODY_BAD || c->coded.n >= c->look;
}

/* Returns true when the final head has been read. */
static bool read_heads(struct call *c)
{
    const struct config *config = config_of(c->room);
    const struct h1_limits limits = {(size_t)config->max_head, (size_t)config->max_target};
    struct slice rest;
    struct failure why;

    while (!c->has_head) {
        enum h1_result result =
            answer_pump_head(&c->pump, &limits, buf_slice(&c->in), c->head, &rest, &why);
        if (result == H1_REFUSED)
            fail(c, &why);
        if (result != H1_DONE)
            return false;
        if (c->head->status >= 200)
            take_head(c);
        memmove(c->in.p, rest.p, rest.n);
        c->in.n = rest.n;
    }
    return true;
}

static size_t on_data(void *ctx, const char *p, size_t n)
{
    struct call *c = ctx;

    if (c->done)
        return n;
    buf_add(&c->in, p, n);
    if (read_heads(c) && read_body(c))
        finish(c);
    return n;
}

static void on_end(void *ctx)
{
    struct call *c = ctx;
    struct failure why;

    failure_set(&why, FAIL_UPSTREAM_CLOSED, "%s", fail_info(FAIL_UPSTREAM_CLOSED)->detail);
    if (c->has_head)
        finish(c);
    else
        fail(c, &why);
}

static void on_broken(void *ctx, const struct failure *why)
{
    struct call *c = ctx;

    struct failure explained = *why;

    if (c->has_head) {
        finish(c); /* the part of the answer that came is enough */
        return;
    }
    if (c->upstream != NULL)
        upstream_explain(c->upstream, &explained);
    fail(c, &explained);
}

static const struct stream_handler answering = {
    .on_data = on_data, .on_end = on_end, .on_broken = on_broken};

static void send_request(struct call *c, struct upstream *u)
{
    int64_t patience = config_of(c->room)->answer_timeout;

    c->upstream = u;
    timer_start(c->room->loop, &c->timer, patience < ANSWER_MS ? patience : ANSWER_MS);
    c->out->connected = true;
    note_peer(c->out, stream_fd(upstream_stream(u)));
    note_tls(c->out, stream_ssl(upstream_stream(u)));
    if (c->request.n == 0) {
        end(c);
        return;
    }
    upstream_use(u, &answering, c);
    c->sent_us = clock_monotonic_us();
    (void)stream_write_bytes(upstream_stream(u), c->request.p, c->request.n);
}

static void on_opened(void *ctx, struct upstream *u, const struct failure *why)
{
    if (u == NULL)
        fail(ctx, why);
    else
        send_request(ctx, u);
}

static void run(struct call *c, size_t tenant, int identity)
{
    struct origin *o = c->room->upstreams.origins[tenant];
    struct failure why;

    c->acquire.identity = identity;
    c->acquire.done = on_opened;
    c->acquire.ctx = c;
    switch (origin_acquire(o, &c->acquire, ACQUIRE_UNDER, &c->upstream, &why)) {
    case ACQUIRE_REFUSED:
        fail(c, &why);
        return;
    case ACQUIRED:
        send_request(c, c->upstream);
        break;
    case ACQUIRE_WAITS:
        break;
    }
    while (!c->done)
        loop_turn(c->room->loop, true);
}

static void begin(struct call *c, struct call_room *r, const char *peer, size_t look,
                  struct call_result *out)
{
    static const struct way_times unmeasured = {-1, -1, -1, -1, -1};

    *out = (struct call_result){.answer_us = -1};
    *c = (struct call){
        .room = r, .peer = peer, .look = look, .out = out, .acquire = {.way = unmeasured}};
    c->head = head_new((size_t)config_of(r)->max_fields);
    timer_init(&c->timer, on_expiry, c);
}

static void release(struct call *c)
{
    loop_turn(c->room->loop, false); /* frees what was closed */
    answer_pump_free(&c->pump);
    head_free(c->head);
    buf_free(&c->request);
    buf_free(&c->in);
    buf_free(&c->coded);
}

void call_make(struct call_room *r, size_t tenant, int identity, const char *path,
               struct call_result *out)
{
    struct failure why;
    struct call c;

    begin(&c, r, config_of(r)->tenants[tenant]->peer, CALL_LOOK, out);
    if (path == NULL || write_request(r, tenant, path, &c.request)) {
        run(&c, tenant, identity);
    } else {
        failure_plain(&why, FAIL_REQUEST_TARGET);
        fail(&c, &why);
    }
    if (c.upstream != NULL)
        upstream_close(c.upstream, STREAM_CLOSE, "the check is done with it");
    release(&c);
}

/* -1 with errno if it cannot be reached. */
static int connect_to(const struct address *at)
{
    const struct timeval patience = {.tv_sec = 5};
    int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, &at->any, at->length) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

void call_local(struct call_room *r, const struct address *at, const char *path,
                struct call_result *out)
{
    char peer[ADDRESS_TEXT_SIZE];
    struct failure why;
    struct call c;
    int fd = connect_to(at);

    address_text(at, peer);
    begin(&c, r, peer, CALL_WHOLE, out);
    if (fd < 0) {
        failure_set(&why, FAIL_CONNECT_REFUSED, "%s could not be reached: %s.", peer,
                    strerror(errno));
        fail(&c, &why);
    } else {
        struct stream *s = stream_new_plain(r->loop, fd, &answering, &c);
        buf_addf(&c.request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                 path);
        timer_start(r->loop, &c.timer, ANSWER_MS);
        (void)stream_write_bytes(s, c.request.p, c.request.n);
        while (!c.done)
            loop_turn(r->loop, true);
        stream_close(s, STREAM_CLOSE);
    }
    release(&c);
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

void call_result_free(struct call_result *r)
{
    free_names(r->chain, r->nchain);
    free_names(r->authorities, r->nauthorities);
    free(r->content_type);
    free(r->location);
    buf_free(&r->content);
}
