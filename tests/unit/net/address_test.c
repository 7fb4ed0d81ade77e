#include "net/address.h"
#include "test.h"

TEST(addresses_are_read_and_written)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
        bool loopback;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1:8080", true},
        {"[::1]:0", "[::1]:0", true},
        {"localhost:1", "127.0.0.1:1", true},
        {"127.9.9.9:1", "127.9.9.9:1", true},
        {"0.0.0.0:80", "0.0.0.0:80", false},
        {"[::]:80", "[::]:80", false},
        {"10.0.0.1:80", "10.0.0.1:80", false},
        {"unix:/run/x", "unix:/run/x", true},
        {"unix:x", NULL, false},
        {"unix:", NULL, false},
        {"8080", NULL, false},
        {":8080", NULL, false},
        {"127.0.0.1", NULL, false},
        {"127.0.0.1:", NULL, false},
        {"127.0.0.1:65536", NULL, false},
        {"127.0.0.1:-1", NULL, false},
        {"127.0.0.1:80x", NULL, false},
        {"::1:80", NULL, false},
        {"[127.0.0.1]:80", NULL, false},
        {"host.example:80", NULL, false},
        {"*:80", NULL, false},
        {"", NULL, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address a;
        struct diag why = {""};
        char text[ADDRESS_TEXT_SIZE];
        bool ok = address_parse(cases[i].text, &a, &why) == ST_OK;
        CHECK_INT(ok, cases[i].want != NULL, cases[i].text);
        if (!ok) {
            CHECK_CONTAINS(why.text, cases[i].text);
            continue;
        }
        address_text(&a, text);
        CHECK_TEXT(text, cases[i].want, cases[i].text);
        CHECK_INT(address_is_loopback(&a), cases[i].loopback, cases[i].text);
    }
}
