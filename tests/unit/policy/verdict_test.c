#include "policy/repetition.h"
#include "policy/verdict.h"
#include "test.h"

/* ---- tables: one row for each rule ---- */

static const struct {
    const char *name;
    struct verdict_view view;
    enum verdict want;
} refusals[] = {
    {"says nothing about the certificate",
     {.may_rewind = true, .has_other = true},
     VERDICT_NOTHING},
    {"there is no other", {.judges = true, .may_rewind = true}, VERDICT_NOTHING},
    {"the other is tried", {.judges = true, .has_other = true, .may_rewind = true}, VERDICT_TRY},
    {"cannot be repeated: the next one tries",
     {.judges = true, .has_other = true},
     VERDICT_SUSPECT},
    {"another request has switched meanwhile",
     {.judges = true, .superseded = true, .has_other = true, .may_rewind = true},
     VERDICT_RETURN},
    {"switched meanwhile, cannot be repeated",
     {.judges = true, .superseded = true, .has_other = true},
     VERDICT_NOTHING},
    {"was repeated for this already",
     {.judges = true, .changed = true, .has_other = true, .may_rewind = true},
     VERDICT_NOTHING},
    {"the tried one is refused: back to that in use",
     {.judges = true, .tries = true, .superseded = true, .has_other = true, .may_rewind = true},
     VERDICT_RETURN},
    {"both are refused",
     {.judges = true, .tries = true, .changed = true, .superseded = true, .may_rewind = true},
     VERDICT_BOTH},
    {"the tried one is refused, cannot be repeated",
     {.judges = true, .tries = true, .superseded = true},
     VERDICT_BOTH},
};

TEST(what_follows_from_a_refusal)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        CHECK_INT(verdict_of_refusal(&refusals[i].view), refusals[i].want, refusals[i].name);
}

static const struct {
    const char *name;
    struct verdict_view view;
    int status;
    enum verdict want;
} answers[] = {
    {"says nothing about the certificate", {.suspected = true}, 200, VERDICT_NOTHING},
    {"nothing was suspected", {.judges = true}, 200, VERDICT_NOTHING},
    {"accepted: not suspected any more", {.judges = true, .suspected = true}, 399, VERDICT_TRUST},
    {"a client error ends no suspicion", {.judges = true, .suspected = true}, 400, VERDICT_NOTHING},
    {"a server error ends no suspicion", {.judges = true, .suspected = true}, 500, VERDICT_NOTHING},
    {"of a certificate that is not in use any more",
     {.judges = true, .suspected = true, .superseded = true},
     200,
     VERDICT_NOTHING},
    {"the tried one is accepted", {.judges = true, .tries = true}, 200, VERDICT_SWITCH},
    {"also with a client error", {.judges = true, .tries = true}, 499, VERDICT_SWITCH},
    {"a server error may have any cause", {.judges = true, .tries = true}, 500, VERDICT_UNDECIDED},
};

TEST(what_follows_from_an_answer)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        CHECK_INT(verdict_of_answer(&answers[i].view, answers[i].status), answers[i].want,
                  answers[i].name);
}

static const struct {
    const char *name;
    struct verdict_view view;
    bool presentable;
    enum verdict want;
} at_first[] = {
    {"as always", {.judges = true, .has_other = true}, true, VERDICT_NOTHING},
    {"expired, and there is no other", {.judges = true, .suspected = true}, false, VERDICT_NOTHING},
    {"expired", {.has_other = true}, false, VERDICT_SWITCH},
    {"suspected", {.judges = true, .suspected = true, .has_other = true}, true, VERDICT_TRY},
    {"suspected, but it could not tell",
     {.suspected = true, .has_other = true},
     true,
     VERDICT_NOTHING},
    {"suspected, and there is no other",
     {.judges = true, .suspected = true},
     true,
     VERDICT_NOTHING},
};

TEST(before_it_is_sent)
{
    for (size_t i = 0; i < ARRAY_LEN(at_first); i++)
        CHECK_INT(verdict_before(&at_first[i].view, at_first[i].presentable), at_first[i].want,
                  at_first[i].name);
}

TEST(answer_in_doubt_leaves_a_try_undecided)
{
    CHECK_INT(verdict_of_doubt(&(struct verdict_view){.judges = true}), VERDICT_NOTHING, "no try");
    CHECK_INT(verdict_of_doubt(&(struct verdict_view){.judges = true, .tries = true}),
              VERDICT_UNDECIDED, "a try");
}

/* ---- what holds for every view ---- */

static struct verdict_view view_of(unsigned bits)
{
    return (struct verdict_view){.judges = (bits & 1) != 0,
                                 .tries = (bits & 2) != 0,
                                 .changed = (bits & 4) != 0,
                                 .superseded = (bits & 8) != 0,
                                 .suspected = (bits & 16) != 0,
                                 .has_other = (bits & 32) != 0,
                                 .may_rewind = (bits & 64) != 0};
}

TEST(no_refusal_repeats_what_may_not_be_repeated)
{
    for (unsigned bits = 0; bits < 128; bits++) {
        struct verdict_view v = view_of(bits);
        enum verdict got = verdict_of_refusal(&v);
        bool repeats = got == VERDICT_RETURN || got == VERDICT_TRY;
        CHECK_MSG(!repeats || (v.judges && v.may_rewind), "view %u", bits);
        CHECK_MSG(!repeats || !v.changed, "view %u is repeated twice", bits);
        CHECK_MSG(got != VERDICT_TRY || (v.has_other && !v.tries && !v.superseded), "view %u",
                  bits);
        CHECK_MSG(got != VERDICT_SWITCH && got != VERDICT_TRUST, "view %u", bits);
    }
}

TEST(only_a_try_switches)
{
    for (unsigned bits = 0; bits < 128; bits++)
        for (int status = 200; status < 600; status++) {
            struct verdict_view v = view_of(bits);
            enum verdict got = verdict_of_answer(&v, status);
            CHECK_MSG((got == VERDICT_SWITCH) == (v.judges && v.tries && status < 500),
                      "view %u, %d", bits, status);
            CHECK_MSG(got != VERDICT_RETURN && got != VERDICT_TRY, "view %u, %d", bits, status);
        }
}

/* ---- a connection is lost ---- */

TEST(only_a_first_lost_request_that_may_be_sent_twice_is_repeated)
{
    for (unsigned bits = 0; bits < 32; bits++) {
        struct repetition r = {.reused = (bits & 1) != 0,
                               .sent = (bits & 2) != 0,
                               .answered = (bits & 4) != 0,
                               .lost_before = (bits & 8) != 0,
                               .may_rewind = (bits & 16) != 0};
        bool never = r.answered || r.lost_before || !r.may_rewind || (r.sent && !r.reused);
        CHECK_INT(repetition_is_allowed(&r), !never, "case");
    }
}
