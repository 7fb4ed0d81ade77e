#include <stdio.h>

#include "policy/guard.h"
#include "request.h"

static char *server_names[] = {"api4.successfactors.com", "api4.cert.successfactors.com", NULL};
static struct tenant acme = {.name = "acme",
                             .company_id = "ACME",
                             .server = {"api4.cert.successfactors.com", 443},
                             .names = server_names};
static struct tenant *tenants[] = {&acme};
static const struct config one = {.tenants = tenants, .ntenants = 1};

#define HOST(h) "GET / HTTP/1.1\r\nHost: " h "\r\n"

static const struct {
    const char *name, *request;
    bool unix_listener;
    enum fail want;
} guards[] = {
    {"localhost", HOST("localhost:8080"), false, FAIL_NONE},
    {"any port", HOST("localhost:1"), false, FAIL_NONE},
    {"below localhost", HOST("acme.localhost"), false, FAIL_NONE},
    {"127.0.0.2", HOST("127.0.0.2"), false, FAIL_NONE},
    {"[::1]", HOST("[::1]:8080"), false, FAIL_NONE},
    {"the server's plain name", HOST("api4.successfactors.com"), false, FAIL_NONE},
    {"the server's certificate host", HOST("api4.cert.successfactors.com:443"), false, FAIL_NONE},
    {"a name that resolves here", HOST("evil.example"), false, FAIL_HOST_NOT_SERVED},
    {"the same on a Unix socket", HOST("evil.example"), true, FAIL_NONE},
    {"an address of the network", HOST("192.168.1.2:8080"), false, FAIL_HOST_NOT_SERVED},
    {"no Host on 1.0", "GET / HTTP/1.0\r\n", false, FAIL_NONE},
    {"a bad Host", HOST("a b"), false, FAIL_REQUEST_HOST},
    {"an empty Host", HOST(""), false, FAIL_REQUEST_HOST},
    {"user info", HOST("u@localhost"), false, FAIL_REQUEST_HOST},
    {"a path", HOST("localhost/x"), false, FAIL_REQUEST_HOST},
    {"a list", HOST("localhost, localhost"), false, FAIL_REQUEST_HOST},
    {"absolute-form: the target wins", AT("http://api4.successfactors.com/"), false, FAIL_NONE},

    {"foreign Origin", HOST("localhost") "Origin: https://evil.example\r\n", false,
     FAIL_FOREIGN_ORIGIN},
    {"null Origin", HOST("localhost") "Origin: null\r\n", false, FAIL_FOREIGN_ORIGIN},
    {"own Origin", HOST("localhost:8080") "Origin: http://localhost:8080\r\n", false, FAIL_NONE},
    {"own Origin, default port", HOST("localhost") "Origin: http://LOCALHOST:80\r\n", false,
     FAIL_NONE},
    {"another port", HOST("localhost:8080") "Origin: http://localhost:3000\r\n", false,
     FAIL_FOREIGN_ORIGIN},
    {"another scheme", HOST("localhost") "Origin: https://localhost\r\n", false,
     FAIL_FOREIGN_ORIGIN},
    {"another loopback name", HOST("localhost") "Origin: http://127.0.0.1\r\n", false,
     FAIL_FOREIGN_ORIGIN},
    {"two Origins", HOST("localhost") "Origin: http://localhost\r\nOrigin: http://localhost\r\n",
     false, FAIL_FOREIGN_ORIGIN},
    {"foreign Origin on a Unix socket", HOST("localhost") "Origin: http://x\r\n", true,
     FAIL_FOREIGN_ORIGIN},
    {"cross-site", HOST("localhost") "Sec-Fetch-Site: cross-site\r\n", false, FAIL_FOREIGN_ORIGIN},
    {"same-site", HOST("localhost") "Sec-Fetch-Site: same-site\r\n", false, FAIL_FOREIGN_ORIGIN},
    {"same-origin", HOST("localhost") "Sec-Fetch-Site: same-origin\r\n", false, FAIL_NONE},
    {"typed by the user", HOST("localhost") "Sec-Fetch-Site: none\r\n", false, FAIL_NONE},
    {"preflight", "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://x\r\n", false,
     FAIL_FOREIGN_ORIGIN},

    {"CONNECT in a CONNECT", "CONNECT h:443 HTTP/1.1\r\nHost: localhost\r\n", false,
     FAIL_CONNECT_NOT_ALLOWED},
    {"TRACE", "TRACE / HTTP/1.1\r\nHost: localhost\r\n", false, FAIL_METHOD_NOT_ALLOWED},
    {"h2c is ignored", HOST("localhost") "Upgrade: h2c\r\nConnection: Upgrade\r\n", false,
     FAIL_NONE},
    {"WebSocket", HOST("localhost") "Connection: Upgrade\r\nUpgrade: h2c, WebSocket/13\r\n", false,
     FAIL_WEBSOCKET_NOT_SERVED},
    {"Connection names Host", HOST("localhost") "Connection: host\r\n", false,
     FAIL_REQUEST_MALFORMED},
    {"100-continue", HOST("localhost") "Expect: 100-Continue\r\n", false, FAIL_NONE},
    {"another expectation", HOST("localhost") "Expect: tea\r\n", false, FAIL_EXPECTATION},
    {"not on 1.0", "GET / HTTP/1.0\r\nExpect: tea\r\n", false, FAIL_NONE},
};

TEST(the_guard_lets_in_who_may)
{
    for (size_t i = 0; i < ARRAY_LEN(guards); i++) {
        struct guard_view view = {.config = &one, .unix_listener = guards[i].unix_listener};
        struct target t;
        struct failure why = {.id = FAIL_NONE};
        struct head *h = parse(guards[i].request, &t);
        bool admitted = guard_admits(&view, h, &t, &why);
        CHECK_INT(admitted, guards[i].want == FAIL_NONE, guards[i].name);
        if (!admitted)
            CHECK_INT(why.id, guards[i].want, guards[i].name);
        head_free(h);
    }
}

static const struct {
    const char *url;
    int port; /* of the listener; 0: a Unix socket */
    bool own;
} urls[] = {
    {"http://localhost:8080/", 8080, true},
    {"HTTP://LOCALHOST.:8080?x", 8080, true},
    {"http://127.1.2.3:8080", 8080, true},
    {"http://[::1]:8080/", 8080, true},
    {"http://proxy.example:8080/", 8080, true},
    {"https://localhost:8080/", 8080, true},
    {"http://localhost:8081/", 8080, false},
    {"http://localhost/", 8080, false},
    {"http://localhost/", 80, true},
    {"http://localhost:80/", 80, true},
    {"https://localhost/", 80, false},
    {"https://localhost/", 443, true},
    {"http://localhost/", 0, true},
    {"http://localhost:80/", 0, true},
    {"http://localhost:8080/", 0, false},
    {"http://elsewhere.example/", 0, false},
    {"http://elsewhere.example:8080/", 8080, false},
    {"http://192.0.2.1:8080/", 8080, false},
    {"http://api4.successfactors.com:8080/", 8080, false}, /* a name of the server's */
    {"http://api4.successfactors.com/", 80, false},
    {"/", 8080, false},
};

TEST(urls_of_the_proxy_itself_are_those_of_the_listener)
{
    char *names[] = {"proxy.example"};
    struct config config = one;

    config.host_names = names;
    config.nhost_names = 1;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct guard_view view = {.config = &config, .port = urls[i].port};
        char request[128];
        struct target t;
        (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n", urls[i].url);
        struct head *h = parse(request, &t);
        CHECK_INT(guard_names_proxy(&view, &t), urls[i].own, urls[i].url);
        head_free(h);
    }
}

#define IN(host) "GET / HTTP/1.1\r\nHost: " host "\r\n"

static const struct {
    const char *name, *request;
    bool plain, misnamed;
    enum fail want;
} insides[] = {
    {"the target", IN("api4.successfactors.com"), false, false, FAIL_NONE},
    {"with its port", IN("API4.successfactors.com.:443"), false, false, FAIL_NONE},
    {"no Host on 1.0", "GET / HTTP/1.0\r\n", false, false, FAIL_NONE},
    {"the other name", IN("api4.cert.successfactors.com"), false, false, FAIL_HOST_NOT_SERVED},
    {"the proxy itself", IN("localhost:8080"), false, false, FAIL_HOST_NOT_SERVED},
    {"a bad Host", IN("a b"), false, false, FAIL_REQUEST_HOST},
    {"absolute-form",
     "GET https://api4.successfactors.com/ HTTP/1.1\r\nHost: "
     "api4.successfactors.com\r\n",
     false, false, FAIL_NONE},
    {"absolute-form, another host",
     "GET https://api8.successfactors.com/ HTTP/1.1\r\nHost: "
     "api4.successfactors.com\r\n",
     false, false, FAIL_HOST_NOT_SERVED},
    {"absolute-form, another Host",
     "GET https://api4.successfactors.com/ HTTP/1.1\r\nHost: "
     "api8.successfactors.com\r\n",
     false, false, FAIL_HOST_NOT_SERVED},
    {"another host in the handshake", IN("api4.successfactors.com"), false, true,
     FAIL_HOST_NOT_SERVED},
    {"own origin", IN("api4.successfactors.com") "Origin: https://api4.successfactors.com\r\n",
     false, false, FAIL_NONE},
    {"own origin without TLS",
     IN("api4.successfactors.com") "Origin: https://api4.successfactors.com\r\n", true, false,
     FAIL_FOREIGN_ORIGIN},
    {"plain origin in TLS",
     IN("api4.successfactors.com") "Origin: http://api4.successfactors.com\r\n", false, false,
     FAIL_FOREIGN_ORIGIN},
    {"another origin", IN("api4.successfactors.com") "Origin: https://evil.example\r\n", false,
     false, FAIL_FOREIGN_ORIGIN},
    {"CONNECT", "CONNECT api4.successfactors.com:443 HTTP/1.1\r\nHost: api4.successfactors.com\r\n",
     false, false, FAIL_CONNECT_NOT_ALLOWED},
};

TEST(inside_a_connect_its_target_is_the_host)
{
    for (size_t i = 0; i < ARRAY_LEN(insides); i++) {
        struct guard_inside in = {
            .target = {.host = SLICE("api4.successfactors.com"), .port = 443},
            .secure = !insides[i].plain,
            .misnamed = insides[i].misnamed,
        };
        /* also on a Unix socket */
        struct guard_view view = {.config = &one, .unix_listener = true, .inside = &in};
        struct target t;
        struct failure why = {.id = FAIL_NONE};
        struct head *h = parse(insides[i].request, &t);
        CHECK_INT(guard_admits(&view, h, &t, &why), insides[i].want == FAIL_NONE, insides[i].name);
        CHECK_INT(why.id, insides[i].want, insides[i].name);
        head_free(h);
    }
}

static const struct {
    const char *name, *fields;
    enum fail want;
} connect_heads[] = {
    {"any Host", "Host: localhost:8080\r\n", FAIL_NONE},
    {"its Host", "Host: api4.successfactors.com:443\r\n", FAIL_NONE},
    {"a bad Host", "Host: a b\r\n", FAIL_REQUEST_HOST},
    {"its connection does not matter", "Host: x\r\nConnection: close, host\r\n", FAIL_NONE},
    {"a body", "Host: x\r\nContent-Length: 3\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"an empty body", "Host: x\r\nContent-Length: 0\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"a chunked body", "Host: x\r\nTransfer-Encoding: chunked\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"forwarded", "Host: x\r\nX-Forwarded-For: 10.0.0.1\r\n", FAIL_FORWARDED},
    {"a page", "Host: x\r\nOrigin: https://evil.example\r\n", FAIL_FOREIGN_ORIGIN},
    {"cross-site", "Host: x\r\nSec-Fetch-Site: cross-site\r\n", FAIL_FOREIGN_ORIGIN},
};

TEST(the_head_of_a_connect_is_judged)
{
    struct guard_view view = {.config = &one};

    for (size_t i = 0; i < ARRAY_LEN(connect_heads); i++) {
        struct target t;
        struct failure why = {.id = FAIL_NONE};
        char text[256];
        (void)snprintf(text, sizeof(text), "CONNECT api4.successfactors.com:443 HTTP/1.1\r\n%s",
                       connect_heads[i].fields);
        struct head *h = parse(text, &t);
        CHECK_INT(guard_admits_connect(&view, h, &t, &why), connect_heads[i].want == FAIL_NONE,
                  connect_heads[i].name);
        CHECK_INT(why.id, connect_heads[i].want, connect_heads[i].name);
        head_free(h);
    }
}

/* ---- what is configured ---- */

enum listener { LOOPBACK, UNIX, REMOTE };

static char *host_names[] = {"proxy.example", "2001:db8::1", "192.0.2.9"};
static struct page_origin origins[] = {{"https://app.example", ""}, {"http://localhost:3000", ""}};
static const struct config guarded = {.tenants = tenants,
                                      .ntenants = 1,
                                      .host_names = host_names,
                                      .nhost_names = ARRAY_LEN(host_names),
                                      .origins = origins,
                                      .norigins = ARRAY_LEN(origins)};
static const struct config open_to_proxies = {
    .tenants = tenants, .ntenants = 1, .allow_forwarded = true};

#define APP       HOST("localhost") "Origin: https://app.example\r\n"
#define PREFLIGHT "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nAccess-Control-Request-Method: PUT\r\n"

static const struct {
    const char *name, *request;
    const struct config *config;
    enum listener listener;
    enum fail want;
} configured[] = {
    {"a name of its own", HOST("proxy.example:8080"), &guarded, LOOPBACK, FAIL_NONE},
    {"in other letters", HOST("Proxy.Example."), &guarded, REMOTE, FAIL_NONE},
    {"a name below it", HOST("x.proxy.example"), &guarded, REMOTE, FAIL_HOST_NOT_SERVED},
    {"a name that ends like it", HOST("evilproxy.example"), &guarded, REMOTE, FAIL_HOST_NOT_SERVED},
    {"an address of its own", HOST("192.0.2.9"), &guarded, LOOPBACK, FAIL_NONE},
    {"the same address, longer", HOST("[2001:db8:0::0001]:1"), &guarded, LOOPBACK, FAIL_NONE},
    {"another address", HOST("[2001:db8::2]"), &guarded, LOOPBACK, FAIL_HOST_NOT_SERVED},
    {"the address of the connection", HOST("192.0.2.1:8080"), &one, REMOTE, FAIL_NONE},
    {"not of a loopback listener", HOST("192.0.2.1:8080"), &one, LOOPBACK, FAIL_HOST_NOT_SERVED},
    {"the one beside it", HOST("192.0.2.2:8080"), &one, REMOTE, FAIL_HOST_NOT_SERVED},
    {"any address", HOST("0.0.0.0"), &one, REMOTE, FAIL_HOST_NOT_SERVED},
    {"a name never passes by itself", HOST("evil.example"), &one, REMOTE, FAIL_HOST_NOT_SERVED},

    {"a page that may", APP, &guarded, LOOPBACK, FAIL_NONE},
    {"whatever site it is", APP "Sec-Fetch-Site: cross-site\r\n", &guarded, LOOPBACK, FAIL_NONE},
    {"on a Unix socket", APP, &guarded, UNIX, FAIL_NONE},
    {"the other one", HOST("localhost:8080") "Origin: http://localhost:3000\r\n", &guarded,
     LOOPBACK, FAIL_NONE},
    {"another port", HOST("localhost") "Origin: https://app.example:444\r\n", &guarded, LOOPBACK,
     FAIL_FOREIGN_ORIGIN},
    {"another scheme", HOST("localhost") "Origin: http://app.example\r\n", &guarded, LOOPBACK,
     FAIL_FOREIGN_ORIGIN},
    {"a host below it", HOST("localhost") "Origin: https://x.app.example\r\n", &guarded, LOOPBACK,
     FAIL_FOREIGN_ORIGIN},
    {"one that begins like it", HOST("localhost") "Origin: https://app.example.evil\r\n", &guarded,
     LOOPBACK, FAIL_FOREIGN_ORIGIN},
    {"twice", APP "Origin: https://app.example\r\n", &guarded, LOOPBACK, FAIL_FOREIGN_ORIGIN},
    {"null", HOST("localhost") "Origin: null\r\n", &guarded, LOOPBACK, FAIL_FOREIGN_ORIGIN},
    {"no Origin", HOST("localhost") "Sec-Fetch-Site: cross-site\r\n", &guarded, LOOPBACK,
     FAIL_FOREIGN_ORIGIN},
    {"its rebinding", HOST("evil.example") "Origin: https://app.example\r\n", &guarded, LOOPBACK,
     FAIL_HOST_NOT_SERVED},
    {"its preflight", PREFLIGHT "Origin: https://app.example\r\n", &guarded, LOOPBACK, FAIL_NONE},
    {"another's preflight", PREFLIGHT "Origin: https://evil.example\r\n", &guarded, LOOPBACK,
     FAIL_FOREIGN_ORIGIN},

    {"Forwarded", HOST("localhost") "Forwarded: for=10.0.0.1\r\n", &one, LOOPBACK, FAIL_FORWARDED},
    {"X-Forwarded-For", HOST("localhost") "x-forwarded-for: \r\n", &one, LOOPBACK, FAIL_FORWARDED},
    {"X-Forwarded-Host", HOST("localhost") "X-Forwarded-Host: x\r\n", &one, UNIX, FAIL_FORWARDED},
    {"X_Forwarded_Proto", HOST("localhost") "X_Forwarded_Proto: x\r\n", &one, UNIX, FAIL_FORWARDED},
    {"X-Real-IP", HOST("localhost") "X-Real-IP: 10.0.0.1\r\n", &one, LOOPBACK, FAIL_FORWARDED},
    {"Via", HOST("localhost") "Via: 1.1 x\r\n", &one, LOOPBACK, FAIL_NONE},
    {"on a remote listener", HOST("localhost") "Forwarded: for=10.0.0.1\r\n", &one, REMOTE,
     FAIL_NONE},
    {"if it may", HOST("localhost") "Forwarded: for=10.0.0.1\r\n", &open_to_proxies, LOOPBACK,
     FAIL_NONE},
};

TEST(the_guard_knows_what_is_configured)
{
    struct address own;
    struct diag flaw;

    CHECK(address_parse("192.0.2.1:8080", &own, &flaw) == ST_OK);
    for (size_t i = 0; i < ARRAY_LEN(configured); i++) {
        enum listener l = configured[i].listener;
        struct guard_view view = {.config = configured[i].config,
                                  .unix_listener = l == UNIX,
                                  .remote_listener = l == REMOTE,
                                  .own = l == REMOTE ? &own : NULL};
        struct target t;
        struct failure why = {.id = FAIL_NONE};
        struct head *h = parse(configured[i].request, &t);
        CHECK_INT(guard_admits(&view, h, &t, &why), configured[i].want == FAIL_NONE,
                  configured[i].name);
        CHECK_INT(why.id, configured[i].want, configured[i].name);
        head_free(h);
    }
}

#define OLD       "0123456789abcdef"
#define NEW_TOKEN "a-second-token-of-24-chars"

static const struct {
    const char *name, *request;
    const char *inside; /* the token that the CONNECT gave; NULL: in no CONNECT, "": none */
    enum fail want;
} bearers[] = {
    {"none", HOST("localhost"), NULL, FAIL_CALLER_TOKEN},
    {"a field of its own", HOST("localhost") "X-Sfmtls-Token: " OLD "\r\n", NULL, FAIL_NONE},
    {"the other token", HOST("localhost") "x-sfmtls-token: " NEW_TOKEN "\r\n", NULL, FAIL_NONE},
    {"as a bearer", HOST("localhost") "Proxy-Authorization: Bearer " OLD "\r\n", NULL, FAIL_NONE},
    {"in other letters", HOST("localhost") "Proxy-Authorization: bEARER   " OLD "\r\n", NULL,
     FAIL_NONE},
    {"another scheme", HOST("localhost") "Proxy-Authorization: Basic " OLD "\r\n", NULL,
     FAIL_CALLER_TOKEN},
    {"no scheme", HOST("localhost") "Proxy-Authorization: " OLD "\r\n", NULL, FAIL_CALLER_TOKEN},
    {"no token", HOST("localhost") "Proxy-Authorization: Bearer\r\n", NULL, FAIL_CALLER_TOKEN},
    {"not meant for the proxy", HOST("localhost") "Authorization: Bearer " OLD "\r\n", NULL,
     FAIL_CALLER_TOKEN},
    {"empty", HOST("localhost") "X-Sfmtls-Token:\r\n", NULL, FAIL_CALLER_TOKEN},
    {"too long", HOST("localhost") "X-Sfmtls-Token: " OLD "0\r\n", NULL, FAIL_CALLER_TOKEN},
    {"too short", HOST("localhost") "X-Sfmtls-Token: 0123456789abcde\r\n", NULL, FAIL_CALLER_TOKEN},
    {"its letters count", HOST("localhost") "X-Sfmtls-Token: 0123456789ABCDEF\r\n", NULL,
     FAIL_CALLER_TOKEN},
    {"another proxy's, and ours",
     HOST("localhost") "Proxy-Authorization: Basic eDp5\r\nX-Sfmtls-Token: " OLD "\r\n", NULL,
     FAIL_NONE},
    {"absolute-form", AT("http://api4.successfactors.com/"), NULL, FAIL_PROXY_TOKEN},
    {"before the names are told", HOST("evil.example"), NULL, FAIL_CALLER_TOKEN},
    {"a page that may", APP, NULL, FAIL_CALLER_TOKEN},
    {"its preflight", PREFLIGHT "Origin: https://app.example\r\n", NULL, FAIL_NONE},
    {"nobody's preflight", PREFLIGHT, NULL, FAIL_CALLER_TOKEN},
    {"OPTIONS that is none",
     "OPTIONS / HTTP/1.1\r\nHost: localhost\r\n"
     "Origin: https://app.example\r\n",
     NULL, FAIL_CALLER_TOKEN},
    {"the CONNECT's", HOST("api4.successfactors.com"), OLD, FAIL_NONE},
    {"the CONNECT's is no more", HOST("api4.successfactors.com"), "taken-out-long-ago",
     FAIL_CALLER_TOKEN},
    {"the CONNECT had none", HOST("api4.successfactors.com"), "", FAIL_CALLER_TOKEN},
    {"nor was it asked for, but now it is there",
     HOST("api4.successfactors.com") "X-Sfmtls-Token: " OLD "\r\n", "", FAIL_NONE},
    {"absolute-form in a CONNECT", AT("https://api4.successfactors.com/"), "", FAIL_CALLER_TOKEN},
};

TEST(callers_have_to_know_a_token)
{
    struct config c = guarded;
    struct diag flaw;

    CHECK(tokens_load(test_file("tokens", OLD "\n# and\n" NEW_TOKEN), &c.tokens, &flaw) == ST_OK);
    for (size_t i = 0; i < ARRAY_LEN(bearers); i++) {
        struct guard_inside in = {
            .target = {.host = SLICE("api4.successfactors.com"), .port = 443}};
        struct guard_view view = {.config = &c, .inside = bearers[i].inside == NULL ? NULL : &in};
        struct target t;
        struct failure why = {.id = FAIL_NONE};
        struct head *h = parse(bearers[i].request, &t);
        if (bearers[i].inside != NULL)
            in.token = slice_of(bearers[i].inside);
        CHECK_INT(guard_admits(&view, h, &t, &why), bearers[i].want == FAIL_NONE, bearers[i].name);
        CHECK_INT(why.id, bearers[i].want, bearers[i].name);
        head_free(h);
    }
    tokens_free(c.tokens);
}

TEST(a_connect_needs_the_token_that_it_takes_inside)
{
    static const char request[] = "CONNECT api4.successfactors.com:443 HTTP/1.1\r\nHost: x\r\n";
    struct config c = guarded;
    struct guard_view view = {.config = &c};
    struct target t;
    struct failure why;
    struct diag flaw;
    char with[256];

    CHECK(tokens_load(test_file("tokens", OLD), &c.tokens, &flaw) == ST_OK);
    struct head *h = parse(request, &t);
    CHECK(!guard_admits_connect(&view, h, &t, &why));
    CHECK_INT(why.id, FAIL_PROXY_TOKEN, "none");
    CHECK(guard_token(&c, h).p == NULL);
    head_free(h);
    (void)snprintf(with, sizeof(with), "%sProxy-Authorization: Bearer " OLD "\r\n", request);
    h = parse(with, &t);
    CHECK(guard_admits_connect(&view, h, &t, &why));
    CHECK(slice_eq(guard_token(&c, h), SLICE(OLD)));
    CHECK(guard_token(&guarded, h).p == NULL); /* nobody asks for one */
    head_free(h);
    tokens_free(c.tokens);
}

TEST(strangers_from_elsewhere_are_not_served_by_an_older_connection)
{
    struct tenant with = {.callers = (struct callers *)&with}, without = {0};
    struct config c = {.allow_remote = true};
    struct guard_view remote = {.config = &c, .remote_listener = true}, own = {.config = &c};
    struct failure why;

    CHECK(guard_knows_caller(&own, NULL, &why) && guard_knows_caller(&own, &without, &why));
    CHECK(guard_knows_caller(&remote, &with, &why));
    CHECK(!guard_knows_caller(&remote, &without, &why));
    CHECK(!guard_knows_caller(&remote, NULL, &why));
    CHECK_INT(why.id, FAIL_HOST_NOT_SERVED, "");
    c.tokens = (struct tokens *)&with;
    CHECK(guard_knows_caller(&remote, &without, &why) && guard_knows_caller(&remote, NULL, &why));
    c.allow_remote = false;
    CHECK(!guard_knows_caller(&remote, &with, &why) && guard_knows_caller(&own, &without, &why));
}
