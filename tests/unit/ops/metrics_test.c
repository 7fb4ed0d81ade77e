#include "ops/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static const struct metrics_sum *sum_of(const struct metrics_sum *all, size_t n, const char *tenant)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].tenant, tenant) == 0)
            return &all[i];
    test_fail(__FILE__, __LINE__, "no sum of %s", tenant);
    return NULL;
}

static void note(struct metrics *m, void **counts, const char *tenant, int status, int64_t us)
{
    metrics_note(
        m, &(struct record){.tenant = tenant, .status = status, .total_us = us, .counts = counts});
}

TEST(workers_are_added_up)
{
    struct metrics *m = metrics_new();
    void *one = NULL, *two = NULL, *other = NULL, *nobody = NULL;
    size_t n;

    note(m, &one, "acme", 200, 1);
    note(m, &two, "acme", 200, 1);
    note(m, &two, "acme", 599, 1);
    note(m, &other, "Globex", 0, 1);
    note(m, &nobody, NULL, 403, 1);
    struct metrics_sum *all = metrics_add_up(m, &n);
    CHECK_INT((int64_t)n, 3, "tenants");
    CHECK(strcmp(all[0].tenant, "") == 0);
    CHECK(strcmp(all[1].tenant, "Globex") == 0);
    CHECK(strcmp(all[2].tenant, "acme") == 0);
    CHECK_INT((int64_t)all[2].codes[200], 2, "200");
    CHECK_INT((int64_t)all[2].codes[599], 1, "599");
    CHECK_INT((int64_t)all[1].codes[0], 1, "no answer");
    CHECK_INT((int64_t)all[0].codes[403], 1, "of no tenant");
    free(all);
    metrics_free(m);
}

TEST(there_is_always_a_sum_of_no_tenant)
{
    struct metrics *m = metrics_new();
    size_t n;
    struct metrics_sum *all = metrics_add_up(m, &n);

    CHECK_INT((int64_t)n, 1, "sums");
    CHECK(strcmp(all[0].tenant, "") == 0);
    free(all);
    metrics_free(m);
}

/* A bound belongs to its bucket: le is less or equal. */
TEST(time_is_counted_in_the_bucket_that_it_fits)
{
    static const struct {
        int64_t us;
        size_t want;
    } cases[] = {{0, 0},
                 {5000, 0},
                 {5001, 1},
                 {1000000, 7},
                 {600000000, 15},
                 {600000001, METRICS_BOUNDS},
                 {INT64_C(86400000000), METRICS_BOUNDS}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct metrics *m = metrics_new();
        void *counts = NULL;
        size_t n;
        note(m, &counts, "acme", 200, cases[i].us);
        struct metrics_sum *all = metrics_add_up(m, &n);
        const struct metrics_histogram *h = &sum_of(all, n, "acme")->duration;
        for (size_t k = 0; k <= METRICS_BOUNDS; k++)
            CHECK_INT((int64_t)h->buckets[k], k == cases[i].want, "bucket");
        CHECK_INT((int64_t)h->sum_us, cases[i].us, "sum");
        free(all);
        metrics_free(m);
    }
}

TEST(failures_hints_and_handshakes)
{
    struct metrics *m = metrics_new();
    struct failure why = {.id = FAIL_TLS};
    struct way_times way = {.tls = 30000, .resumed = 1}, failed = {.tls = 30000, .resumed = -1};
    void *counts = NULL;
    struct record r = {.tenant = "acme", .status = 502, .counts = &counts, .failure = &why};
    size_t n;

    r.way = &failed;
    metrics_note(m, &r);
    r = (struct record){.tenant = "acme", .status = 403, .counts = &counts, .way = &way};
    r.cause = cause_of(CAUSE_LGN0002);
    metrics_note(m, &r);
    struct metrics_sum *all = metrics_add_up(m, &n);
    const struct metrics_sum *acme = sum_of(all, n, "acme");
    CHECK_INT((int64_t)acme->failures[FAIL_TLS], 1, "failure");
    CHECK_INT((int64_t)acme->hints[CAUSE_LGN0002], 1, "hint");
    CHECK_INT((int64_t)acme->handshake[1].buckets[3], 1, "resumed");
    CHECK_INT((int64_t)acme->handshake[1].sum_us, 30000, "resumed, sum");
    CHECK_INT((int64_t)acme->handshake[0].sum_us, 0, "not resumed");
    free(all);
    metrics_free(m);
}
