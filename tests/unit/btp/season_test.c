/* When BTP is asked again. */
#include "btp/season.h"

#include "test.h"

enum { M = 60, H = 3600, D = 86400 };

TEST(the_season_begins_when_btp_has_renewed_it)
{
    static const struct {
        const char *life;
        int64_t days, ahead;
    } cases[] = {
        {"1 day", 1, 8 * H}, /* 12 hours before: the last third is later */
        {"2 days", 2, 16 * H},     {"14 days", 14, D},      {"15 days", 15, 3 * D},
        {"31 days", 31, 3 * D},    {"32 days", 32, 7 * D},  {"154 days", 154, 7 * D},
        {"155 days", 155, 30 * D}, {"a year", 365, 30 * D}, {"ten years", 3650, 30 * D},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(cases[i].days * D - season_begins(0, cases[i].days * D), cases[i].ahead,
                  cases[i].life);
}

TEST(next_looks)
{
    enum { NOW = 1000 * D };
    const int64_t year = 365 * D;
    const struct {
        const char *what;
        struct season s;
        int64_t in; /* seconds from now */
    } cases[] = {
        {"nothing is here", {0}, 0},
        {"it has expired", {.not_before = 1, .not_after = NOW - 1}, 0},
        {"in season", {.not_before = NOW + D - year, .not_after = NOW + D}, 0},
        {"fresh", {.not_before = NOW - D, .not_after = NOW + year}, M},
        {"daily", {.not_before = NOW - D, .not_after = NOW + year, .looked = NOW}, D},
        {"daily, on time", {.not_before = NOW - D, .not_after = NOW + year, .looked = NOW - D}, 0},
        {"the season begins within a day",
         {.not_before = NOW - 334 * D - D / 2, .not_after = NOW + 30 * D + D / 2, .looked = NOW},
         D / 2},
        {"in season at once",
         {.not_before = NOW - 340 * D, .not_after = NOW + 25 * D, .looked = NOW},
         M},
        {"in season, in vain",
         {.not_before = NOW - 340 * D, .not_after = NOW + 25 * D, .looked = NOW, .unchanged = 3},
         8 * M},
        {"in season, often in vain",
         {.not_before = NOW - 340 * D, .not_after = NOW + 25 * D, .looked = NOW, .unchanged = 90},
         6 * H},
        {"two minutes", {.not_before = NOW, .not_after = NOW + 120, .looked = NOW}, 80},
        {"near the end", {.not_before = NOW - 110, .not_after = NOW + 10, .looked = NOW}, M},
        {"one failure", {.failures = 1, .looked = NOW}, M},
        {"four failures", {.failures = 4, .looked = NOW}, 8 * M},
        {"many failures", {.failures = 1000000, .looked = NOW}, H},
        {"Retry-After", {.failures = 1, .looked = NOW, .wait = 300}, 300},
        {"a short Retry-After", {.failures = 1, .looked = NOW, .wait = 7}, M},
        {"an absurd Retry-After", {.failures = 1, .looked = NOW, .wait = INT64_MAX / 2}, D},
        {"the clock was set back", {.looked = NOW + 2 * D}, M},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(season_next(&cases[i].s, NOW, 0) - NOW, cases[i].in, cases[i].what);
}

TEST(never_twice_within_a_minute_and_spread)
{
    for (uint32_t chance = 0; chance < 5000; chance += 7) {
        struct season s = {.not_after = 1000, .looked = 990, .failures = (int)(chance % 9)};
        CHECK(season_next(&s, 995, chance) >= s.looked + SEASON_LEAST_S);
    }
    struct season daily = {.not_before = 1, .not_after = 400 * D, .looked = D};
    int64_t a = season_next(&daily, D, 0), b = season_next(&daily, D, 3000);
    CHECK(b > a && b <= a + H);
}
