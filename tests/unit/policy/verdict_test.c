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
    {"there is no other", {.witness = WITNESS_FIRST, .may_rewind = true}, VERDICT_NOTHING},
    {"the other is tried",
     {.witness = WITNESS_FIRST, .has_other = true, .may_rewind = true},
     VERDICT_TRY},
    {"cannot be repeated: the next one tries",
     {.witness = WITNESS_FIRST, .has_other = true},
     VERDICT_SUSPECT},
    {"another request has switched meanwhile",
     {.witness = WITNESS_FIRST, .superseded = true, .has_other = true, .may_rewind = true},
     VERDICT_RETURN},
    {"switched meanwhile, cannot be repeated",
     {.witness = WITNESS_FIRST, .superseded = true, .has_other = true},
     VERDICT_NOTHING},
    {"was repeated for this already",
     {.witness = WITNESS_LAST, .has_other = true, .may_rewind = true},
     VERDICT_NOTHING},
    {"the tried one is refused: back to that in use",
     {.witness = WITNESS_TRIES, .superseded = true, .has_other = true, .may_rewind = true},
     VERDICT_RETURN},
    {"both are refused",
     {.witness = WITNESS_TRIES_AGAIN, .superseded = true, .may_rewind = true},
     VERDICT_BOTH},
    {"the tried one is refused, cannot be repeated",
     {.witness = WITNESS_TRIES, .superseded = true},
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
    {"nothing was suspected", {.witness = WITNESS_FIRST}, 200, VERDICT_NOTHING},
    {"accepted: not suspected any more",
     {.witness = WITNESS_FIRST, .suspected = true},
     399,
     VERDICT_TRUST},
    {"a client error ends no suspicion",
     {.witness = WITNESS_FIRST, .suspected = true},
     400,
     VERDICT_NOTHING},
    {"a server error ends no suspicion",
     {.witness = WITNESS_FIRST, .suspected = true},
     500,
     VERDICT_NOTHING},
    {"of a certificate that is not in use any more",
     {.witness = WITNESS_FIRST, .suspected = true, .superseded = true},
     200,
     VERDICT_NOTHING},
    {"the tried one is accepted", {.witness = WITNESS_TRIES}, 200, VERDICT_SWITCH},
    {"also with a client error", {.witness = WITNESS_TRIES}, 499, VERDICT_SWITCH},
    {"a server error may have any cause", {.witness = WITNESS_TRIES}, 500, VERDICT_UNDECIDED},
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
    {"as always", {.witness = WITNESS_FIRST, .has_other = true}, true, VERDICT_NOTHING},
    {"expired, and there is no other",
     {.witness = WITNESS_FIRST, .suspected = true},
     false,
     VERDICT_NOTHING},
    {"expired", {.has_other = true}, false, VERDICT_SWITCH},
    {"suspected",
     {.witness = WITNESS_FIRST, .suspected = true, .has_other = true},
     true,
     VERDICT_TRY},
    {"suspected, but it could not tell",
     {.suspected = true, .has_other = true},
     true,
     VERDICT_NOTHING},
    {"suspected, and there is no other",
     {.witness = WITNESS_FIRST, .suspected = true},
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
    CHECK_INT(verdict_of_doubt(&(struct verdict_view){.witness = WITNESS_FIRST}), VERDICT_NOTHING,
              "no try");
    CHECK_INT(verdict_of_doubt(&(struct verdict_view){.witness = WITNESS_TRIES}), VERDICT_UNDECIDED,
              "a try");
}

/* ---- what holds for every view ---- */

enum { VIEWS = (WITNESS_LAST + 1) * 16 };

static struct verdict_view view_of(unsigned bits)
{
    return (struct verdict_view){.witness = (enum witness)(bits / 16),
                                 .superseded = (bits & 1) != 0,
                                 .suspected = (bits & 2) != 0,
                                 .has_other = (bits & 4) != 0,
                                 .may_rewind = (bits & 8) != 0};
}

TEST(no_refusal_repeats_what_may_not_be_repeated)
{
    for (unsigned bits = 0; bits < VIEWS; bits++) {
        struct verdict_view v = view_of(bits);
        enum verdict got = verdict_of_refusal(&v);
        bool repeats = got == VERDICT_RETURN || got == VERDICT_TRY;
        CHECK_MSG(!repeats || (v.witness != WITNESS_NONE && v.may_rewind), "view %u", bits);
        CHECK_MSG(!repeats || v.witness == WITNESS_FIRST || v.witness == WITNESS_TRIES,
                  "view %u is repeated twice", bits);
        CHECK_MSG(got != VERDICT_TRY || (v.has_other && !witness_tries(v.witness) && !v.superseded),
                  "view %u", bits);
        CHECK_MSG(got != VERDICT_SWITCH && got != VERDICT_TRUST, "view %u", bits);
    }
}

TEST(only_a_try_switches)
{
    for (unsigned bits = 0; bits < VIEWS; bits++)
        for (int status = 200; status < 600; status++) {
            struct verdict_view v = view_of(bits);
            enum verdict got = verdict_of_answer(&v, status);
            CHECK_MSG((got == VERDICT_SWITCH) == (witness_tries(v.witness) && status < 500),
                      "view %u, %d", bits, status);
            CHECK_MSG(got != VERDICT_RETURN && got != VERDICT_TRY, "view %u, %d", bits, status);
        }
}

/* ---- from one state to the next ---- */

static const struct {
    const char *name;
    enum witness from, refused, begins, ends;
} moves[] = {
    {"says nothing", WITNESS_NONE, WITNESS_NONE, WITNESS_TRIES, WITNESS_NONE},
    {"under the one in use", WITNESS_FIRST, WITNESS_LAST, WITNESS_TRIES, WITNESS_FIRST},
    {"tries at first", WITNESS_TRIES, WITNESS_LAST, WITNESS_TRIES, WITNESS_FIRST},
    {"tries after its refusal", WITNESS_TRIES_AGAIN, WITNESS_LAST, WITNESS_TRIES, WITNESS_LAST},
    {"was refused", WITNESS_LAST, WITNESS_LAST, WITNESS_TRIES_AGAIN, WITNESS_LAST},
};

TEST(states_of_a_witness)
{
    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        CHECK_INT(witness_refused(moves[i].from), moves[i].refused, moves[i].name);
        CHECK_INT(witness_begins_try(moves[i].from), moves[i].begins, moves[i].name);
        CHECK_INT(witness_ends_try(moves[i].from), moves[i].ends, moves[i].name);
    }
}
