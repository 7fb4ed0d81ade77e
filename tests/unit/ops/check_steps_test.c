/* Where each failure and each cause shows, and what is skipped for want of what. */
#include <stdlib.h>

#include "ops/check_steps.h"
#include "test.h"

static void release(struct check_report steps[])
{
    for (int s = 0; s < CHECK_STEPS; s++)
        free(steps[s].sentence);
}

static void settle(struct check_report steps[])
{
    for (int s = 0; s < CHECK_STEPS; s++)
        if (!check_is_settled(steps, (enum check_step)s))
            check_tell(steps, (enum check_step)s, CHECK_OK, NULL, NULL, NULL);
}

/* One step fails: those that need it are skipped and name it, the others are fine. */
TEST(every_step_can_be_the_only_one_that_fails)
{
    for (int failed = 0; failed < CHECK_STEPS; failed++) {
        struct check_report steps[CHECK_STEPS] = {0};
        check_tell(steps, (enum check_step)failed, CHECK_FAIL, "x", NULL, NULL);
        settle(steps);
        for (int s = 0; s < CHECK_STEPS; s++) {
            const char *name = check_step_name((enum check_step)s);
            if (s == failed)
                CHECK_INT(steps[s].result, CHECK_FAIL, name);
            else if (steps[s].result == CHECK_SKIPPED)
                CHECK_INT(steps[s].needs, failed, name);
            else
                CHECK_INT(steps[s].result, CHECK_OK, name);
            CHECK_INT(s < failed && steps[s].result == CHECK_SKIPPED, false, name);
        }
        release(steps);
    }
}

TEST(warnings_hold_nothing_up)
{
    for (int warned = 0; warned < CHECK_STEPS; warned++) {
        struct check_report steps[CHECK_STEPS] = {0};
        check_tell(steps, (enum check_step)warned, CHECK_WARN, NULL, NULL, NULL);
        settle(steps);
        for (int s = 0; s < CHECK_STEPS; s++)
            CHECK_INT(steps[s].result, s == warned ? CHECK_WARN : CHECK_OK,
                      check_step_name((enum check_step)s));
        release(steps);
    }
}

TEST(what_is_told_first_stays)
{
    struct check_report steps[CHECK_STEPS] = {0};

    check_tell(steps, CHECK_TLS, CHECK_FAIL, "first", NULL, NULL);
    check_tell(steps, CHECK_TLS, CHECK_OK, NULL, NULL, NULL);
    CHECK_INT(steps[CHECK_TLS].result, CHECK_FAIL, "tls");
}

/* A cause that shows in an answer is not found before there is one, and the other way round. */
TEST(causes_show_where_they_are_known)
{
    for (int i = 0; i < CAUSE_COUNT; i++) {
        const struct cause *c = cause_of((enum cause_id)i);
        struct failure why;
        failure_set(&why, FAIL_CERTIFICATE_REFUSED, "x");
        cause_refine(&why, c);
        enum check_step of_cause = check_step_of_cause(c), of_failure = check_step_of_failure(&why);
        if (c->where == WHERE_ANSWER)
            CHECK_INT(of_cause >= CHECK_CERTIFICATE_REQUEST, true, c->code);
        else
            CHECK_INT(of_failure < CHECK_HTTP, true, c->code);
    }
}

TEST(failures_of_the_way_show_on_it)
{
    for (int i = FAIL_NAME_NOT_FOUND; i <= FAIL_CERTIFICATE_NOT_YET_VALID; i++) {
        struct failure why;
        failure_plain(&why, (enum fail)i);
        enum check_step s = check_step_of_failure(&why);
        CHECK_INT(s == CHECK_CERTIFICATE ||
                      (s >= CHECK_PARENT_PROXY && s <= CHECK_CLIENT_CERTIFICATE),
                  true, fail_info((enum fail)i)->token);
    }
}

TEST(names_of_steps_are_found)
{
    enum check_step found;

    for (int s = 0; s < CHECK_STEPS; s++)
        CHECK_INT(check_step_find(check_step_name((enum check_step)s), &found) && (int)found == s,
                  true, check_step_name((enum check_step)s));
    CHECK_INT(check_step_find("", &found) || check_step_find("tl", &found), false, "others");
}
