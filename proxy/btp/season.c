#include "btp/season.h"

#include <stddef.h>

#include "base/status.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* How long before its end BTP renews a certificate that is valid for so many days. */
static int64_t ahead_of_end(int64_t life)
{
    static const struct {
        int64_t most_days, ahead;
    } rows[] = {{1, 12 * HOUR}, {14, DAY}, {31, 3 * DAY}, {154, 7 * DAY}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (life <= rows[i].most_days * DAY)
            return rows[i].ahead;
    return 30 * (int64_t)DAY;
}

int64_t season_begins(int64_t not_before, int64_t not_after)
{
    int64_t life = not_after - not_before, renewed = not_after - ahead_of_end(life),
            third = not_before + life / 3 * 2;

    return renewed > third ? renewed : third;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A minute, and twice as long each further time. */
static int64_t growing(int times, int64_t limit)
{
    return least((int64_t)MINUTE << least(times, 20), limit);
}

/* The pause after the last look, if that one did not fail and there is a valid certificate. */
static int64_t pause(const struct season *s, int64_t now)
{
    int64_t begins = season_begins(s->not_before, s->not_after), left = s->not_after - now;

    if (now >= begins)
        return growing(s->unchanged, most(least(left / 8, 6 * HOUR), MINUTE));
    return least(DAY, most(begins - s->looked, MINUTE));
}

static int64_t spread(int64_t pause, uint32_t chance)
{
    return pause + (int64_t)(chance % (uint32_t)(least(pause / 10, HOUR) + 1));
}

int64_t season_next(const struct season *s, int64_t now, uint32_t chance)
{
    bool absent = s->not_after == 0 || s->not_after <= now;
    int64_t looked = least(s->looked, now); /* the clock may have been set back */

    if (looked == 0)
        return absent || now >= season_begins(s->not_before, s->not_after)
                   ? now
                   : now + MINUTE + chance % (10 * MINUTE);
    int64_t next = s->failures > 0 ? growing(s->failures - 1, HOUR)
                   : absent        ? growing(s->unchanged, HOUR)
                                   : pause(s, now);
    next = most(next, least(s->wait, DAY));
    return looked + most(spread(next, chance), SEASON_LEAST_S);
}
