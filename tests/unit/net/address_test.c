#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
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
        {"localhost:80", NULL, false},
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

TEST(listeners_are_read)
{
    static const struct {
        const char *text, *want[ADDRESS_FAMILIES]; /* none: refused */
    } cases[] = {
        {"127.0.0.1:8080", {"127.0.0.1:8080"}},
        {"[::1]:0", {"[::1]:0"}},
        {"unix:/run/x:1", {"unix:/run/x:1"}},
        {"unix:/localhost:1", {"unix:/localhost:1"}},
        {"localhost:8080", {"127.0.0.1:8080", "[::1]:8080"}},
        {"LOCALHOST:0", {"127.0.0.1:0", "[::1]:0"}},
        {"localhost:65535", {"127.0.0.1:65535", "[::1]:65535"}},
        {"localhost", {NULL}},
        {"localhost:", {NULL}},
        {"localhost:65536", {NULL}},
        {"[localhost]:1", {NULL}},
        {"localhost.:1", {NULL}},
        {"alocalhost:1", {NULL}},
        {"unix:localhost:1", {NULL}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address found[ADDRESS_FAMILIES];
        struct diag why = {""};
        size_t count = 0, want = 0;
        enum status st = address_parse_listen(cases[i].text, found, &count, &why);
        while (want < ADDRESS_FAMILIES && cases[i].want[want] != NULL)
            want++;
        CHECK_INT(st, want == 0 ? ST_BAD_INPUT : ST_OK, cases[i].text);
        if (st != ST_OK) {
            CHECK_CONTAINS(why.text, cases[i].text);
            continue;
        }
        CHECK_INT(count, want, cases[i].text);
        for (size_t k = 0; k < count; k++) {
            char text[ADDRESS_TEXT_SIZE];
            address_text(&found[k], text);
            CHECK_TEXT(text, cases[i].want[k], cases[i].text);
        }
    }
}

TEST(private_addresses_are_known)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"0.0.0.0:1", true},
        {"0.255.255.255:1", true},
        {"1.0.0.0:1", false},
        {"9.255.255.255:1", false},
        {"10.0.0.0:1", true},
        {"10.255.255.255:1", true},
        {"11.0.0.0:1", false},
        {"100.63.255.255:1", false},
        {"100.64.0.0:1", true},
        {"100.127.255.255:1", true},
        {"100.128.0.0:1", false},
        {"126.255.255.255:1", false},
        {"127.0.0.1:1", true},
        {"127.255.255.255:1", true},
        {"128.0.0.0:1", false},
        {"169.253.255.255:1", false},
        {"169.254.169.254:1", true},
        {"169.255.0.0:1", false},
        {"172.15.255.255:1", false},
        {"172.16.0.0:1", true},
        {"172.31.255.255:1", true},
        {"172.32.0.0:1", false},
        {"192.167.255.255:1", false},
        {"192.168.0.0:1", true},
        {"192.168.255.255:1", true},
        {"192.169.0.0:1", false},
        {"203.0.113.1:1", false},
        {"[::]:1", true},
        {"[::1]:1", true},
        {"[::2]:1", true},
        {"[::7f00:1]:1", true},
        {"[1::]:1", false},
        {"[2001:db8::1]:1", false},
        {"[fbff::1]:1", false},
        {"[fc00::]:1", true},
        {"[fdff:ffff::]:1", true},
        {"[fe00::]:1", false},
        {"[fe7f::]:1", false},
        {"[fe80::1]:1", true},
        {"[febf::1]:1", true},
        {"[fec0::1]:1", true},
        {"[ff02::1]:1", true},
        {"198.17.255.255:1", false},
        {"198.18.0.1:1", true},
        {"198.20.0.0:1", false},
        {"223.255.255.255:1", false},
        {"224.0.0.1:1", true},
        {"255.255.255.255:1", true},
        {"[64:ff9b:1::1]:1", true},
        {"[::ffff:127.0.0.1]:1", true},
        {"[::ffff:10.1.2.3]:1", true},
        {"[::ffff:8.8.8.8]:1", false},
        {"[64:ff9b::7f00:1]:1", true},
        {"[64:ff9b::808:808]:1", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address a;
        struct diag why = {""};
        CHECK_INT(address_parse(cases[i].text, &a, &why), ST_OK, cases[i].text);
        CHECK_INT(address_is_private(&a), cases[i].want, cases[i].text);
    }
}

TEST(hosts_are_compared_as_addresses)
{
    static const struct {
        const char *own, *host;
        bool ipv6, want;
    } cases[] = {
        {"192.0.2.1:80", "192.0.2.1", false, true},
        {"192.0.2.1:80", "192.0.2.2", false, false},
        {"192.0.2.1:80", "192.0.2.1.", false, false},
        {"192.0.2.1:80", "192.0.2.01", false, false},
        {"192.0.2.1:80", "3221225985", false, false},
        {"192.0.2.1:80", "evil.example", false, false},
        {"192.0.2.1:80", "", false, false},
        {"192.0.2.1:80", "::ffff:192.0.2.1", true, true},
        {"[2001:db8::1]:80", "2001:DB8:0::1", true, true},
        {"[2001:db8::1]:80", "2001:db8::2", true, false},
        {"[2001:db8::1]:80", "2001:db8::1", false, false},
        {"unix:/s", "127.0.0.1", false, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address a;
        struct diag why;
        CHECK_INT(address_parse(cases[i].own, &a, &why), ST_OK, cases[i].own);
        CHECK_INT(address_is_host(&a, slice_of(cases[i].host), cases[i].ipv6), cases[i].want,
                  cases[i].host);
    }
}

TEST(what_is_mapped_becomes_what_it_stands_for)
{
    static const char *const cases[][2] = {
        {"[::ffff:192.0.2.1]:8080", "192.0.2.1:8080"},
        {"[::ffff:c000:2ff]:1", "192.0.2.255:1"},
        {"[2001:db8::1]:8080", "[2001:db8::1]:8080"},
        {"[::1]:1", "[::1]:1"},
        {"192.0.2.1:1", "192.0.2.1:1"},
        {"unix:/s", "unix:/s"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[ADDRESS_TEXT_SIZE];
        struct address a;
        struct diag why;
        CHECK_INT(address_parse(cases[i][0], &a, &why), ST_OK, cases[i][0]);
        address_unmap(&a);
        address_text(&a, text);
        CHECK_TEXT(text, cases[i][1], cases[i][0]);
    }
}

static void check_socket(int family, const char *at, bool want)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct address a, of;
    struct diag why;

    CHECK_INT(address_parse(at, &a, &why), ST_OK, at);
    CHECK_INT(bind(fd, &a.any, a.length), 0, at);
    CHECK_INT(address_of_socket(fd, &of), want, at);
    if (want)
        CHECK(address_is_same_host(&a, &of) && address_port(&of) > 0);
    (void)close(fd);
}

TEST(wildcards_are_known)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {{"0.0.0.0:80", true}, {"[::]:80", true},     {"127.0.0.1:80", false},
                 {"[::1]:80", false},  {"0.0.0.1:80", false}, {"unix:/x", false}};
    struct address a;
    struct diag why;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK(address_parse(cases[i].text, &a, &why) == ST_OK);
        CHECK_INT(address_is_wildcard(&a), cases[i].want, cases[i].text);
    }
}

TEST(a_socket_knows_its_address)
{
    struct address of;
    char *path = mem_format("unix:%s/socket", test_folder());

    check_socket(AF_INET, "127.0.0.1:0", true);
    check_socket(AF_UNIX, path, false);
    free(path);
    CHECK(!address_of_socket(-1, &of));
}
