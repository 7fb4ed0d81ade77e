#include <pthread.h>
#include <stdlib.h>

#include "net/loop.h"
#include "test.h"

struct probe {
    struct loop *loop;
    int order[16];
    int count;
    struct timer timers[4];
    struct task task;
};

struct slot {
    struct probe *probe;
    int value;
};

static void note(void *ctx)
{
    struct slot *s = ctx;

    s->probe->order[s->probe->count++] = s->value;
}

static void run_until(struct probe *p, int count)
{
    while (p->count < count)
        loop_turn(p->loop, true);
}

TEST(timers_fire_in_order_of_their_deadlines)
{
    struct probe p = {.loop = loop_new()};
    struct slot slots[] = {{&p, 1}, {&p, 2}, {&p, 3}, {&p, 4}};
    static const int64_t ms[] = {30, 10, 20, 10};

    for (int i = 0; i < 4; i++) {
        timer_init(&p.timers[i], note, &slots[i]);
        timer_start(p.loop, &p.timers[i], ms[i]);
    }
    timer_stop(&p.timers[2]);
    CHECK(timer_runs(&p.timers[0]) && !timer_runs(&p.timers[2]));
    int64_t begun = loop_now(p.loop);
    run_until(&p, 3);
    CHECK_INT(p.order[0], 2, "the shortest");
    CHECK_INT(p.order[1], 4, "the same, started later");
    CHECK_INT(p.order[2], 1, "the longest");
    CHECK_MSG(loop_now(p.loop) - begun >= 30, "not before its time");
    CHECK(!timer_runs(&p.timers[0]));
    loop_free(p.loop);
}

TEST(a_timer_that_is_started_again_begins_anew)
{
    struct probe p = {.loop = loop_new()};
    struct slot slots[] = {{&p, 1}, {&p, 2}};

    timer_init(&p.timers[0], note, &slots[0]);
    timer_init(&p.timers[1], note, &slots[1]);
    timer_start(p.loop, &p.timers[0], 5);
    timer_start(p.loop, &p.timers[1], 10);
    timer_start(p.loop, &p.timers[0], 30);
    run_until(&p, 2);
    CHECK_INT(p.order[0], 2, "first");
    CHECK_INT(p.order[1], 1, "then");
    loop_free(p.loop);
}

TEST(many_durations_come_and_go)
{
    struct probe p = {.loop = loop_new()};
    struct slot slot = {&p, 1};

    timer_init(&p.timers[0], note, &slot);
    for (int i = 0; i < 1000; i++)
        timer_start(p.loop, &p.timers[0], 1000 + i);
    timer_start(p.loop, &p.timers[0], 1);
    run_until(&p, 1);
    CHECK_INT(p.count, 1, "once");
    loop_free(p.loop);
}

static void defer_again(void *ctx)
{
    struct probe *p = ctx;

    p->count++;
    task_defer(p->loop, &p->task);
}

static void count_up(void *ctx)
{
    (*(int *)ctx)++;
}

TEST(a_crowd_of_timers_leaves_room_for_other_events)
{
    struct loop *l = loop_new();
    struct timer timers[300];
    int fired = 0, posted = 0, turns = 0;

    for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
        timer_init(&timers[i], count_up, &fired);
        timer_start(l, &timers[i], (int64_t)(i % 3));
    }
    while (fired == 0)
        loop_turn(l, true);
    loop_post(l, count_up, &posted);
    while (posted == 0 && turns++ < 2)
        loop_turn(l, true);
    CHECK_INT(posted, 1, "the post came in between");
    CHECK(fired < (int)ARRAY_LEN(timers));
    while (fired < (int)ARRAY_LEN(timers))
        loop_turn(l, true);
    loop_free(l);
}

TEST(a_turn_ends_even_if_its_tasks_make_tasks)
{
    struct probe p = {.loop = loop_new()};

    task_init(&p.task, defer_again, &p);
    task_defer(p.loop, &p.task);
    task_defer(p.loop, &p.task); /* due once */
    loop_turn(p.loop, true);
    CHECK_INT(p.count, 1, "one turn, one run");
    loop_turn(p.loop, true);
    CHECK_INT(p.count, 2, "the next in the next; it does not wait");
    task_cancel(&p.task);
    loop_turn(p.loop, false);
    CHECK_INT(p.count, 2, "cancelled");
    loop_free(p.loop);
}

TEST(the_buried_go_when_the_turn_ends)
{
    struct probe p = {.loop = loop_new()};
    struct slot slot = {&p, 7};

    loop_bury(p.loop, &slot, note);
    CHECK_INT(p.count, 0, "not at once");
    loop_turn(p.loop, false);
    CHECK_INT(p.count, 1, "now");
    loop_free(p.loop);
}

struct poster {
    struct probe *probe;
    struct slot slots[8];
};

static void *post_all(void *arg)
{
    struct poster *p = arg;

    for (size_t i = 0; i < ARRAY_LEN(p->slots); i++) {
        p->slots[i] = (struct slot){p->probe, (int)i};
        loop_post(p->probe->loop, note, &p->slots[i]);
    }
    return NULL;
}

TEST(posts_of_another_thread_arrive_in_order)
{
    struct probe p = {.loop = loop_new()};
    struct poster poster = {.probe = &p};
    pthread_t thread;

    CHECK_INT(pthread_create(&thread, NULL, post_all, &poster), 0, "thread");
    run_until(&p, 8);
    (void)pthread_join(thread, NULL);
    for (int i = 0; i < 8; i++)
        CHECK_INT(p.order[i], i, "order");
    loop_free(p.loop);
}
