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
