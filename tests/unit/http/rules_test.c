#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "head_reader.h"
#include "http/rules.h"

enum outcome { PASS, DENY, TRAP };

static struct rules *rules_of(const char *text)
{
    struct rules *r = NULL;
    struct diag why;

    CHECK_MSG(rules_add(&r, slice_of(text), &why) == ST_OK, "%s: %s", text, why.text);
    return r;
}

static enum outcome judge(const char *rules, const char *request_line, const char *fields)
{
    struct buf text = {0};
    struct target t;
    struct failure why = {FAIL_NONE, {""}};

    buf_addf(&text, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", request_line, fields);
    buf_add(&text, "", 1);
    struct head *h = read_request(text.p);
    CHECK_MSG(target_parse(h, &t, &why), "%s", request_line);
    struct rules *r = rules_of(rules);
    bool passes = rules_cover(r, h, &t, &why);
    CHECK_MSG(passes || why.id == FAIL_PATH_AMBIGUOUS || why.id == FAIL_NOT_ALLOWED, "%s",
              request_line);
    rules_free(r);
    head_free(h);
    buf_free(&text);
    return passes ? PASS : why.id == FAIL_NOT_ALLOWED ? DENY : TRAP;
}

TEST(rules_cover_methods_and_paths)
{
    static const struct {
        const char *rules, *request;
        enum outcome want;
    } cases[] = {
        /* methods */
        {"GET /a", "GET /a", PASS},
        {"GET /a", "HEAD /a", PASS},
        {"HEAD /a", "GET /a", DENY},
        {"GET /a", "POST /a", DENY},
        {"GET /a", "OPTIONS /a", DENY},
        {"GET|POST /a", "POST /a", PASS},
        {"GET|POST /a", "HEAD /a", PASS},
        {"GET|POST /a", "PUT /a", DENY},
        {"GET|MERGE /a", "MERGE /a", PASS},
        {"* /a", "DELETE /a", PASS},
        {"GET /a, POST /b", "POST /b", PASS},
        {"GET /a, POST /b", "POST /a", DENY},
        {"GET /a,POST /b", "GET /b", DENY},
        {"GET   /a", "GET /a", PASS},

        /* exact paths */
        {"GET /a/b", "GET /a/b", PASS},
        {"GET /a/b", "GET /a/b?$top=3", PASS},
        {"GET /a/b", "GET /a/b?/../c//d;e", PASS},
        {"GET /a/b", "GET /a/b/", DENY},
        {"GET /a/b", "GET /a", DENY},
        {"GET /a/b", "GET /a/bc", DENY},
        {"GET /a/b", "GET /A/b", DENY},
        {"GET /a/b/", "GET /a/b/", PASS},
        {"GET /a/b/", "GET /a/b", DENY},
        {"GET /", "GET /", PASS},
        {"GET /", "GET /a", DENY},
        {"GET /", "GET http://h", PASS},
        {"GET /", "GET http://h?x", PASS},
        {"GET /a", "GET http://h/a?x", PASS},
        {"GET /a", "GET http://h/b", DENY},

        /* a star at the end */
        {"GET /odata/v2/*", "GET /odata/v2/User", PASS},
        {"GET /odata/v2/*", "GET /odata/v2/User('x')/manager", PASS},
        {"GET /odata/v2/*", "GET /odata/v2/", PASS},
        {"GET /odata/v2/*", "GET /odata/v2", DENY},
        {"GET /odata/v2/*", "GET /odata/v20/User", DENY},
        {"GET /odata/v2/*", "GET /odata/v4/User", DENY},
        {"GET /odata/v2/*", "GET /Odata/v2/User", DENY},
        {"GET /odata/v2/User*", "GET /odata/v2/User", PASS},
        {"GET /odata/v2/User*", "GET /odata/v2/User('a/b')/x", PASS},
        {"GET /odata/v2/User*", "GET /odata/v2/UserPermissions", PASS},
        {"GET /odata/v2/User*", "GET /odata/v2/Use", DENY},
        {"GET /*", "GET /a/b", PASS},
        {"GET /*", "OPTIONS *", DENY},
        {"OPTIONS /*", "OPTIONS *", DENY},
        {"OPTIONS *", "OPTIONS *", PASS},
        {"* *", "OPTIONS *", PASS},
        {"* *", "OPTIONS http://h", PASS},
        {"OPTIONS /*", "OPTIONS http://h", DENY},
        {"OPTIONS /", "OPTIONS http://h/", PASS},
        {"* *", "GET /a", PASS},

        /* a star in a segment */
        {"GET /a/*/c", "GET /a/b/c", PASS},
        {"GET /a/*/c", "GET /a/b/d", DENY},
        {"GET /a/*/c", "GET /a/b/b/c", DENY},
        {"GET /a/*/c", "GET /a/c", DENY},
        {"GET /a/*/*", "GET /a/b/c/d", PASS},
        {"GET /a/*/c*", "GET /a/b/cd/e", PASS},
        {"GET /User(*)", "GET /User('x')", PASS},
        {"GET /User(*)", "GET /User(a='x',b=1L)", PASS},
        {"GET /User(*)", "GET /User()", PASS},
        {"GET /User(*)", "GET /User", DENY},
        {"GET /User(*)", "GET /User('x')/manager", DENY},
        {"GET /User(*)", "GET /User('x", DENY},
        {"GET /User(*)/manager", "GET /User('x')/manager", PASS},
        {"GET /User('x')", "GET /User('x')", PASS},
        {"GET /User(a='x',b=1L), POST /b", "GET /User(a='x',b=1L)", PASS},
        {"GET /User(a='x',b=1L), POST /b", "POST /b", PASS},
        {"GET /a*bc", "GET /abc", PASS},
        {"GET /ab*bc", "GET /abc", DENY},
        {"GET /a*c", "GET /ac/c", DENY},

        /* percent-encoding */
        {"GET /User", "GET /%55ser", PASS},
        {"GET /%55ser", "GET /User", PASS},
        {"GET /%55ser", "GET /%55s%65r", PASS},
        {"GET /a%7eb", "GET /a~b", PASS},
        {"GET /User('x')", "GET /User(%27x%27)", DENY},
        {"GET /User(%27x%27)", "GET /User(%27x%27)", PASS},
        {"GET /User(%27x%27)", "GET /User('x')", DENY},
        {"GET /User(*)", "GET /User%28'x'%29", DENY},
        {"GET /User(*)", "GET /User('%C3%A4%29')", PASS},
        {"GET /User(*%29)", "GET /User(%55%29)", PASS},
        {"GET /a*%29", "GET /a%2%29", TRAP},
        {"GET /a%2cb", "GET /a%2Cb", PASS},
        {"GET /a%2Cb", "GET /a%2cb", PASS},
        {"GET /a%20b", "GET /a%20b", PASS},
        {"GET /a%25b", "GET /a%25b", PASS},
        {"GET /a%25x", "GET /a%25x", PASS},
        {"GET /\xc3\xa4", "GET /%c3%A4", PASS},
        {"GET /\xc3\xa4", "GET /\xc3\xa4", PASS},
        {"GET /%C3%A4", "GET /\xc3\xa4", PASS},
        {"GET /a\"b", "GET /a%22b", PASS},
        {"GET /a%22b", "GET /a\"b", PASS},
        {"GET /a%2Ab", "GET /a%2ab", PASS},
        {"GET /a%2Ab", "GET /a*b", DENY},
        {"GET /a%2Ab", "GET /axb", DENY},

        /* what could be read in two ways */
        {"* *", "GET /a/../b", TRAP},
        {"* *", "GET /a/..", TRAP},
        {"* *", "GET /..", TRAP},
        {"* *", "GET /./a", TRAP},
        {"* *", "GET /a/.", TRAP},
        {"* *", "GET /a/%2e%2E/b", TRAP},
        {"* *", "GET /a/.%2e/b", TRAP},
        {"* *", "GET /a%2eb", TRAP},
        {"* *", "GET /a%2fb", TRAP},
        {"* *", "GET /a%2Fb", TRAP},
        {"* *", "GET /a%5cb", TRAP},
        {"* *", "GET /a%3bb", TRAP},
        {"* *", "GET /a%00b", TRAP},
        {"* *", "GET /a%0ab", TRAP},
        {"* *", "GET /a%7Fb", TRAP},
        {"* *", "GET /a%252e%252e/b", TRAP},
        {"* *", "GET /%25%32%65%25%32%65/v4", TRAP},
        {"* *", "GET /%252%65", TRAP},
        {"* *", "GET /%25%32e", TRAP},
        {"* *", "POST /%25%32%34batch", TRAP},
        {"* *", "GET /100%25", PASS},
        {"* *", "GET /100%25%20x", PASS},
        {"* *", "GET /%c0%ae%c0%ae/v4", TRAP},
        {"* *", "GET /%f8%80", TRAP},
        {"* *", "GET /M%c3%bcller", PASS},
        {"* *", "GET /a%2541", TRAP},
        {"* *", "GET /a%", TRAP},
        {"* *", "GET /a%4", TRAP},
        {"* *", "GET /a%zz", TRAP},
        {"* *", "GET /a%u002e", TRAP},
        {"* *", "GET //a", TRAP},
        {"* *", "GET /a//b", TRAP},
        {"* *", "GET /a//", TRAP},
        {"* *", "GET http://h//a", TRAP},
        {"* *", "GET http://h/a/../b", TRAP},
        {"* *", "GET /a;b", TRAP},
        {"* *", "GET /a;jsessionid=1/b", TRAP},
        {"* *", "GET /...", TRAP},
        {"* *", "GET /a...b", PASS},
        {"* *", "GET /a/.%20./b", TRAP},
        {"* *", "GET /a/..%20/b", TRAP},
        {"* *", "GET /a/%20../b", TRAP},
        {"* *", "GET /a/.+/b", TRAP},
        {"* *", "GET /a/..%c2%a0/b", TRAP},
        {"* *", "GET /a/\xe2\x80\x8b../b", TRAP},
        {"* *", "GET /a/%20/b", TRAP},
        {"* *", "GET /a/+", TRAP},
        {"* *", "GET /a/%e3%80%80/b", TRAP},
        {"* *", "GET /a/%20b%20", PASS},
        {"* *", "GET /a/C++", PASS},
        {"* *", "GET /a%3Fb", TRAP},
        {"* *", "GET /a%23b", TRAP},

        /* UTF-8, percent-encoded or not, and what looks like more than it is */
        {"* *", "GET /\xc0\xae\xc0\xae/v4", TRAP},
        {"* *", "GET /a\xc0%af", TRAP},
        {"* *", "GET /%e0%80%ae", TRAP},
        {"* *", "GET /\xe0\x80\xaf", TRAP},
        {"* *", "GET /%f0%80%80%ae", TRAP},
        {"* *", "GET /%ed%a0%80", TRAP},
        {"* *", "GET /%f4%90%80%80", TRAP},
        {"* *", "GET /%f5%80%80%80", TRAP},
        {"* *", "GET /%c3", TRAP},
        {"* *", "GET /%c3/%a4", TRAP},
        {"* *", "GET /%c3(", TRAP},
        {"* *", "GET /%a4", TRAP},
        {"* *", "GET /\xff", TRAP},
        {"* *", "GET /%c2%80", TRAP},
        {"* *", "GET /\xc3%a4", PASS},
        {"* *", "GET /%f0%9f%98%80", PASS},
        {"* *", "GET /%ef%bf%bf", PASS},
        {"* *", "GET /\xef\xbc\x8e\xef\xbc\x8e/a", TRAP}, /* fullwidth . */
        {"* *", "GET /a%ef%bc%8fb", TRAP},                /* fullwidth / */
        {"* *", "GET /a%ef%bc%bcb", TRAP},
        {"* *", "GET /a%ef%bc%852e", TRAP},
        {"* *", "GET /a%e2%88%95b", TRAP}, /* division slash */
        {"* *", "GET /a%e2%80%a5b", TRAP}, /* two dot leader */
        {"* *", "GET /a%cd%beb", TRAP},    /* Greek question mark: ; in NFC */
        {"* *", "GET /%ef%bc%a1", PASS},   /* fullwidth A */
        {"* *", "GET /a%25u002e", TRAP},
        {"* *", "GET /a%25%55002e", TRAP},
        {"* *", "GET /a./.b", PASS},
        {"* *", "GET /a/", PASS},
        {"* *", "GET /a%25?b%2e%2e//;", PASS},

        /* $batch */
        {"* /odata/v2/*", "POST /odata/v2/$batch", DENY},
        {"* /odata/v2/*", "POST /odata/v2/%24batch", DENY},
        {"* /odata/v2/*", "POST /odata/v2/$%62%41tch", DENY},
        {"* /odata/v2/*", "POST /odata/v2/$BATCH", DENY},
        {"* /odata/v2/*", "POST /odata/v2/$batch/", DENY},
        {"* /odata/v2/*", "POST /odata/v2/$batch/x", DENY},
        {"* /odata/v2/*", "POST /odata/v2/$batch?x", DENY},
        {"* /odata/*/$batch", "POST /odata/v2/$batch", PASS},
        {"* /odata/*/x", "POST /odata/$batch/x", DENY},
        {"* /odata/v2/$batc*", "POST /odata/v2/$batch", DENY},
        {"* /odata/v2/$*h", "POST /odata/v2/$batch", DENY},
        {"* /odata/v2/*h", "POST /odata/v2/$batch", DENY},
        {"* *", "POST /$batch", DENY},
        {"* *, POST /$batch", "POST /$batch", PASS},
        {"POST /odata/v2/$batch", "POST /odata/v2/$batch", PASS},
        {"POST /odata/v2/$batch", "POST /odata/v2/%24batch", DENY},
        {"POST /odata/v2/$batch", "POST /odata/v2/$bat%63h", PASS},
        {"POST /odata/v2/%24batch", "POST /odata/v2/%24batch", PASS},
        {"POST /odata/v2/$batch/*", "POST /odata/v2/$batch/x", PASS},
        {"* /odata/v2/*", "POST /odata/v2/$batches", PASS},
        {"* /odata/v2/*", "POST /odata/v2/$batch_1", PASS},
        {"* /odata/v2/*", "POST /odata/v2/$batch()", DENY},
        {"* /odata/v2/*", "POST /odata/v2/$batch%20", DENY},
        {"* /odata/v2/*", "POST /odata/v2/$batch%3Fx", TRAP},
        {"* /odata/v2/*", "POST /odata/v2/%20$batch", DENY},
        {"* /odata/v2/*", "POST /odata/v2/%20%20%24BATCH", DENY},
        {"* /odata/v2/*", "POST /odata/v2/+$batch", DENY},
        {"* /odata/v2/*", "POST /odata/v2/%2b$batch", DENY},
        {"* /odata/v2/*", "POST /odata/v2/$batch+", DENY},
        {"* /odata/v2/*", "POST /odata/v2/%c2%a0$batch", TRAP},
        {"* /odata/v2/*",
         "POST /odata/v2/$\xef\xbd\x82"
         "atch",
         TRAP},                                                   /* fullwidth b */
        {"* /odata/v2/*", "POST /odata/v2/%ef%bc%84batch", TRAP}, /* fullwidth $ */
        {"* /odata/v2/*", "POST /odata/v2/$batch%c3%a4", TRAP},
        {"* /odata/v2/*", "GET /odata/v2/User('$')/$value", PASS},
        {"* /odata/v2/*", "POST /odata/v2/$batch.", DENY},
        {"* /odata/v2/*", "POST /odata/v2/x$batch", PASS},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char what[256];
        (void)snprintf(what, sizeof(what), "%s: %s", cases[i].rules, cases[i].request);
        CHECK_INT(judge(cases[i].rules, cases[i].request, ""), cases[i].want, what);
    }
}

TEST(a_method_override_is_judged_as_the_method)
{
    static const struct {
        const char *rules, *request, *fields;
        enum outcome want;
    } cases[] = {
        {"GET /a", "GET /a", "X-HTTP-Method: DELETE\r\n", DENY},
        {"GET /a", "GET /a", "X-HTTP-Method-Override: DELETE\r\n", DENY},
        {"GET /a", "GET /a", "X-Method-Override: DELETE\r\n", DENY},
        {"GET /a", "GET /a", "x_http_method: DELETE\r\n", DENY},
        {"GET /a", "GET /a", "X-HTTP-Method: GET\r\n", PASS},
        {"GET /a", "GET /a", "X-HTTP-Method: get\r\n", DENY},
        {"GET /a", "GET /a", "X-HTTP-Method:\r\n", DENY},
        {"GET /a", "GET /a", "X-HTTP-Method: GET, DELETE\r\n", DENY},
        {"GET /a", "GET /a", "X-HTTP-Method: GET\r\nX-HTTP-Method: PUT\r\n", DENY},
        {"GET /a", "GET /a", "X-HTTP-Method: GET\r\nX-Method-Override: PUT\r\n", DENY},
        {"GET /a", "POST /a", "X-HTTP-Method: GET\r\n", DENY},
        {"MERGE /a", "POST /a", "X-HTTP-Method: MERGE\r\n", DENY},
        {"POST /a", "POST /a", "X-HTTP-Method: MERGE\r\n", DENY},
        {"POST|MERGE /a", "POST /a", "X-HTTP-Method: MERGE\r\n", PASS},
        {"POST /a, MERGE /b", "POST /a", "X-HTTP-Method: MERGE\r\n", DENY},
        {"* /a", "POST /a", "X-HTTP-Method: anything\r\n", PASS},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char what[256];
        (void)snprintf(what, sizeof(what), "%s: %s, %s", cases[i].rules, cases[i].request,
                       cases[i].fields);
        CHECK_INT(judge(cases[i].rules, cases[i].request, cases[i].fields), cases[i].want, what);
    }
}

TEST(a_method_that_the_query_names_is_judged_as_the_method)
{
    static const struct {
        const char *rules, *request;
        enum outcome want;
    } cases[] = {
        {"GET /a", "GET /a?_method=DELETE", DENY},
        {"GET /a", "GET /a?x=1&_METHOD=DELETE", DENY},
        {"GET /a", "GET /a?x=1;_method=DELETE", DENY},
        {"GET /a", "GET /a?%5Fm%65thod=DELETE", DENY},
        {"GET /a", "GET /a?-method=DELETE", DENY},
        {"GET /a", "GET /a?$method=DELETE", DENY},
        {"GET /a", "GET /a?X-HTTP-Method=DELETE", DENY},
        {"GET /a", "GET /a?x_http_method_override=DELETE", DENY},
        {"GET /a", "GET /a?X-Method-Override=GET", PASS},
        {"GET /a", "GET /a?_method=", DENY},
        {"GET /a", "GET /a?_method", DENY},
        {"GET /a", "GET /a?_method=GET&_method=PUT", DENY},
        {"GET|PUT /a", "GET /a?_method=PUT", PASS},
        {"* /a", "GET /a?_method=PUT", PASS},
        {"GET /a", "GET http://h/a?_method=PUT", DENY},
        {"GET /a", "GET /a?method=PUT&_methods=PUT&x_method=PUT&$format=json", PASS},
        {"GET /a", "GET /a?x=_method", PASS},
        {"GET /a", "GET /a?&;&", PASS},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(judge(cases[i].rules, cases[i].request, ""), cases[i].want, cases[i].request);
}

TEST(fields_that_name_another_path_are_refused)
{
    static const char *const names[] = {"X-Original-URL",  "x-rewrite-url",  "X_Original_Url",
                                        "X-Original-URI",  "X-Override-URL", "Destination",
                                        "X-Original-Path", "SCRIPT_NAME",    "X-HTTP-Path-Override",
                                        "Path-Info"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char fields[64];
        (void)snprintf(fields, sizeof(fields), "%s: /a\r\n", names[i]);
        CHECK_INT(judge("* *", "GET /a", fields), TRAP, names[i]);
    }
    CHECK_INT(judge("* *", "GET /a", "Location: /b\r\nX-Original: /b\r\n"), PASS, "others");
}

TEST(flaws_of_rules_are_told)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"/a", "methods in capital letters"},
        {"get /a", "methods in capital letters"},
        {"GET,POST /a", "no path"},
        {"GET", "no path"},
        {"GET|/a", "methods in capital letters"},
        {"GET| /a", "lacks a method"},
        {"|GET /a", "lacks a method"},
        {"GET||PUT /a", "lacks a method"},
        {"TRACE /a", "no rule decides"},
        {"GET|CONNECT /a", "no rule decides"},
        {"*|GET /a", "capital letters"},
        {"GET a", "does not begin with '/'"},
        {"GET *a", "does not begin with '/'"},
        {"GET https://h/a", "does not begin with '/'"},
        {"GET /a b", "blank"},
        {"GET /a POST /b", "blank"},
        {"GET /a(*, POST /b", "parentheses"},
        {"GET /a?b=c", "query"},
        {"GET /a#b", "percent-encode"},
        {"GET /a\\b", "percent-encode"},
        {"GET /a*b*", "two `*`"},
        {"GET /**", "two `*`"},
        {"GET /a/../b", "a segment . or .."},
        {"GET /a//b", "(//)"},
        {"GET /a;b", "a ';'"},
        {"GET /a%2fb", "percent-encoded"},
        {"GET /a%2Eb", "percent-encoded"},
        {"GET /a%", "hexadecimal"},
        {"GET /a%2541", "twice"},
        {"GET /a\xc0\xaf", "not UTF-8"},
        {"GET /a%e0%80%af", "not UTF-8"},
        {"GET /a\xef\xbc\x8f", "can be read as"},
        {"GET /a,", "between two commas"},
        {"GET /a,,GET /b", "between two commas"},
        {", GET /a", "between two commas"},
        {"GET /a, b", "capital letters"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rules *r = NULL;
        struct diag why = {""};
        enum status st = rules_add(&r, slice_of(cases[i].text), &why);
        rules_free(r);
        CHECK_MSG(st != ST_OK, "%s", cases[i].text);
        CHECK_MSG(strstr(why.text, cases[i].words) != NULL, "%s: %s", cases[i].text, why.text);
        CHECK_MSG(why.text[strlen(why.text) - 1] != '.', "%s", why.text);
    }
}
