#include "net/helpers.h"

#include <pthread.h>
#include <stddef.h>

#include "base/thread.h"

struct crew {
    const int max_threads;
    const size_t max_waiting; /* 0: no limit */
    struct list jobs;
    size_t waiting;
    int threads, idle;
    pthread_cond_t work;
};

static struct crew crews[HELPERS_KINDS] = {
    [HELPERS_NAMES] = {.max_threads = 4,
                       .jobs = {&crews[HELPERS_NAMES].jobs, &crews[HELPERS_NAMES].jobs},
                       .work = PTHREAD_COND_INITIALIZER},
    [HELPERS_LOGINS] = {.max_threads = 4,
                        .max_waiting = 256,
                        .jobs = {&crews[HELPERS_LOGINS].jobs, &crews[HELPERS_LOGINS].jobs},
                        .work = PTHREAD_COND_INITIALIZER}};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects everything below */
static bool stopped;

static struct helper_job *take(struct crew *c)
{
    struct list *first = list_first(&c->jobs);

    if (first == NULL)
        return NULL;
    list_remove(first);
    c->waiting--;
    return list_entry(first, struct helper_job, node);
}

static void on_done(void *ctx)
{
    struct helper_job *j = ctx;

    j->done(j);
}

static void *thread_main(void *arg)
{
    struct crew *c = arg;

    (void)pthread_mutex_lock(&lock);
    while (!stopped) {
        struct helper_job *j = take(c);
        if (j == NULL) {
            c->idle++;
            (void)pthread_cond_wait(&c->work, &lock);
            c->idle--;
            continue;
        }
        (void)pthread_mutex_unlock(&lock);
        j->work(j);
        (void)pthread_mutex_lock(&lock);
        if (stopped)
            j->drop(j);
        else
            /* under the lock, because the loops are freed after helpers_stop() */
            loop_post(j->loop, on_done, j);
    }
    (void)pthread_mutex_unlock(&lock);
    return NULL;
}

bool helpers_submit(enum helper_kind kind, struct helper_job *j)
{
    struct crew *c = &crews[kind];
    pthread_t thread;

    (void)pthread_mutex_lock(&lock);
    bool room = c->max_waiting == 0 || c->waiting < c->max_waiting;
    if (room) {
        list_append(&c->jobs, &j->node);
        c->waiting++;
        if (c->idle == 0 && c->threads < c->max_threads && thread_start(&thread, thread_main, c)) {
            (void)pthread_detach(thread);
            c->threads++;
        }
        (void)pthread_cond_signal(&c->work);
    }
    (void)pthread_mutex_unlock(&lock);
    return room;
}

void helpers_stop(void)
{
    struct helper_job *j;

    (void)pthread_mutex_lock(&lock);
    stopped = true;
    for (size_t i = 0; i < HELPERS_KINDS; i++) {
        while ((j = take(&crews[i])) != NULL)
            j->drop(j);
        (void)pthread_cond_broadcast(&crews[i].work);
    }
    (void)pthread_mutex_unlock(&lock);
}
