#include "caller/checker.h"

#include <assert.h>
#include <crypt.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/thread.h"
#include "caller/admitted.h"
#include "config/callers.h"

/* One set of credentials that is checked once, for all checks that wait for it. */
struct question {
    struct list node; /* in `waiting`, until the thread takes it */
    unsigned char mac[SECRET_MAC_SIZE];
    char *hash, *password;
    size_t password_size;
    struct list checks;
};

struct checker {
    unsigned char key[SECRET_KEY_SIZE];
    pthread_mutex_t lock; /* protects all below, and the checks' node and question */
    pthread_cond_t work;
    struct list waiting; /* questions, the oldest first */
    size_t nwaiting;
    struct question *running;
    struct admitted *admitted;
    pthread_t thread;
    bool started, stopped;
};

/* One user of the answer. Belongs to the loop's thread. */
struct check {
    struct checker *checker;
    struct list node;          /* in the question's `checks` */
    struct question *question; /* NULL: the answer was posted */
    struct loop *loop;
    check_done *done; /* NULL: cancelled */
    void *ctx;
    bool fits;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

/* ---- questions ---- */

static struct question *question_new(const struct credentials *what, const unsigned char *mac)
{
    struct question *q = NEW(struct question);

    memcpy(q->mac, mac, sizeof(q->mac));
    q->hash = mem_copy_string(what->hash);
    q->password = mem_copy_bytes(what->password.p, what->password.n);
    q->password_size = what->password.n;
    list_init(&q->node);
    list_init(&q->checks);
    return q;
}

static void question_free(struct question *q)
{
    secret_wipe(q->password, q->password_size);
    free(q->password);
    free(q->hash);
    free(q);
}

static bool is_same(const struct question *q, const unsigned char *mac)
{
    return secret_equal(q->mac, mac, sizeof(q->mac));
}

/* The question with that hash that is being asked already, or NULL. */
static struct question *find(struct checker *c, const unsigned char *mac)
{
    if (c->running != NULL && is_same(c->running, mac))
        return c->running;
    list_each (node, &c->waiting) {
        struct question *q = list_entry(node, struct question, node);
        if (is_same(q, mac))
            return q;
    }
    return NULL;
}

/* ---- the thread ---- */

/* crypt_rn(3) belongs to libxcrypt only. The sanitizers would intercept crypt_r(), and --as-needed
 * would drop the library. bcrypt ignores the bytes after those it uses, so a password that is
 * longer does not fit; it is hashed nevertheless, so that the time shows nothing. */
static bool fits(struct question *q, struct crypt_data *room)
{
    const char *made = crypt_rn(q->password, q->hash, room, sizeof(*room));
    size_t n = strlen(q->hash);
    bool whole = strlen(q->password) == q->password_size &&
                 (!callers_is_bcrypt(q->hash) || q->password_size <= CALLER_BCRYPT_PASSWORD);
    bool same = made != NULL && strlen(made) == n && secret_equal(made, q->hash, n);

    secret_wipe(room, sizeof(*room));
    secret_wipe(q->password, q->password_size);
    return whole && same;
}

static void on_answer(void *ctx)
{
    struct check *k = ctx;

    if (k->done != NULL)
        k->done(k->ctx, k->fits);
    free(k);
}

/* The answer is posted under the lock. So check_cancel() knows, also under the lock, whether the
 * answer is already on its way. */
static void answer(struct checker *c, struct question *q, bool yes)
{
    if (yes)
        admitted_put(c->admitted, q->mac, now_ms());
    list_each (node, &q->checks) {
        struct check *k = list_entry(node, struct check, node);
        list_remove(node);
        k->question = NULL;
        k->fits = yes;
        loop_post(k->loop, on_answer, k);
    }
    question_free(q);
}

static struct question *take(struct checker *c)
{
    struct list *first = list_first(&c->waiting);

    if (first == NULL)
        return NULL;
    list_remove(first);
    c->nwaiting--;
    return list_entry(first, struct question, node);
}

static void *thread_main(void *arg)
{
    struct checker *c = arg;
    struct crypt_data *room = NEW(struct crypt_data);

    (void)pthread_mutex_lock(&c->lock);
    while (!c->stopped) {
        struct question *q = c->running = take(c);
        if (q == NULL) {
            (void)pthread_cond_wait(&c->work, &c->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&c->lock);
        bool yes = fits(q, room);
        (void)pthread_mutex_lock(&c->lock);
        c->running = NULL;
        answer(c, q, yes);
    }
    (void)pthread_mutex_unlock(&c->lock);
    free(room);
    return NULL;
}

/* ---- life ---- */

struct checker *checker_new(void)
{
    struct checker *c = NEW(struct checker);

    secret_make_key(c->key);
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->work, NULL);
    list_init(&c->waiting);
    c->admitted = admitted_new();
    return c;
}

void checker_stop(struct checker *c)
{
    (void)pthread_mutex_lock(&c->lock);
    c->stopped = true;
    (void)pthread_cond_signal(&c->work);
    (void)pthread_mutex_unlock(&c->lock);
    if (c->started)
        (void)pthread_join(c->thread, NULL);
    c->started = false;
}

void checker_free(struct checker *c)
{
    assert(list_empty(&c->waiting));
    admitted_free(c->admitted);
    (void)pthread_cond_destroy(&c->work);
    (void)pthread_mutex_destroy(&c->lock);
    secret_wipe(c->key, sizeof(c->key));
    free(c);
}

/* ---- the loops' side ---- */

/* Queues a question. Call it with the lock held. NULL: too many wait, or no thread can be
 * started. */
static struct question *ask(struct checker *c, const struct credentials *what,
                            const unsigned char *mac)
{
    if (!c->started && !c->stopped)
        c->started = thread_start(&c->thread, thread_main, c);
    if (!c->started || c->nwaiting == CHECKER_QUEUE)
        return NULL;
    struct question *q = question_new(what, mac);
    list_append(&c->waiting, &q->node);
    c->nwaiting++;
    (void)pthread_cond_signal(&c->work);
    return q;
}

static struct check *check_new(struct checker *c, struct question *q, struct loop *l,
                               check_done *done, void *ctx)
{
    struct check *k = NEW(struct check);

    *k = (struct check){.checker = c, .question = q, .loop = l, .done = done, .ctx = ctx};
    list_append(&q->checks, &k->node);
    return k;
}

enum checker_answer checker_ask(struct checker *c, struct loop *l, const struct credentials *what,
                                check_done *done, void *ctx, struct check **out)
{
    const struct slice parts[] = {slice_of(what->tenant), slice_of(what->hash), what->user,
                                  what->password};
    unsigned char mac[SECRET_MAC_SIZE];
    enum checker_answer result = CHECKER_FITS;

    secret_mac(c->key, parts, ARRAY_LEN(parts), mac);
    (void)pthread_mutex_lock(&c->lock);
    if (!admitted_has(c->admitted, mac, now_ms())) {
        struct question *q = find(c, mac);
        if (q == NULL)
            q = ask(c, what, mac);
        result = q == NULL ? CHECKER_FULL : CHECKER_WAITS;
        if (q != NULL)
            *out = check_new(c, q, l, done, ctx);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return result;
}

/* Drops a waiting question that no check waits for any more. */
static void drop_if_idle(struct checker *c, struct question *q)
{
    if (q == c->running || !list_empty(&q->checks))
        return;
    list_remove(&q->node);
    c->nwaiting--;
    question_free(q);
}

void check_cancel(struct check *k)
{
    struct checker *c = k->checker;

    (void)pthread_mutex_lock(&c->lock);
    struct question *q = k->question;
    if (q != NULL) {
        list_remove(&k->node);
        drop_if_idle(c, q);
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (q != NULL)
        free(k);
    else
        k->done = NULL;
}
