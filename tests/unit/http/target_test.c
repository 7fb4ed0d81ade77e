#include <stdio.h>
#include <stdlib.h>

#include "head_reader.h"
#include "http/target.h"

TEST(authorities_are_host_and_port_and_nothing_else)
{
    static const struct {
        const char *text, *host; /* host NULL: refused */
        int port;
        bool ipv6;
    } cases[] = {
        {"h", "h", 0, false},
        {"h:1", "h", 1, false},
        {"h:65535", "h", 65535, false},
        {"a-b_c.example.", "a-b_c.example.", 0, false},
        {"127.0.0.1:80", "127.0.0.1", 80, false},
        {"[::1]", "::1", 0, true},
        {"[::1]:8080", "::1", 8080, true},
        {"", NULL, 0, false},
        {":80", NULL, 0, false},
        {"h:", NULL, 0, false},
        {"h:0", NULL, 0, false},
        {"h:65536", NULL, 0, false},
        {"h:99999999999", NULL, 0, false},
        {"h:-1", NULL, 0, false},
        {"h:8a", NULL, 0, false},
        {"h:80:80", NULL, 0, false},
        {"u@h", NULL, 0, false},
        {"u:p@h", NULL, 0, false},
        {"h/x", NULL, 0, false},
        {"h h", NULL, 0, false},
        {"h%41", NULL, 0, false},
        {".h", NULL, 0, false},
        {"a..b", NULL, 0, false},
        {"::1", NULL, 0, false},
        {"[::1", NULL, 0, false},
        {"[]", NULL, 0, false},
        {"[::1]x", NULL, 0, false},
        {"[h]", NULL, 0, false},
        {"[1.2.3.4]", NULL, 0, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct authority a;
        bool ok = authority_parse(slice_of(cases[i].text), &a);
        CHECK_INT(ok, cases[i].host != NULL, cases[i].text);
        if (!ok)
            continue;
        CHECK_SLICE(a.host, cases[i].host, cases[i].text);
        CHECK_INT(a.port, cases[i].port, cases[i].text);
        CHECK_INT(a.ipv6, cases[i].ipv6, cases[i].text);
    }
}

TEST(loopback_names_and_addresses)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"localhost", true},
        {"LocalHost.", true},
        {"a.localhost:1", true},
        {"127.0.0.1", true},
        {"127.1.2.3:80", true},
        {"[::1]:8", true},
        {"[0:0:0:0:0:0:0:1]", true},
        {"localhost.example", false},
        {"xlocalhost", false},
        {"127.0.0.1.example", false},
        {"0.0.0.0", false},
        {"[::]", false},
        {"[::2]", false},
        {"128.0.0.1", false},
        {"127.example", false},
        {"1270.0.0.1", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct authority a;
        CHECK_MSG(authority_parse(slice_of(cases[i].text), &a), "%s", cases[i].text);
        CHECK_INT(authority_is_loopback(&a), cases[i].want, cases[i].text);
    }
}

TEST(forms_of_a_target)
{
    static const struct {
        const char *line;
        int form; /* -1: refused */
        const char *host, *path, *written;
        bool https;
    } cases[] = {
        {"GET /a?b", TARGET_ORIGIN, "", "/a?b", "/a?b", false},
        {"GET //h/a", TARGET_ORIGIN, "", "//h/a", "//h/a", false},
        {"GET http://h/a", TARGET_ABSOLUTE, "h", "/a", "/a", false},
        {"GET HTTPS://h:444/a", TARGET_ABSOLUTE, "h", "/a", "/a", true},
        {"GET http://h", TARGET_ABSOLUTE, "h", "", "/", false},
        {"GET http://h?q", TARGET_ABSOLUTE, "h", "?q", "/?q", false},
        {"OPTIONS http://h", TARGET_ABSOLUTE, "h", "", "*", false},
        {"OPTIONS *", TARGET_ASTERISK, "", "*", "*", false},
        {"CONNECT h:443", TARGET_AUTHORITY, "h", "", NULL, false},
        {"GET *", -1, NULL, NULL, NULL, false},
        {"GET a", -1, NULL, NULL, NULL, false},
        {"GET ftp://h/", -1, NULL, NULL, NULL, false},
        {"GET http:///a", -1, NULL, NULL, NULL, false},
        {"GET http://u@h/a", -1, NULL, NULL, NULL, false},
        {"GET http://h:x/a", -1, NULL, NULL, NULL, false},
        {"GET h:443", -1, NULL, NULL, NULL, false},
        {"GET /\"<>^`{|}", TARGET_ORIGIN, "", "/\"<>^`{|}", "/%22%3C%3E%5E%60%7B%7C%7D", false},
        {"GET /\xc3\xa4?\xff", TARGET_ORIGIN, "", "/\xc3\xa4?\xff", "/%C3%A4?%FF", false},
        {"GET /%zz%20", TARGET_ORIGIN, "", "/%zz%20", "/%zz%20", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[128];
        struct target t;
        struct failure why;
        struct buf out = {0};
        (void)snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].line);
        struct head *h = try_request(text); /* the head's reader refuses some of them already */
        bool ok = h != NULL && target_parse(h, &t, &why);
        CHECK_INT(ok, cases[i].form >= 0, cases[i].line);
        if (ok) {
            CHECK_INT(t.form, cases[i].form, cases[i].line);
            CHECK_SLICE(t.authority.host, cases[i].host, cases[i].line);
            CHECK_SLICE(t.path, cases[i].path, cases[i].line);
            CHECK_INT(t.https, cases[i].https, cases[i].line);
        }
        if (ok && cases[i].written != NULL) {
            target_write_path(&out, h, &t);
            CHECK_SLICE(buf_slice(&out), cases[i].written, cases[i].line);
        }
        buf_free(&out);
        head_free(h);
    }
}

TEST(authorities_are_written_back)
{
    static const struct {
        const char *text, *want;
    } cases[] = {{"h:443", "h"},
                 {"h:80", "h:80"},
                 {"h", "h"},
                 {"[::1]:443", "[::1]"},
                 {"[::1]:1", "[::1]:1"}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct authority a;
        struct buf out = {0};
        CHECK(authority_parse(slice_of(cases[i].text), &a));
        authority_write(&out, &a, 443);
        CHECK_SLICE(buf_slice(&out), cases[i].want, cases[i].text);
        buf_free(&out);
    }
}

TEST(hosts_compare_without_case_and_last_dot)
{
    CHECK(authority_host_eq(SLICE("A.b"), SLICE("a.B.")));
    CHECK(!authority_host_eq(SLICE("a.b"), SLICE("a.b..")));
    CHECK(!authority_host_eq(SLICE("a.b"), SLICE("a.bc")));
}

TEST(addresses_compare_by_what_they_are)
{
    CHECK(authority_address_eq(SLICE("2001:db8::1"), SLICE("2001:DB8:0:0::0001")));
    CHECK(!authority_address_eq(SLICE("2001:db8::1"), SLICE("2001:db8::2")));
    CHECK(!authority_address_eq(SLICE("a.b"), SLICE("a.b")));
    CHECK(!authority_address_eq(SLICE("::1"), SLICE("")));
}
