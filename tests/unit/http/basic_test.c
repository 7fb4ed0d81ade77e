#include "http/basic.h"
#include "test.h"

TEST(the_company_stands_behind_the_last_at)
{
    static const struct {
        const char *value, *want; /* NULL: none */
    } cases[] = {
        {"Basic dXNlckBBQ01FOnB3", "ACME"}, /* user@ACME:pw */
        {"basic   dXNlckBBQ01FOnB3  ", "ACME"},
        {"Basic\tdXNlckBBQ01FOnB3", "ACME"},
        {"BASIC dUB4QEFDTUU6cHc=", "ACME"},     /* u@x@ACME:pw */
        {"Basic dXNlckBBQ01FOg==", "ACME"},     /* user@ACME: */
        {"Basic dXNlckBBQ01FOnA6QEI=", "ACME"}, /* user@ACME:p:@B */
        {"Basic dXNlckBBQ01FOnA6QEI", "ACME"},  /* without padding */
        {"Basic dXNlcjpwd0BY", NULL},           /* user:pw@X */
        {"Basic dXNlckBBQ01F", NULL},           /* user@ACME, no colon */
        {"Basic dXNlckA6cHc=", NULL},           /* user@:pw */
        {"Basic QDpwdw==", NULL},               /* @:pw */
        {"Basic !!!!", NULL},
        {"Basic dXNlckBBQ01FOnA6QEI==", NULL}, /* too much padding */
        {"Basic dXNlckBBQ01FOnA6QEJ=", NULL},  /* bits that are left over */
        {"Basic dXNlckBBQ01FOnB3A", NULL},     /* six bits more */
        {"Basic dXNlckBBQ01FOnB3====", NULL},
        {"Basic ", NULL},
        {"Basic", NULL},
        {"Bearer dXNlckBBQ01FOnB3", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char company[BASIC_MAX_COMPANY] = "";
        enum basic_result result = basic_company(slice_of(cases[i].value), company);
        CHECK_INT(result, cases[i].want != NULL ? BASIC_NAMED : BASIC_NONE, cases[i].value);
        if (result == BASIC_NAMED)
            CHECK_TEXT(company, cases[i].want, cases[i].value);
    }
}

TEST(what_can_be_no_company_is_told_from_none)
{
    char company[BASIC_MAX_COMPANY];

    CHECK_INT(basic_company(SLICE("Basic dUBBQwBNRTpwdw=="), company), BASIC_ODD, "NUL in it");
}

/* "x@" and a company of n times 'A'. */
static struct slice user_of(size_t n)
{
    static char user[2 * BASIC_MAX_COMPANY];

    CHECK(n + 2 <= sizeof(user));
    memset(user, 'A', sizeof(user));
    user[0] = 'x';
    user[1] = '@';
    return (struct slice){user, n + 2};
}

TEST(a_company_has_its_end_within_its_room)
{
    char room[BASIC_MAX_COMPANY + 1];

    for (size_t n = BASIC_MAX_COMPANY - 2; n < BASIC_MAX_COMPANY + 2; n++) {
        memset(room, '!', sizeof(room));
        enum basic_result result = basic_company_of(user_of(n), room);
        CHECK_INT(room[BASIC_MAX_COMPANY], '!', "what is behind the room");
        CHECK_INT(result, n < BASIC_MAX_COMPANY ? BASIC_NAMED : BASIC_ODD, "one that fits, or not");
        if (result == BASIC_NAMED)
            CHECK_INT(strlen(room), n, "the whole of it");
    }
}

TEST(credentials_are_split_at_the_first_colon)
{
    static const struct {
        const char *value, *user, *password; /* user NULL: none */
    } cases[] = {
        {"Basic dXNlckBBQ01FOnB3", "user@ACME", "pw"},
        {"basic \t dXNlckBBQ01FOnB3 ", "user@ACME", "pw"},
        {"Basic dXNlckBBQ01FOg==", "user@ACME", ""},
        {"Basic dXNlckBBQ01FOnA6QEI=", "user@ACME", "p:@B"},
        {"Basic Og==", "", ""},
        {"Basic OnB3", "", "pw"},
        {"Basic Wm/Dqzpww6Q=", "Zo\xc3\xab", "p\xc3\xa4"},
        {"Basic dXNlckBBQ01F", NULL, NULL}, /* no colon */
        {"Basic dXNl=cjpwdw", NULL, NULL},
        {"Basic dXNl cjpwdw==", NULL, NULL},
        {"Basic ", NULL, NULL},
        {"Basic", NULL, NULL},
        {"BasicdXNlckBBQ01FOnB3", NULL, NULL},
        {"Bearer dXNlckBBQ01FOnB3", NULL, NULL},
        {"", NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct basic b;
        bool found = basic_read(slice_of(cases[i].value), &b);
        CHECK_INT(found, cases[i].user != NULL, cases[i].value);
        if (!found)
            continue;
        CHECK_SLICE(b.user, cases[i].user, cases[i].value);
        CHECK_SLICE(b.password, cases[i].password, cases[i].value);
        basic_wipe(&b);
    }
}

TEST(credentials_may_hold_any_byte)
{
    struct basic b;

    CHECK(basic_read(SLICE("Basic dToAcA=="), &b));
    CHECK_INT(b.password.n, 2, "NUL and p");
    basic_wipe(&b);
}

/* "Og" is a colon and the upper half of the first byte of a password, which is zero. */
TEST(each_byte_of_base64_stands_for_its_value)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char value[] = "Basic Og??";
    struct basic b;

    for (int third = 0; third < 256; third++)
        for (int fourth = 1; fourth < 256; fourth++) {
            const char *v = third == 0 ? NULL : strchr(alphabet, third),
                       *w = strchr(alphabet, fourth);
            value[8] = (char)third;
            value[9] = (char)fourth;
            if (strchr(" \t=", fourth) != NULL)
                continue;
            bool found = basic_read((struct slice){value, 10}, &b);
            CHECK_INT(found, v != NULL && w != NULL, "bytes of the alphabet");
            if (!found)
                continue;
            CHECK_INT(b.password.n, 2, "length");
            CHECK_INT((unsigned char)b.password.p[0], (v - alphabet) >> 2, "first");
            CHECK_INT((unsigned char)b.password.p[1], ((v - alphabet) << 6 | (w - alphabet)) & 0xff,
                      "second");
            basic_wipe(&b);
        }
}
