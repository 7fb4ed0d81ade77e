#include "test.h"
#include "upstream/overlap.h"

TEST(other_one_is_tried_once_a_minute)
{
    struct overlap o;

    overlap_init(&o);
    CHECK(overlap_take_try(&o, 5));
    CHECK(!overlap_take_try(&o, 5));
    CHECK(!overlap_take_try(&o, 5 + OVERLAP_PAUSE_MS - 1));
    CHECK(overlap_take_try(&o, 5 + OVERLAP_PAUSE_MS));
    CHECK(!overlap_take_try(&o, 6 + OVERLAP_PAUSE_MS));
}

TEST(suspicion_is_told_once_and_ends)
{
    struct overlap o;

    overlap_init(&o);
    CHECK(!overlap_is_suspected(&o));
    CHECK(overlap_suspect(&o));
    CHECK(!overlap_suspect(&o));
    CHECK(overlap_is_suspected(&o));
    overlap_trust(&o);
    CHECK(!overlap_is_suspected(&o));
    CHECK(overlap_suspect(&o));
    CHECK(overlap_switch(&o, 1, 5));
    CHECK(!overlap_is_suspected(&o));
}

TEST(switch_is_told_once)
{
    struct overlap o;

    overlap_init(&o);
    CHECK_INT(overlap_in_use(&o), 0, "at first");
    CHECK(!overlap_switch(&o, 0, 5));
    CHECK(overlap_switch(&o, 1, 5));
    CHECK(!overlap_switch(&o, 1, 5));
    CHECK_INT(overlap_in_use(&o), 1, "then");
    CHECK(overlap_switch(&o, 0, 5));
}
