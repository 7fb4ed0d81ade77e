#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "config/option.h"
#include "test.h"

/* As if the file said so. */
static enum status set(struct config *c, const char *key, const char *value, struct diag *why)
{
    const struct option *o = option_find(SECTION_PROXY, key);
    struct setting s = {.key = key, .value = value, .where = "default", .folder = ""};

    CHECK(o != NULL);
    return o->set(o, c, &s, why);
}

TEST(shares_of_callers_are_read)
{
    static const struct {
        const char *value;
        int64_t want;
    } cases[] = {{"auto", -1}, {"none", 0}, {"1", 1}, {"1000000", 1000000}};
    struct diag why;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config c = {.per_caller = 5};
        CHECK_INT(set(&c, "max-connections-per-caller", cases[i].value, &why), ST_OK,
                  cases[i].value);
        CHECK_INT(c.per_caller, cases[i].want, cases[i].value);
    }
}

TEST(groups_are_found_by_name_and_number)
{
    const struct group *own = getgrgid(0);
    struct config c = {0};
    struct diag why;

    CHECK(own != NULL);
    CHECK_INT(set(&c, "socket-group", own->gr_name, &why), ST_OK, own->gr_name);
    CHECK(c.access.has_group && c.access.group == 0);
    CHECK_INT(set(&c, "socket-group", "4294967294", &why), ST_OK, "the largest");
    CHECK(c.access.group == (gid_t)4294967294U);
    CHECK_INT(set(&c, "socket-group", "4294967295", &why), ST_BAD_INPUT, "(gid_t)-1");
    CHECK_INT(set(&c, "socket-group", "no such group", &why), ST_BAD_INPUT, "none");
    CHECK_CONTAINS(why.text, "`no such group` is not a group of this machine");
}
