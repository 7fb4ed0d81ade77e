#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/status.h"
#include "base/thread.h"
#include "process/signals.h"
#include "test.h"

struct heard {
    int numbers[8];
    int count;
};

static void on_signal(void *ctx, int number)
{
    struct heard *h = ctx;

    h->numbers[h->count++ % ARRAY_LEN(h->numbers)] = number;
}

static bool has(const struct heard *h, int number)
{
    for (int i = 0; i < h->count; i++)
        if (h->numbers[i] == number)
            return true;
    return false;
}

TEST(what_came_before_the_loop_turned_is_told)
{
    static const int sent[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    struct loop *l = loop_new();
    struct heard h = {.count = 0};
    struct signals *s = signals_watch(l, on_signal, &h);

    for (size_t i = 0; i < ARRAY_LEN(sent); i++)
        CHECK_INT(kill(getpid(), sent[i]), 0, "kill");
    loop_turn(l, true);
    CHECK_INT(h.count, ARRAY_LEN(sent), "told once each");
    for (size_t i = 0; i < ARRAY_LEN(sent); i++)
        CHECK_MSG(has(&h, sent[i]), "signal %d is not told", sent[i]);
    signals_free(s);
    loop_free(l);
}

TEST(nobody_dies_of_one_that_comes_at_the_end)
{
    struct loop *l = loop_new();
    struct heard h = {.count = 0};
    sigset_t waiting;

    signals_free(signals_watch(l, on_signal, &h));
    CHECK_INT(kill(getpid(), SIGTERM), 0, "kill");
    (void)sigpending(&waiting);
    CHECK(sigismember(&waiting, SIGTERM) == 1);
    CHECK_INT(h.count, 0, "told");
    /* Whoever watches next is told of it. */
    struct signals *s = signals_watch(l, on_signal, &h);
    loop_turn(l, true);
    CHECK(has(&h, SIGTERM));
    signals_free(s);
    loop_free(l);
}

static void *look_at_mask(void *arg)
{
    (void)pthread_sigmask(SIG_BLOCK, NULL, arg);
    return NULL;
}

TEST(thread_takes_no_signal_and_its_maker_takes_what_it_took)
{
    sigset_t before, inside, after;
    pthread_t id;

    look_at_mask(&before);
    CHECK(thread_start(&id, look_at_mask, &inside));
    (void)pthread_join(id, NULL);
    look_at_mask(&after);
    for (int number = 1; number <= SIGSYS; number++) {
        CHECK_INT(sigismember(&after, number), sigismember(&before, number), "mask of the maker");
        if (number != SIGKILL && number != SIGSTOP)
            CHECK_MSG(sigismember(&inside, number) == 1, "signal %d is not blocked", number);
    }
}
