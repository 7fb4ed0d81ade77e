#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/resolve.h"
#include "test.h"

enum { KNOWN = 64, MORE = KNOWN + 16 }; /* how many names are remembered, and more than that */

struct asker {
    struct loop *loop;
    struct resolver *resolver;
    int answered;
    const char *then; /* asked for in the first answer */
};

/* A name that no thread has to ask anybody about. */
static const char *name_of(int i)
{
    static char name[32];

    (void)snprintf(name, sizeof(name), "n%d.localhost", i);
    return name;
}

static void on_answer(void *ctx, const struct resolved *found, const struct failure *why)
{
    struct asker *a = ctx;
    const char *then = a->then;

    CHECK_MSG(found != NULL && found->count == 2, "%s", why->detail.text);
    CHECK_INT(address_port(&found->addresses[0]), 443, "the port that was asked for");
    a->answered++;
    a->then = NULL;
    if (then != NULL)
        (void)resolver_lookup(a->resolver, then, 443, on_answer, a);
}

static void ask(struct asker *a, const char *name)
{
    (void)resolver_lookup(a->resolver, name, 443, on_answer, a);
}

static void run_until(struct asker *a, int answered)
{
    while (a->answered < answered)
        loop_turn(a->loop, true);
}

static struct asker begin(int64_t cache_ms)
{
    struct asker a = {.loop = loop_new()};

    a.resolver = resolver_new(a.loop, cache_ms);
    return a;
}

static void end(struct asker *a)
{
    resolver_free(a->resolver);
    loop_free(a->loop);
}

static int known(struct asker *a, int count)
{
    struct resolved found;
    int n = 0;

    for (int i = 0; i < count; i++)
        n += resolver_knows(a->resolver, name_of(i), 443, &found) ? 1 : 0;
    return n;
}

TEST(however_many_names_are_asked_for_at_once_each_is_answered)
{
    struct asker a = begin(60000);

    for (int i = 0; i < MORE; i++)
        ask(&a, name_of(i));
    ask(&a, name_of(0));
    run_until(&a, MORE + 1);
    ask(&a, "one-more.localhost");
    run_until(&a, MORE + 2);
    CHECK_INT(known(&a, MORE), KNOWN - 1, "the oldest made room");
    CHECK_MSG(known(&a, MORE - KNOWN + 1) == 0, "an older one is there, and a newer one is not");
    end(&a);
}

TEST(an_answer_may_lead_to_the_next_question)
{
    struct asker a = begin(60000);

    for (int i = 0; i < MORE; i++)
        ask(&a, name_of(i));
    a.then = "one-more.localhost";
    run_until(&a, MORE + 1);
    end(&a);
}

TEST(who_asks_the_same_in_an_answer_gets_one_too)
{
    struct asker a = begin(0);

    a.then = "n0.localhost";
    ask(&a, name_of(0));
    ask(&a, name_of(0));
    run_until(&a, 3);
    end(&a);
}

TEST(what_is_remembered_is_so_for_as_long_as_is_set_now)
{
    struct asker a = begin(3600000);

    ask(&a, name_of(0));
    run_until(&a, 1);
    CHECK_INT(known(&a, 1), 1, "for an hour");
    resolver_set_cache(a.resolver, 0);
    CHECK_INT(known(&a, 1), 0, "not any more");
    resolver_set_cache(a.resolver, 3600000);
    CHECK_INT(known(&a, 1), 1, "for an hour again");
    end(&a);
}
