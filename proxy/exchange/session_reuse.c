/* session_reuse: adds a kept session of the server to a request whose caller sends no cookies
 * (sessions.h). See inner.h. */
#include "base/clock.h"
#include "exchange/inner.h"
#include "exchange/sessions.h"
#include "upstream/upstream.h"

static const struct slice csrf_token = {"X-CSRF-Token", 12};

static bool sends(const struct tenant *t, const struct head *h, struct slice name)
{
    for (size_t i = 0; i < t->nheaders; i++)
        if (slice_eq_nocase(slice_of(t->headers[i].name), name))
            return true;
    return head_next_named(h, name, &(size_t){0}) != NULL;
}

/* Decides whether the exchange uses a kept session. It does not if the caller's own Authorization
 * goes to the server, because each request may name another user. */
void exchange_want_session(struct exchange *x, const struct head *h)
{
    x->reuses_session = x->tenant->session_reuse && !x->forwards_authorization &&
                        !sends(x->tenant, h, SLICE("Cookie"));
    x->has_own_token = x->reuses_session && sends(x->tenant, h, csrf_token);
}

/* Returns false if the caller is not known. */
static bool make_key(const struct exchange *x, struct session_key *key)
{
    const struct caller_id *c = client_caller(x->client);
    const struct tenant *t = x->tenant;
    const char kind = x->admitted && x->user != NULL ? 'u' : 'i';
    const struct slice parts[] = {
        slice_of(t->name),
        slice_of(t->url),
        slice_of(t->company_id),
        {(const char *)credential_fingerprint(t->identities[x->identity].credential),
         CREDENTIAL_FINGERPRINT_SIZE},
        {(const char *)&x->generation->config->begun_us, sizeof(x->generation->config->begun_us)},
        {&kind, 1},
        kind == 'u' ? slice_of(x->user) : (struct slice){(const char *)&c->uid, sizeof(c->uid)},
    };

    if (kind != 'u' && c->kind != CALLER_UID)
        return false;
    sessions_make_key(x->all->shared->sessions, parts, ARRAY_LEN(parts), key);
    return true;
}

/* Removes the fields that were added when the request was sent before. */
static void take_out(struct exchange *x)
{
    struct buf *head = &x->request.head;

    head->n -= x->session_bytes + 2;
    buf_add(head, "\r\n", 2);
    x->session_bytes = 0;
}

void exchange_add_session(struct exchange *x)
{
    struct buf *head = &x->request.head;
    struct session_key key;

    take_out(x);
    x->session_sent = 0;
    if (!make_key(x, &key))
        return;
    head->n -= 2;
    size_t before = head->n;
    /* Not appended to the head directly: the path lies in the head's buffer, which may move. */
    struct buf fields = {0};
    x->session_sent = sessions_write(x->all->shared->sessions, &key, exchange_path(x),
                                     !x->has_own_token, clock_monotonic_us(), &fields);
    buf_add_slice(head, buf_slice(&fields));
    x->session_bytes = head->n - before;
    buf_add(head, "\r\n", 2);
    if (fields.n > 0)
        secret_wipe(fields.p, fields.n);
    buf_free(&fields);
}

void exchange_learn_session(struct exchange *x, const struct head *h)
{
    struct session_key key;

    if (make_key(x, &key))
        sessions_learn(x->all->shared->sessions, &key, x->session_sent, exchange_path(x), h,
                       clock_monotonic_us(), clock_wall_s());
}
