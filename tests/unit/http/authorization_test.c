#include "http/authorization.h"

#include <stdio.h>

#include "head_reader.h"

enum reading { CLEAR, AMBIGUOUS, ILLEGIBLE };

#define A(value) "Authorization: " value "\r\n"

static const struct {
    const char *fields;
    enum reading want;
} cases[] = {
    {"", CLEAR},
    {A(""), CLEAR},
    {A("Bearer x"), CLEAR},
    {A("garbage"), CLEAR},
    {A("Digest username=\"basic\", realm=\"Basic x\""), CLEAR},
    {A("Basic dUBBQ01FOnB3"), CLEAR},     /* u@ACME:pw */
    {A("bAsIc   dUBBQ01FOnA="), CLEAR},   /* u@ACME:p */
    {A("Basic Og=="), CLEAR},             /* : */
    {A("Basic w6RAQUNNRTpw"), CLEAR},     /* u-umlaut in UTF-8 */
    {A("Basic dUBBQ01FOgBAQg=="), CLEAR}, /* u@ACME: NUL @B */

    /* read here, but otherwise elsewhere */
    {A("Bearer x") A("Bearer x"), AMBIGUOUS},
    {A("Basic dUBBQ01FOnB3") A(""), AMBIGUOUS},
    {A("Basic dUBBQ01FOnA"), AMBIGUOUS}, /* no padding */
    {A("Basic\tdUBBQ01FOnB3"), AMBIGUOUS},
    {A("Basic \tdUBBQ01FOnB3"), AMBIGUOUS},
    {A("Basic 5EBBQ01FOnB3"), AMBIGUOUS},     /* Latin-1 */
    {A("Basic dQBAQUNNRTpw"), AMBIGUOUS},     /* u NUL @ACME:p */
    {A("Basic dcGAQUNNRTpw"), AMBIGUOUS},     /* overlong @ */
    {A("Basic de+8oEFDTUU6cA=="), AMBIGUOUS}, /* U+FF20 */
    {A("Basic dSU0MEFDTUU6"), AMBIGUOUS},     /* u%40ACME: */
    {A("Basic dUBBQ01FQDpw"), AMBIGUOUS},     /* u@ACME@:p */

    /* not read */
    {A("Basic"), ILLEGIBLE},
    {A("Basic dUBBQ01F"), ILLEGIBLE}, /* no colon */
    {A("Basic dUBBQ01FOnB3="), ILLEGIBLE},
    {A("Basic dUBBQ01FOnA=="), ILLEGIBLE},
    {A("Basic dUBBQ01FOnA==="), ILLEGIBLE},
    {A("Basic dUBBQ01FOnB"), ILLEGIBLE}, /* bits that are left over */
    {A("Basic dUBBQ01FOnB3A"), ILLEGIBLE},
    {A("Basic dUBB Q01FOnB3"), ILLEGIBLE},
    {A("Basic dUBB=Q01FOnB3"), ILLEGIBLE},
    {A("Basic dUBB-_1FOnB3"), ILLEGIBLE},
    {A("Basic: dUBBQ01FOnB3"), ILLEGIBLE},
    {A("BasicdUBBQ01FOnB3"), ILLEGIBLE},
    {A("\xa0"
       "Basic dUBBQ01FOnB3"),
     ILLEGIBLE},
    {A("\"Basic\" dUBBQ01FOnB3"), ILLEGIBLE},
    {A("Bearer x, Basic dUBBQ01FOnB3"), ILLEGIBLE},
    {A("Bearer x,basic"), ILLEGIBLE},
    {A("Basic dUBBQ01FOnB3, Bearer x"), ILLEGIBLE},
    {A("Bearer x") A("Basic !"), ILLEGIBLE},
};

TEST(credentials_have_one_reading_or_are_told)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", cases[i].fields);
        struct head *h = read_request(text);
        CHECK_INT(authorization_ambiguity(h) != NULL, cases[i].want != CLEAR, cases[i].fields);
        CHECK_INT(authorization_illegible(h) != NULL, cases[i].want == ILLEGIBLE, cases[i].fields);
        head_free(h);
    }
}
