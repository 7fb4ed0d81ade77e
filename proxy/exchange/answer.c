/* answer: turns the head of a server's answer into the head that the caller gets. See inner.h. */
#include "base/clock.h"
#include "base/log.h"
#include "exchange/cookies.h"
#include "exchange/hint.h"
#include "exchange/inner.h"
#include "http/date.h"

enum {
    /* Of one request. RFC 9110, 15.2 sets no limit; without one, a server could send them for ever
     * and keep answer-timeout from expiring. */
    MAX_INTERIM = 100,
    KEEP_ALIVE_MAX_S = SECONDS_PER_DAY, /* a larger number is ignored */
    IDLE_MARGIN_MS = 500,               /* how much sooner than the server this process closes */
};

/* How long the connection may stay idle, in milliseconds: IDLE_MARGIN_MS less than the server's own
 * limit, so that this process closes first. The limit is in Keep-Alive: timeout=N (RFC 2068,
 * 19.7.1), which most servers still send. */
static int64_t idle_time(const struct exchange *x, const struct head *h)
{
    int64_t ms = x->all->clients->config->pool_idle;
    struct head_list at = {0};
    struct slice member;
    uint64_t seconds;

    while (head_next_member(h, FIELD_KEEP_ALIVE, &at, &member)) {
        struct slice name = slice_trim(slice_split(&member, '='));
        if (!slice_eq_nocase(name, SLICE("timeout")) ||
            !slice_to_u64(slice_trim(member), KEEP_ALIVE_MAX_S, &seconds))
            continue;
        int64_t told = (int64_t)seconds * 1000 - IDLE_MARGIN_MS;
        if (told < ms)
            ms = told;
    }
    return ms;
}

/* After such a response two readers could disagree about where the next response begins. */
static bool is_odd(const struct head *h)
{
    return h->status == 204 && (h->chunked || h->content_length > 0);
}

/* Why no request can follow on the connection after this answer (RFC 9112, 9.3); NULL: one can. */
static const char *reason_to_close(const struct head *h, enum framing in)
{
    if (h->minor != 1)
        return "the server speaks HTTP/1.0";
    if (head_says(h, OPTION_CLOSE))
        return "the server's answer says Connection: close";
    if (in == FRAMING_CLOSE)
        return "the server ends its answer by closing it";
    return is_odd(h) ? "the server's answer has no content, but says a length" : NULL;
}

static enum framing outgoing(const struct exchange *x, enum framing in)
{
    if (in != FRAMING_CHUNKED && in != FRAMING_CLOSE)
        return in;
    return x->minor == 0 ? FRAMING_CLOSE : FRAMING_CHUNKED;
}

static void write_field(const void *ctx, const struct field *f, struct buf *out)
{
    const struct exchange *x = ctx;

    links_write_field(x->tenant, buf_slice(&x->base), f, out);
}

static struct edit_response_rules link_fields(const struct exchange *x)
{
    if (x->base.n == 0)
        return (struct edit_response_rules){0};
    return (struct edit_response_rules){.rewrite = LINKS_FIELDS, .write = write_field, .ctx = x};
}

/* A rewritten body has another length and other digests than the server's body, and callers cannot
 * ask for a part of it. The same fields are dropped from a head without a body (HEAD, 304). */
static struct edit_response_rules field_rules(const struct exchange *x, const struct head *h,
                                              enum framing in, bool rewritten)
{
    struct edit_response_rules rules = link_fields(x);

    if (rewritten)
        rules.drop = field_bit(FIELD_BODY_DIGEST) | field_bit(FIELD_ACCEPT_RANGES) |
                     field_bit(FIELD_CONTENT_ENCODING);
    if (rewritten && (in != FRAMING_NONE || framing_is_bodiless(h->status, x->method)))
        rules.drop |= field_bit(FIELD_CONTENT_LENGTH); /* otherwise the length is 0 and stays 0 */
    if (x->page != NULL)
        rules.drop |= field_bit(FIELD_CORS);
    rules.fields = exchange_page_fields(x);
    return rules;
}

static void remember_cookies(const struct exchange *x, const struct head *h)
{
    const struct field *f;
    size_t at = 0;

    while ((f = head_next(h, FIELD_SET_COOKIE, &at)) != NULL)
        cookies_remember(x->all->shared->cookies, x->tenant, f->value);
}

/* Will a Date of the server be passed on? */
static bool has_date(const struct head *h)
{
    return head_has(h, FIELD_DATE) &&
           !(head_says(h, OPTION_FIELD) && head_connection_has(h, SLICE("Date")));
}

static void add_date(struct buf *fields)
{
    buf_add_string(fields, "Date: ");
    date_write(fields, clock_wall_s());
    buf_add_string(fields, "\r\n");
}

/* W3C Server Timing: the times that this process has measured, in milliseconds. */
static void add_timing(const struct exchange *x, struct buf *fields)
{
    const struct way_times *w = &x->acquire.way;
    const struct {
        const char *name;
        int64_t us;
    } parts[] = {{"queue", w->queue},
                 {"dns", w->dns},
                 {"connect", w->connect},
                 {"tls", w->tls},
                 {"wait", x->first_us - x->attached_us}};
    const char *between = "Server-Timing: ";

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].us < 0)
            continue;
        buf_addf(fields, "%s%s;dur=%.3f", between, parts[i].name, (double)parts[i].us / 1000);
        between = ", ";
    }
    buf_add_string(fields, "\r\n");
}

/* Adds the fields of this process (CORS, Date, Server-Timing, the hint) to the answer. Their text
 * lives in `fields`. */
static void add_own_fields(const struct exchange *x, const struct head *h,
                           struct edit_response_rules *rules, struct buf *fields)
{
    if (rules->fields != NULL)
        buf_add_string(fields, rules->fields);
    if (!has_date(h)) /* RFC 9110, 6.6.1 */
        add_date(fields);
    if (x->generation->config->server_timing)
        add_timing(x, fields);
    if (x->cause != NULL)
        hint_write_field(fields, x->cause, buf_slice(&x->sentence));
    buf_add(fields, "", 1); /* edit_response() expects a string */
    rules->fields = fields->p;
}

void exchange_write_head(struct exchange *x, const struct head *h, struct buf *room)
{
    enum framing in = framing_of_response(h, x->method);
    bool rewritten = x->base.n > 0 && links_are_in(h);
    struct link_filter *links = NULL;

    if (rewritten && in != FRAMING_NONE)
        links = link_filter_for_answer(x->tenant, buf_slice(&x->base), h);
    enum framing out = outgoing(x, links != NULL ? FRAMING_CHUNKED : in);
    enum persistence p = client_decide(x->client, request_pump_is_read(&x->request) &&
                                                      x->request.head_sent && out != FRAMING_CLOSE);
    if (head_has(h, FIELD_SET_COOKIE))
        remember_cookies(x, h);
    if (x->reuses_session)
        exchange_learn_session(x, h);
    x->status = h->status;
    x->closing = reason_to_close(h, in);
    x->idle_ms = idle_time(x, h);
    answer_pump_start(&x->answer, h, in, out, links, &x->all->body_limits);
    struct edit_response_rules rules = field_rules(x, h, in, rewritten);
    if (has_date(h) && x->cause == NULL && !x->generation->config->server_timing) {
        edit_response(room, h, out, p, &rules);
        return;
    }
    struct buf fields = {0};
    add_own_fields(x, h, &rules, &fields);
    edit_response(room, h, out, p, &rules);
    buf_free(&fields);
}

struct decision exchange_write_interim(struct exchange *x, const struct head *h, struct buf *room)
{
    struct edit_response_rules rules = link_fields(x);

    if (h->status == 101)
        return exchange_fails_plain(x, FAIL_ANSWER_UPGRADE);
    if (++x->interim > MAX_INTERIM)
        return exchange_fails_plain(x, FAIL_ANSWER_MALFORMED);
    if (h->status == 100)
        x->request.expects = false;
    if (x->minor == 0) /* RFC 9110, 15.2: HTTP/1.0 callers get no 1xx */
        return DECIDE(STEP_RELAY);
    remember_cookies(x, h);
    edit_response(room, h, FRAMING_NONE, PERSIST_DEFAULT, &rules);
    return DECIDE(STEP_RELAY);
}

/* A part of a content cannot be rewritten (RFC 9110, 14). If the server has sent a part, the
 * request is repeated without Range, so that the server sends the whole content. The same is done
 * after 416: that answer speaks of the length of the server's content, not of the rewritten one,
 * and its head does not show whether the content would be rewritten. */
struct decision exchange_judge_part(struct exchange *x, const struct head *h)
{
    struct failure why;

    if (x->base.n == 0 || !(links_are_parted(h) || (h->status == 416 && x->asks_for_part)))
        return DECIDE(STEP_RELAY);
    if (x->asks_for_part) {
        x->asks_for_part = false;
        edit_drop_fields(&x->request.head, field_bit(FIELD_RANGE));
        if (request_pump_may_rewind(&x->request)) {
            LOG_TRACE("exchange %s is to be repeated: %s answered %d, for a part of a content that "
                      "is rewritten as a whole",
                      x->id, x->tenant->peer, h->status);
            return (struct decision){.step = STEP_REPEAT,
                                     .kind = ACQUIRE_ANY,
                                     .closing = "its answer is for a part of the content"};
        }
    }
    failure_set(&why, FAIL_ANSWER_MALFORMED,
                "%s answered %d, for a part of a content that is rewritten as a whole.",
                x->tenant->peer, h->status);
    return exchange_fails(x, &why);
}
