#include "upstream/origin.h"

#include <stdio.h>

#include "test.h"

enum { REQUESTS = 20, STREAK = 16 }; /* origin.c: STREAK_MAX */

/* Two workers in one thread, a tenant, and requests of both. No connection is ever finished: it is
 * being made, and its request leaves. */
static struct config config;
static struct tenant tenant;
static struct tenant *tenants[] = {&tenant};
static struct shared_tenant shared;
static struct shared_tenant *shareds[] = {&shared};
static struct generation generation;
static struct quota queue;
static struct upstreams workers[2];
static struct upstreams *all[] = {&workers[0], &workers[1]};
static struct acquire asked[2][REQUESTS];
static struct failure told; /* by done() */

static void on_done(void *ctx, struct upstream *u, const struct failure *why)
{
    (void)ctx;
    CHECK(u == NULL && why != NULL);
    told = *why;
}

static void load_certificate(void)
{
    char path[256];
    enum credential_source source;
    struct diag why;

    (void)snprintf(path, sizeof(path), "%s/acme-all.pem", test_environment("SFMTLS_TEST_PKI"));
    const struct credential_files files = {.certificate = path, .allow_readable_key = true};
    CHECK_MSG(credential_load(&files, &tenant.identities[IDENTITY_CURRENT].credential, &source,
                              &why) == ST_OK,
              "%s", why.text);
}

static void begin(int64_t places, int64_t queue_limit)
{
    memset(asked, 0, sizeof(asked));
    memset(&tenant, 0, sizeof(tenant));
    told.id = FAIL_NONE;
    tenant.name = "acme";
    tenant.server = (struct endpoint){"127.0.0.1", 1};
    tenant.peer = "127.0.0.1:1";
    tenant.max_upstream = places;
    load_certificate();
    config = (struct config){.tenants = tenants,
                             .ntenants = 1,
                             .queue_timeout = 60 * 1000,
                             .connect_timeout = 60 * 1000};
    atomic_init(&shared.refs, 1);
    quota_init(&shared.places, places);
    atomic_init(&shared.waiting, 0);
    overlap_init(&shared.overlap);
    generation = (struct generation){.config = &config, .tenants = shareds};
    atomic_init(&generation.refs, 1);
    quota_init(&queue, queue_limit);
    for (int w = 0; w < 2; w++) {
        upstreams_init(&workers[w], loop_new(), NULL, &queue, &generation);
        workers[w].all = all;
        workers[w].nall = 2;
    }
}

static enum acquire_result ask(int worker, int request)
{
    struct acquire *a = &asked[worker][request];
    struct upstream *u = NULL;

    a->done = on_done;
    return origin_acquire(workers[worker].origins[0], a, ACQUIRE_ANY, &u, &told);
}

static bool has_place(int worker, int request)
{
    return asked[worker][request].opening != NULL;
}

/* What other workers have posted; nothing else is due then. */
static void turn(int worker)
{
    loop_turn(workers[worker].loop, false);
}

static void end(void)
{
    for (int w = 0; w < 2; w++)
        for (int i = 0; i < REQUESTS; i++)
            origin_cancel(&asked[w][i]);
    for (int n = 0; n < 4; n++)
        turn(n % 2);
    CHECK_INT(atomic_load(&shared.places.used), 0, "no place is lost");
    CHECK_INT(atomic_load(&shared.waiting), 0, "nobody waits");
    CHECK_INT(atomic_load(&queue.used), 0, "nobody is in the queue");
    for (int w = 0; w < 2; w++) {
        workers[w].ended = true;
        upstreams_end(&workers[w]);
        turn(w);
        upstreams_free(&workers[w]);
        loop_free(workers[w].loop);
    }
    credential_unref(tenant.identities[IDENTITY_CURRENT].credential);
    CHECK_INT(atomic_load(&shared.refs), 1, "counts of references");
    CHECK_INT(atomic_load(&generation.refs), 1, "counts of references");
}

TEST(requests_beyond_the_limit_wait_in_their_order)
{
    begin(1, 10);
    for (int i = 0; i < 3; i++)
        CHECK_INT(ask(0, i), ACQUIRE_WAITS, "");
    CHECK(has_place(0, 0) && asked[0][1].queued && asked[0][2].queued);
    origin_cancel(&asked[0][0]);
    CHECK(has_place(0, 1) && !asked[0][1].queued && asked[0][2].queued);
    origin_cancel(&asked[0][1]);
    CHECK(has_place(0, 2));
    end();
}

TEST(a_full_queue_refuses)
{
    begin(1, 1);
    CHECK_INT(ask(0, 0), ACQUIRE_WAITS, "has the place");
    CHECK_INT(ask(1, 0), ACQUIRE_WAITS, "has the queue's one place");
    CHECK_INT(ask(0, 1), ACQUIRE_REFUSED, "");
    CHECK_INT(told.id, FAIL_QUEUE_FULL, "");
    end();
}

TEST(a_place_is_offered_to_the_other_worker)
{
    begin(1, 10);
    CHECK_INT(ask(0, 0), ACQUIRE_WAITS, "");
    CHECK_INT(ask(1, 0), ACQUIRE_WAITS, "");
    origin_cancel(&asked[0][0]);
    CHECK_INT(atomic_load(&shared.places.used), 1, "it is not free for others meanwhile");
    turn(1);
    CHECK(has_place(1, 0));
    end();
}

TEST(a_place_that_nobody_needs_any_more_is_free_again)
{
    begin(1, 10);
    CHECK_INT(ask(0, 0), ACQUIRE_WAITS, "");
    CHECK_INT(ask(1, 0), ACQUIRE_WAITS, "");
    origin_cancel(&asked[0][0]);
    origin_cancel(&asked[1][0]);
    turn(1);
    CHECK_INT(atomic_load(&shared.places.used), 1, "it is offered to the first worker, too");
    turn(0);
    CHECK_INT(atomic_load(&shared.places.used), 0, "");
    end();
}

TEST(the_other_worker_comes_first_after_a_streak)
{
    int served = 0;

    begin(1, REQUESTS + 1);
    for (int i = 0; i < REQUESTS; i++)
        CHECK_INT(ask(0, i), ACQUIRE_WAITS, "");
    CHECK_INT(ask(1, 0), ACQUIRE_WAITS, "");
    while (served + 1 < REQUESTS && has_place(0, served)) {
        origin_cancel(&asked[0][served]);
        served += has_place(0, served + 1) ? 1 : 0;
        turn(1);
        if (has_place(1, 0))
            break;
    }
    CHECK_INT(served, STREAK, "places that the first worker kept");
    CHECK(has_place(1, 0) && asked[0][served + 1].queued);
    end();
}

TEST(a_certificate_that_is_gone_fails_those_that_wait)
{
    begin(1, 10);
    CHECK_INT(ask(0, 0), ACQUIRE_WAITS, "");
    CHECK_INT(ask(0, 1), ACQUIRE_WAITS, "");
    credential_unref(tenant.identities[IDENTITY_CURRENT].credential);
    tenant.identities[IDENTITY_CURRENT].credential = NULL;
    origin_cancel(&asked[0][0]);
    CHECK_INT(told.id, FAIL_CERTIFICATE_NOT_FETCHED, "");
    CHECK(!has_place(0, 1) && !asked[0][1].queued);
    end();
}
