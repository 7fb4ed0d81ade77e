/* What the process that serves takes from those that fetch. */
#include "ops/renewal_record.h"

#include "test.h"

static struct renewal_record sound(void)
{
    return (struct renewal_record){.mark = RENEWAL_MARK,
                                   .outcome = RENEWAL_FAILED,
                                   .cause = CAUSE_BTP_TLS,
                                   .time = 1000,
                                   .tenant = "acme",
                                   .sentence = "x"};
}

#define REFUSED(member, value)                                                                     \
    do {                                                                                           \
        struct renewal_record other = sound();                                                     \
        other.member = value;                                                                      \
        CHECK_MSG(!renewal_record_is_sound(&other, sizeof(other)), #member);                       \
    } while (0)

TEST(records_with_something_in_them_that_none_has)
{
    struct renewal_record r = sound();

    CHECK(renewal_record_is_sound(&r, sizeof(r)));
    CHECK(!renewal_record_is_sound(&r, sizeof(r) - 1));
    CHECK(!renewal_record_is_sound(&r, sizeof(r) + 1));
    CHECK(!renewal_record_is_sound(&r, -1));
    REFUSED(mark, 0);
    REFUSED(outcome, RENEWAL_OUTCOMES);
    REFUSED(cause, CAUSE_COUNT);
    REFUSED(time, -1);
    REFUSED(next, INT64_MAX);
    REFUSED(not_before, INT64_MIN);
    REFUSED(not_after, INT64_C(253402300800));
    REFUSED(looked, -1);
    REFUSED(wait, -1);
    memset(r.tenant, 'x', sizeof(r.tenant));
    CHECK(!renewal_record_is_sound(&r, sizeof(r)));
    r = sound();
    memset(r.sentence, 'x', sizeof(r.sentence));
    CHECK(!renewal_record_is_sound(&r, sizeof(r)));
}
