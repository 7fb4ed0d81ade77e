#include "upstream/gate.h"

#include "base/quota.h"
#include "policy/rate.h"
#include "test.h"
#include "upstream/upstreams.h"

enum { QUEUE_TIMEOUT_MS = 60 * 1000, CROSSINGS = 3 };

/* A worker without tenants, a gate, and requests at it. */
struct place {
    struct config config;
    struct generation generation;
    struct quota queue;
    struct upstreams all;
    struct gate *gate;
    struct crossing crossings[CROSSINGS];
    struct failure why[CROSSINGS];
    int calls[CROSSINGS]; /* of done() */
};

static struct place place;

static void on_done(void *ctx, const struct failure *why)
{
    ptrdiff_t i = (struct crossing *)ctx - place.crossings;

    place.calls[i]++;
    place.why[i] = (struct failure){.id = FAIL_NONE};
    if (why != NULL)
        place.why[i] = *why;
}

static void begin(size_t limit, int64_t queue)
{
    memset(&place, 0, sizeof(place));
    place.config.queue_timeout = QUEUE_TIMEOUT_MS;
    place.generation.config = &place.config;
    quota_init(&place.queue, queue);
    upstreams_init(&place.all, loop_new(), NULL, &place.queue, &place.generation);
    place.gate = gate_new("/a", limit);
}

static enum crossing_result ask(int i)
{
    struct crossing *c = &place.crossings[i];

    c->done = on_done;
    c->ctx = c;
    return crossing_begin(c, gate_ref(place.gate), &place.all,
                          (struct line_caller){LINE_CONNECTION, (uint64_t)i}, &place.why[i]);
}

static void turn_until_called(int i)
{
    while (place.calls[i] == 0)
        loop_turn(place.all.loop, true);
}

static void end(void)
{
    for (int i = 0; i < CROSSINGS; i++)
        crossing_end(&place.crossings[i]);
    loop_turn(place.all.loop, false);
    CHECK_INT(atomic_load(&place.queue.used), 0, "nobody waits any more");
    upstreams_end(&place.all);
    gate_unref(place.gate);
    upstreams_free(&place.all);
    loop_free(place.all.loop);
}

static const struct {
    const char *name;
    size_t limit;
    int64_t held_s; /* the server wants no requests for so long */
    int64_t queue, queued;
    int before; /* requests that have come before */
    enum crossing_result want;
    enum fail why;
} arrivals[] = {
    {"no limit", 0, 0, 10, 0, 2, CROSSING_OPEN, FAIL_NONE},
    {"below the limit", 2, 0, 10, 0, 1, CROSSING_OPEN, FAIL_NONE},
    {"beyond the limit", 2, 0, 10, 0, 2, CROSSING_WAITS, FAIL_NONE},
    {"behind one that waits", 1, 0, 10, 0, 2, CROSSING_WAITS, FAIL_NONE},
    {"beyond the limit, the queue is full", 1, 0, 5, 5, 1, CROSSING_REFUSED, FAIL_QUEUE_FULL},
    {"below the limit, the queue is full", 1, 0, 5, 5, 0, CROSSING_OPEN, FAIL_NONE},
    {"held", 0, 900, 10, 0, 0, CROSSING_WAITS, FAIL_NONE},
    {"held for longer than it can wait, much waits", 0, 900, 10, 5, 0, CROSSING_REFUSED,
     FAIL_SERVER_ASKED_TO_WAIT},
    {"held for longer than it can wait, little waits", 0, 900, 10, 4, 0, CROSSING_WAITS, FAIL_NONE},
    {"held for less, much waits", 0, 30, 10, 5, 0, CROSSING_WAITS, FAIL_NONE},
};

TEST(requests_go_on_or_wait_or_are_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(arrivals); i++) {
        const char *name = arrivals[i].name;
        begin(arrivals[i].limit, arrivals[i].queue);
        for (int n = 0; n < arrivals[i].before; n++)
            CHECK_MSG(ask(n) != CROSSING_REFUSED, "%s", name);
        CHECK(quota_take_many(&place.queue, (size_t)arrivals[i].queued));
        if (arrivals[i].held_s > 0)
            CHECK(gate_hold(place.gate, arrivals[i].held_s * 1000000));
        int last = arrivals[i].before;
        CHECK_INT(ask(last), arrivals[i].want, name);
        CHECK_INT(place.crossings[last].open, arrivals[i].want == CROSSING_OPEN, name);
        CHECK_INT(place.why[last].id, arrivals[i].why, name);
        quota_give_many(&place.queue, (size_t)arrivals[i].queued);
        end();
    }
}

TEST(whoever_gives_up_its_slot_lets_the_next_one_go_on)
{
    begin(1, 10);
    CHECK_INT(ask(0), CROSSING_OPEN, "the first");
    CHECK_INT(ask(1), CROSSING_WAITS, "the second");
    CHECK_INT(ask(2), CROSSING_WAITS, "the third");
    crossing_end(&place.crossings[0]);
    turn_until_called(1);
    CHECK(place.crossings[1].open && !place.crossings[2].open);
    CHECK_INT(place.why[1].id, FAIL_NONE, "the second");
    crossing_end(&place.crossings[1]);
    turn_until_called(2);
    CHECK(place.crossings[2].open);
    end();
}

/* The slot is on its way to a request that leaves. */
TEST(whoever_leaves_when_it_is_called_is_not_called_and_gives_the_slot_on)
{
    begin(1, 10);
    CHECK_INT(ask(0), CROSSING_OPEN, "the first");
    CHECK_INT(ask(1), CROSSING_WAITS, "the second");
    CHECK_INT(ask(2), CROSSING_WAITS, "the third");
    crossing_end(&place.crossings[0]);
    crossing_end(&place.crossings[1]);
    turn_until_called(2);
    CHECK_INT(place.calls[1], 0, "the second has left");
    CHECK(place.crossings[2].open);
    end();
}

TEST(a_higher_limit_and_the_end_of_a_hold_let_requests_go_on)
{
    begin(1, 10);
    CHECK_INT(ask(0), CROSSING_OPEN, "the first");
    CHECK_INT(ask(1), CROSSING_WAITS, "the second");
    gate_set_limit(place.gate, 2);
    turn_until_called(1);
    CHECK(gate_hold(place.gate, 900 * 1000000LL) && !gate_hold(place.gate, 1));
    CHECK_INT(ask(2), CROSSING_WAITS, "held");
    CHECK(place.crossings[2].was_held && !place.crossings[1].was_held);
    gate_set_limit(place.gate, 3);
    CHECK_INT(place.calls[2], 0, "still held");
    gate_release(place.gate);
    turn_until_called(2);
    end();
}

static const struct {
    const char *name;
    int64_t held_s;
    enum fail why;
} timeouts[] = {{"by `rate`", 0, FAIL_QUEUE_TIMEOUT}, {"held", 900, FAIL_SERVER_ASKED_TO_WAIT}};

TEST(nobody_waits_longer_than_queue_timeout)
{
    for (size_t i = 0; i < ARRAY_LEN(timeouts); i++) {
        begin(1, 10);
        place.config.queue_timeout = 1;
        CHECK_INT(ask(0), CROSSING_OPEN, timeouts[i].name);
        if (timeouts[i].held_s > 0)
            CHECK(gate_hold(place.gate, timeouts[i].held_s * 1000000));
        CHECK_INT(ask(1), CROSSING_WAITS, timeouts[i].name);
        turn_until_called(1);
        CHECK_INT(place.why[1].id, timeouts[i].why, timeouts[i].name);
        CHECK_INT(failure_retry_after(&place.why[1]) > 10, timeouts[i].held_s > 0,
                  timeouts[i].name);
        end();
    }
}
