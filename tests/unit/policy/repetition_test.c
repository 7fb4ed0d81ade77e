#include "policy/repetition.h"
#include "test.h"

TEST(a_request_is_repeated_only_if_nothing_forbids_it)
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
