#include "policy/rate.h"

#include <stdlib.h>

#include "policy/line.h"
#include "test.h"

enum { MS = 1000, S = 1000000 };

/* ---- tables ---- */

TEST(a_slot_is_free_a_second_after_the_answer)
{
    struct rate r = {0};

    rate_set(&r, 1);
    int slot = rate_take(&r, 0);
    CHECK_INT(slot, 0, "the first");
    CHECK_INT(rate_take(&r, 10 * S), RATE_NO_SLOT, "not sent yet");
    CHECK_INT(rate_next(&r, 10 * S), RATE_NEVER, "not sent yet");
    rate_note_sent(&r, slot, 10 * S);
    rate_note_answer(&r, slot, 10 * S, 10 * S + 100 * MS);
    int64_t due = 10 * S + 100 * MS + RATE_WINDOW_US;
    CHECK_INT(rate_next(&r, 10 * S), due, "answered");
    CHECK_INT(rate_take(&r, due - 1), RATE_NO_SLOT, "too early");
    CHECK_INT(rate_take(&r, due), 0, "in time");
    rate_free(&r);
}

TEST(a_late_answer_holds_up_nobody)
{
    struct rate r = {0};
    const int64_t due = RATE_TRANSIT_US + RATE_WINDOW_US;

    rate_set(&r, 1);
    rate_note_sent(&r, rate_take(&r, 0), 0);
    CHECK_INT(rate_next(&r, 0), due, "sent");
    CHECK_INT(rate_take(&r, due), 0, "another one");
    rate_note_answer(&r, 0, 0, due);
    CHECK_INT(rate_take(&r, due + 100 * S), RATE_NO_SLOT, "the slot is the other one's");
    rate_free(&r);
}

TEST(the_next_moment_is_when_the_first_of_those_taken_is_free)
{
    struct rate r = {0};
    const int64_t due = RATE_TRANSIT_US + RATE_WINDOW_US;

    rate_set(&r, 3);
    for (int i = 0; i < 3; i++)
        rate_note_sent(&r, rate_take(&r, 0), (3 - i) * 100 * MS);
    rate_set(&r, 1);
    CHECK_INT(rate_next(&r, 0), due + 100 * MS, "three are taken");
    CHECK_INT(rate_take(&r, due + 100 * MS), RATE_NO_SLOT, "still more than one");
    CHECK_INT(rate_next(&r, due + 100 * MS), due + 200 * MS, "two are taken");
    CHECK_INT(rate_next(&r, due + 200 * MS), due + 300 * MS, "one is taken");
    CHECK(rate_take(&r, due + 300 * MS) >= 0);
    rate_free(&r);
}

TEST(what_is_not_sent_does_not_count)
{
    struct rate r = {0};

    rate_set(&r, 1);
    rate_give_back(&r, rate_take(&r, 0));
    CHECK_INT(rate_take(&r, 0), 0, "given back");
    rate_free(&r);
}

TEST(a_lower_limit_counts_what_was_sent_before)
{
    struct rate r = {0};

    rate_set(&r, 3);
    for (int i = 0; i < 3; i++)
        rate_note_sent(&r, rate_take(&r, 0), i * 100 * MS);
    rate_set(&r, 1);
    const int64_t last = 200 * MS + RATE_TRANSIT_US + RATE_WINDOW_US;
    CHECK_INT(rate_take(&r, last - 1), RATE_NO_SLOT, "one of three is left");
    CHECK(rate_take(&r, last) >= 0);
    CHECK_INT(rate_take(&r, last), RATE_NO_SLOT, "one is the limit");
    rate_set(&r, 4);
    for (int i = 0; i < 3; i++)
        CHECK(rate_take(&r, last) >= 0);
    CHECK_INT(rate_take(&r, last), RATE_NO_SLOT, "four");
    rate_free(&r);
}

TEST(who_asked_to_wait_is_left_alone)
{
    struct rate r = {0};

    CHECK_INT(rate_take(&r, 0), RATE_UNCOUNTED, "without a limit");
    rate_hold(&r, 5 * S);
    rate_hold(&r, 2 * S);
    CHECK_INT(rate_take(&r, 5 * S - 1), RATE_NO_SLOT, "the latest holds");
    CHECK_INT(rate_next(&r, 0), 5 * S, "when");
    CHECK_INT(rate_take(&r, 5 * S), RATE_UNCOUNTED, "over");
    rate_set(&r, 1);
    rate_note_sent(&r, rate_take(&r, 6 * S), 6 * S);
    rate_hold(&r, 20 * S);
    CHECK_INT(rate_next(&r, 7 * S), 20 * S, "both");
    CHECK_INT(rate_next(&r, 15 * S), 20 * S, "the slot is free, and only the hold is left");
    rate_set(&r, 2);
    rate_note_sent(&r, rate_take(&r, 20 * S), 20 * S);
    CHECK(rate_take(&r, 20 * S) >= 0);
    CHECK_INT(rate_next(&r, 20 * S), 20 * S + RATE_TRANSIT_US + RATE_WINDOW_US, "then not");
    rate_free(&r);
}

TEST(callers_take_turns)
{
    struct line_place p[6];
    const unsigned whose[] = {1, 1, 1, 2, 3, 2}, want[] = {0, 3, 4, 1, 5, 2};
    struct line l;

    line_init(&l);
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        line_join(&l, &p[i], (struct line_caller){LINE_UID, whose[i]});
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        CHECK_INT(line_next(&l) - p, want[i], "whose turn it is");
    CHECK(line_next(&l) == NULL);
}

TEST(who_leaves_the_line_is_not_called)
{
    struct line_place p[3];
    struct line l;

    line_init(&l);
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        line_join(&l, &p[i], (struct line_caller){i == 2 ? LINE_USER : LINE_UID, 7});
    line_leave(&l, &p[0]);
    CHECK_INT(l.length, 2, "left");
    CHECK(line_next(&l) == &p[1]);
    CHECK(line_next(&l) == &p[2]);
    CHECK_INT(l.length, 0, "empty");
}

/* ---- the properties, with arrivals that are generated ---- */

enum { CALLERS = 100, MOST = 20, STEPS = 60000, OUTSTANDING = 4 };

struct sent {
    int slot, caller;
    int64_t at, counted, answered; /* by our clock; 0: not yet */
};

struct world {
    unsigned state;
    struct rate rate;
    struct line line;
    struct line_place places[CALLERS][OUTSTANDING];
    bool waits[CALLERS][OUTSTANDING];
    struct sent on_way[4096];
    size_t non_way;
    int served[CALLERS];
};

static unsigned any(struct world *w, unsigned below)
{
    w->state = w->state * 1103515245U + 12345U;
    return (w->state >> 8) % below;
}

/* It is on its way for less than RATE_TRANSIT_US, and the answer comes at once or late. */
static void send(struct world *w, int slot, int caller, int64_t now)
{
    struct sent *s = &w->on_way[w->non_way++];

    CHECK(w->non_way < ARRAY_LEN(w->on_way));
    rate_note_sent(&w->rate, slot, now);
    int64_t transit = any(w, 4) == 0 ? any(w, RATE_TRANSIT_US) : any(w, 20 * MS);
    *s = (struct sent){slot, caller, now, now + transit, now + transit + any(w, 2 * S)};
    w->served[caller]++;
}

static int earlier(const void *a, const void *b)
{
    const struct sent *x = a, *y = b;

    return x->counted < y->counted ? -1 : x->counted > y->counted;
}

/* Never more than the limit in a second, as the server counts. */
static void check_counts(struct sent *all, size_t n, size_t limit)
{
    qsort(all, n, sizeof(all[0]), earlier);
    for (size_t i = limit; i < n; i++)
        CHECK_MSG(all[i].counted - all[i - limit].counted > S, "%lld us between %zu and %zu",
                  (long long)(all[i].counted - all[i - limit].counted), i - limit, i);
}

/* Takes those whose answer has come off. */
static void hear(struct world *w, struct sent *all, size_t *n, int64_t now)
{
    for (size_t i = 0; i < w->non_way;) {
        struct sent *s = &w->on_way[i];
        if (s->answered > now) {
            i++;
            continue;
        }
        rate_note_answer(&w->rate, s->slot, s->at, now);
        all[(*n)++] = *s;
        *s = w->on_way[--w->non_way];
    }
}

/* A request of that caller arrives, if it has not as many waiting as it may. */
static void arrive(struct world *w, int caller, int64_t now)
{
    for (int k = 0; k < OUTSTANDING; k++) {
        if (w->waits[caller][k])
            continue;
        bool idle = w->line.length == 0;
        int slot = idle ? rate_take(&w->rate, now) : RATE_NO_SLOT;
        if (slot != RATE_NO_SLOT) {
            send(w, slot, caller, now);
            return;
        }
        w->waits[caller][k] = true;
        line_join(&w->line, &w->places[caller][k],
                  (struct line_caller){LINE_USER, (uint64_t)caller});
        return;
    }
}

static void serve(struct world *w, int64_t now)
{
    int slot;

    while (w->line.length > 0 && (slot = rate_take(&w->rate, now)) != RATE_NO_SLOT) {
        size_t at = (size_t)(line_next(&w->line) - &w->places[0][0]);
        (&w->waits[0][0])[at] = false;
        send(w, slot, (int)(at / OUTSTANDING), now);
    }
}

static struct sent history[100000];

/* busy: each caller has always something to send. */
static size_t run(struct world *w, int callers, unsigned gap_us, bool busy)
{
    size_t n = 0;
    int64_t now = S;

    for (int step = 0; step < STEPS; step++) {
        now += 1 + any(w, gap_us);
        hear(w, history, &n, now);
        serve(w, now);
        for (int c = 0; busy && c < callers; c++) /* of a few, many requests at once */
            while (!w->waits[c][c % 10 == 0 ? OUTSTANDING - 1 : 0])
                arrive(w, c, now);
        if (step == 0)
            memset(w->served, 0, sizeof(w->served)); /* nobody waited so far */
        if (!busy)
            arrive(w, (int)any(w, (unsigned)callers), now);
        CHECK_MSG(w->line.length == 0 || rate_take(&w->rate, now) == RATE_NO_SLOT,
                  "somebody waits while a request could be sent");
    }
    hear(w, history, &n, RATE_NEVER);
    while (w->line.length > 0)
        (void)line_next(&w->line);
    rate_free(&w->rate);
    return n;
}

static struct world *world_new(unsigned seed, size_t limit)
{
    struct world *w = calloc(1, sizeof(*w));

    w->state = seed;
    line_init(&w->line);
    rate_set(&w->rate, limit);
    return w;
}

TEST(the_server_never_counts_more_in_a_second)
{
    for (unsigned seed = 1; seed <= 8; seed++) {
        const size_t limit = 1 + seed * 7 % MOST;
        struct world *w = world_new(seed, limit);
        size_t n = run(w, 1 + (int)seed * 5, seed % 2 == 0 ? 2 * MS : 100 * MS, seed % 3 == 0);
        CHECK_MSG(n > 40, "%zu", n);
        check_counts(history, n, limit);
        free(w);
    }
}

TEST(everybody_gets_a_share)
{
    struct world *w = world_new(42, MOST);
    size_t n = run(w, CALLERS, 20 * MS, true);
    const double share = (double)(n - MOST) / CALLERS;

    check_counts(history, n, MOST);
    for (int c = 0; c < CALLERS; c++)
        CHECK_MSG(w->served[c] > share * 0.8 && w->served[c] < share * 1.2, "%d got %d of %f", c,
                  w->served[c], share);
    CHECK_MSG(n > STEPS * 10 / 1000 * MOST * 3 / 4, "only %zu", n); /* of 10 ms each */
    free(w);
}
