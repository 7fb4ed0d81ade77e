#include "ops/expiry.h"
#include "test.h"

enum { DAY = 86400 };

TEST(stages_of_an_end)
{
    static const struct {
        int64_t left;
        int stage;
    } cases[] = {
        {31 * DAY, 0}, {30 * DAY + 1, 0}, {30 * DAY, 1}, {14 * DAY, 2},   {8 * DAY, 2},
        {7 * DAY, 3},  {3 * DAY, 4},      {DAY + 1, 4},  {DAY, 5},        {1, 5},
        {0, 6},        {-DAY + 1, 6},     {-DAY, 7},     {-10 * DAY, 16},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(expiry_stage(cases[i].left), cases[i].stage, "stage");
}

TEST(each_stage_is_told_once)
{
    struct expiry e = {0};
    int told = 0;

    expiry_start(&e, 2);
    for (int64_t left = 40 * DAY; left > -5 * DAY; left -= 3600)
        told += expiry_is_due(&e, 0, left);
    CHECK_INT(told, 5 + 5, "five before the end, and one on each day behind it");
    CHECK(expiry_is_due(&e, 1, DAY)); /* a laptop slept through the others */
    CHECK(!expiry_is_due(&e, 1, DAY - 1));
    expiry_start(&e, 1);
    CHECK(expiry_is_due(&e, 0, DAY));
    expiry_free(&e);
}
