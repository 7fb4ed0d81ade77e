#include "caller/ledger.h"

#include <stdio.h>
#include <stdlib.h>

#include "sf/cause.h"
#include "test.h"

static struct tenant acme = {.name = "acme"}, globex = {.name = "globex"};

struct two {
    struct ledger *all, *first, *second;
    struct ledger_cell *in_first, *in_second;
};

static struct two two_new(void)
{
    struct two t = {NULL};

    t.first = ledger_new(&t.all);
    t.second = ledger_new(&t.all);
    t.in_first = ledger_cell(t.first, &acme);
    t.in_second = ledger_cell(t.second, &acme);
    return t;
}

static void two_free(struct two *t)
{
    ledger_free(t->first);
    ledger_free(t->second);
}

static struct record at(int64_t when, struct ledger_cell *cell, int status)
{
    return (struct record){
        .tenant = "acme", .cell = cell, .status = status, .begun_wall_us = when - 1, .total_us = 1};
}

static void fail(struct ledger *l, struct ledger_cell *cell, int64_t when, enum fail id,
                 const char *sentence)
{
    struct record r = at(when, cell, fail_info(id)->status);
    struct failure f;

    failure_set(&f, id, "%s", sentence);
    r.failure = &f;
    ledger_note(l, &r);
}

static void answer(struct ledger *l, struct ledger_cell *cell, int64_t when, int status)
{
    struct record r = at(when, cell, status);

    ledger_note(l, &r);
}

static void hint(struct ledger *l, struct ledger_cell *cell, int64_t when, enum cause_id id)
{
    struct record r = at(when, cell, 403);

    r.cause = cause_of(id);
    r.sentence = "why";
    ledger_note(l, &r);
}

TEST(workers_are_added_up)
{
    struct two t = two_new();
    struct ledger_sum sum;

    answer(t.first, t.in_first, 10, 200);
    answer(t.second, t.in_second, 12, 204);
    answer(t.second, t.in_second, 13, 404);
    answer(t.first, t.in_first, 14, 500);
    fail(t.first, t.in_first, 15, FAIL_CONNECT_REFUSED, "x");
    hint(t.second, t.in_second, 16, CAUSE_LGN0002);
    fail(t.first, t.in_first, 17, FAIL_CALLER_GONE, "x");
    ledger_add_up(t.all, "acme", &sum);
    CHECK_INT(sum.calls, 7, "calls");
    CHECK_INT(sum.succeeded, 2, "below 400");
    CHECK_INT(sum.failed, 2, "failures of the proxy");
    CHECK_INT(sum.hinted, 1, "known causes of the server's errors");
    CHECK_INT(sum.last_success, 12, "the later one");
    CHECK_INT(sum.last_answer, 13, "404 is an answer, 500 is not");
    CHECK_INT(sum.last_failure, 16, "a caller that goes is no failure of the tenant");
    CHECK_INT(sum.identities[0].last_success, 12, "under its certificate");
    CHECK_INT(sum.identities[1].last_success, 0, "never");
    ledger_add_up(t.all, "globex", &sum);
    CHECK_INT(sum.calls, 0, "another tenant");
    two_free(&t);
}

TEST(refusals_are_of_an_identity)
{
    struct two t = two_new();
    struct ledger_sum sum;

    fail(t.first, t.in_first, 5, FAIL_CERTIFICATE_REFUSED, "x");
    ledger_add_up(t.all, "acme", &sum);
    CHECK_INT(sum.identities[0].last_refusal, 5, "of the first");
    CHECK_INT(sum.identities[1].last_refusal, 0, "not of the second");
    two_free(&t);
}

TEST(a_kind_of_failure_is_told_once)
{
    struct two t = two_new();
    struct ledger_cell *other = ledger_cell(t.first, &globex);
    size_t n;

    CHECK(ledger_cell(t.first, &globex) == other);
    fail(t.first, t.in_first, 3, FAIL_CONNECT_REFUSED, "the first");
    fail(t.second, t.in_second, 9, FAIL_CONNECT_REFUSED, "the last");
    fail(t.first, t.in_first, 5, FAIL_CONNECT_REFUSED, "between");
    hint(t.first, t.in_first, 7, CAUSE_LGN0002);
    fail(t.first, NULL, 20, FAIL_REQUEST_HOST, "nobody's");
    struct ledger_failure *f = ledger_failures(t.all, &n);
    CHECK_INT(n, 3, "kinds");
    CHECK_TEXT(f[0].sentence, "nobody's", "the latest first");
    CHECK_TEXT(f[1].token, "connection-refused", "token");
    CHECK_TEXT(f[1].code, "connection-refused", "code");
    CHECK_TEXT(f[1].sentence, "the last", "of the latest");
    CHECK_INT(f[1].count, 3, "in both workers");
    CHECK_INT(f[1].first, 3, "first");
    CHECK_INT(f[1].last, 9, "last");
    CHECK(f[2].token == NULL);
    CHECK_TEXT(f[2].code, "lgn0002", "the server's");
    CHECK_INT(f[2].hinted, 1, "hint");
    free(f);
    two_free(&t);
}

TEST(the_last_hundred_kinds_are_kept)
{
    struct ledger *all = NULL, *l = ledger_new(&all);
    char names[LEDGER_FAILURES + 5][8];
    size_t n;

    for (int i = 0; i < LEDGER_FAILURES + 5; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "t%d", i);
        struct tenant t = {.name = names[i]};
        struct record r = at(100 + i, ledger_cell(l, &t), 403);
        r.tenant = names[i];
        r.cause = cause_of(CAUSE_LGN0002);
        r.sentence = "why";
        ledger_note(l, &r);
    }
    struct ledger_failure *f = ledger_failures(all, &n);
    CHECK_INT(n, LEDGER_FAILURES, "kinds");
    CHECK_INT(f[0].last, 100 + LEDGER_FAILURES + 4, "the latest");
    CHECK_INT(f[n - 1].last, 105, "the first five are gone");
    free(f);
    ledger_free(l);
}
