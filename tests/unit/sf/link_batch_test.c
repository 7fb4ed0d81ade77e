#include "sf/link_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "test.h"

static const struct link_place place = {{"https://api4.successfactors.com", 31}, 443, 443};
static const struct link_rules rules = {&place, 1, "http://localhost:8080",
                                        "http:\\/\\/localhost:8080"};

#define S "https://api4.successfactors.com:443"
#define B "http://localhost:8080"

/* In portions of that size; true: a link was left. */
static bool rewrite(const char *type, const struct link_rules *r, size_t part_max,
                    struct slice text, size_t step, struct buf *out)
{
    struct link_batch *b = link_batch_new(slice_of(type), r, part_max);

    for (size_t at = 0; at < text.n; at += step) {
        struct slice in = {text.p + at, text.n - at < step ? text.n - at : step};
        while (link_batch_run(b, &in, out) || in.n > 0)
            continue;
    }
    while (link_batch_finish(b, out))
        continue;
    bool left = link_batch_left_any(b);
    link_batch_free(b);
    return left;
}

static void check_with(const char *type, const struct link_rules *r, size_t part_max,
                       const char *text, const char *want, bool left)
{
    size_t n = strlen(text);

    for (size_t step = 1; step <= n; step++) {
        struct buf out = {0};
        bool told = rewrite(type, r, part_max, (struct slice){text, n}, step, &out);
        CHECK_SLICE(buf_slice(&out), want, text);
        CHECK_INT(told, left, text);
        buf_free(&out);
    }
}

static void check(const char *type, const char *text, const char *want)
{
    check_with(type, &rules, LINK_BATCH_PART, text, want, false);
}

TEST(lengths_of_parts_are_right)
{
    check("multipart/mixed; boundary=batch_a",
          "--batch_a\r\nContent-Type: application/http\r\nContent-Length: 152\r\n"
          "content-transfer-encoding: binary\r\n\r\n"
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 56\r\n"
          "DataServiceVersion: 2.0\r\n\r\n{\"uri\":\"" S "/odata/v2/x\"}"
          "\r\n--batch_a--\r\n",
          "--batch_a\r\nContent-Type: application/http\r\nContent-Length: 138\r\n"
          "content-transfer-encoding: binary\r\n\r\n"
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 42\r\n"
          "DataServiceVersion: 2.0\r\n\r\n{\"uri\":\"" B "/odata/v2/x\"}"
          "\r\n--batch_a--\r\n");
}

TEST(parts_of_all_kinds)
{
    static const char *const cases[][2] = {
        {"preamble " S "/x\r\n--b\r\n\r\n{\"uri\":\"" S "\"}\r\n--b--",
         "preamble " S "/x\r\n--b\r\n\r\n{\"uri\":\"" S "\"}\r\n--b--"},
        {"--b\nContent-Type: application/http\n\nHTTP/1.1 201 Created\nLocation: " S
         "/x\nContent-Type: application/atom+xml;type=entry\n\n<id>" S "/x</id>\n--b--\n",
         "--b\nContent-Type: application/http\n\nHTTP/1.1 201 Created\nLocation: " B
         "/x\nContent-Type: application/atom+xml;type=entry\n\n<id>" B "/x</id>\n--b--\n"},
        {"--b\r\nContent-Type: multipart/mixed; boundary=\"c\"\r\nContent-Length: 96\r\n\r\n"
         "--c\r\nContent-Type: application/json\r\n\r\n[{\"uri\":\"" S "/\"}]\r\n--c--\r\n"
         "\r\n--b--\r\n",
         "--b\r\nContent-Type: multipart/mixed; boundary=\"c\"\r\nContent-Length: 82\r\n\r\n"
         "--c\r\nContent-Type: application/json\r\n\r\n[{\"uri\":\"" B "/\"}]\r\n--c--\r\n"
         "\r\n--b--\r\n"},
        {"--b\r\nContent-Type: text/plain\r\n\r\n{\"uri\":\"" S "\"}\r\n--bc\r\n--b--",
         "--b\r\nContent-Type: text/plain\r\n\r\n{\"uri\":\"" S "\"}\r\n--bc\r\n--b--"},
        {"--b\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n{\"uri\":\"" S
         "\"}\r\n--b--",
         "--b\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n{\"uri\":\"" S
         "\"}\r\n--b--"},
        {"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nLocation: " S
         "/x\r\nTRANSFER-ENCODING : chunked\r\nContent-Type: application/json\r\n\r\n"
         "2d\r\n{\"uri\":\"" S "/\"}\r\n0\r\n\r\n\r\n--b--",
         "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nLocation: " B
         "/x\r\nTRANSFER-ENCODING : chunked\r\nContent-Type: application/json\r\n\r\n"
         "2d\r\n{\"uri\":\"" S "/\"}\r\n0\r\n\r\n\r\n--b--"},
        {"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nLocation: " S
         "/x\r\nContent-Encoding: gzip\r\nContent-Type: text/xml\r\n\r\n<id>" S "</id>\r\n--b--",
         "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nLocation: " B
         "/x\r\nContent-Encoding: gzip\r\nContent-Type: text/xml\r\n\r\n<id>" S "</id>\r\n--b--"},
        {"--b\r\nContent-Type: application/http\r\nTransfer-Encoding: chunked\r\n\r\n"
         "HTTP/1.1 200 OK\r\nLocation: " S "/x\r\n\r\n\r\n--b--",
         "--b\r\nContent-Type: application/http\r\nTransfer-Encoding: chunked\r\n\r\n"
         "HTTP/1.1 200 OK\r\nLocation: " S "/x\r\n\r\n\r\n--b--"},
        {"--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Encoding: gzip\r\n\r\n"
         "--c\r\nContent-Type: text/xml\r\n\r\n<id>" S "</id>\r\n--c--\r\n--b--",
         "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Encoding: gzip\r\n\r\n"
         "--c\r\nContent-Type: text/xml\r\n\r\n<id>" S "</id>\r\n--c--\r\n--b--"},
        {"--b\r\nContent-Type: application/json\r\n\r\n{\"uri\":\"" S "/never ended\"}",
         "--b\r\nContent-Type: application/json\r\n\r\n{\"uri\":\"" B "/never ended\"}"},
        {"--b\r\nContent-Type: text/xml\r\n\r\n<id>" S "</id>\r\n--b--\r\n--b\r\n"
         "Content-Type: text/xml\r\n\r\n<id>" S "</id>\r\n--b--",
         "--b\r\nContent-Type: text/xml\r\n\r\n<id>" B "</id>\r\n--b--\r\n--b\r\n"
         "Content-Type: text/xml\r\n\r\n<id>" S "</id>\r\n--b--"},
        {"--b\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"c\"\r\n\r\n--c \t\r\nContent-Type "
         ":\r\n"
         " application/json ; charset=UTF-8\r\n\r\n{\"uri\":\"" S "\"}\r\n--c--\r\n--b--",
         "--b\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"c\"\r\n\r\n--c \t\r\nContent-Type "
         ":\r\n"
         " application/json ; charset=UTF-8\r\n\r\n{\"uri\":\"" B "\"}\r\n--c--\r\n--b--"},
        {"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\nLink: <" S
         "/x>;rel=next\r\nOData-EntityID: " S "/y\r\nDataServiceId:" S "/z\r\nX-Other: " S
         "\r\n--b--",
         "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\nLink: <" B
         "/x>;rel=next\r\nOData-EntityID: " B "/y\r\nDataServiceId:" B "/z\r\nX-Other: " S
         "\r\n--b--"},
        {"--b", "--b"},
        {"--b--", "--b--"},
        {"--b\n\n--b\n--b--\n", "--b\n\n--b\n--b--\n"},
        {"", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check("multipart/mixed; x=y; boundary=b", cases[i][0], cases[i][1]);
}

static char *make_part(bool nested, const char *length, const char *url)
{
    if (!nested)
        return mem_format("--b\r\nContent-Length:%s \r\nContent-Type: application/json\r\n\r\n"
                          "{\"uri\":\"%s\"}\r\n--b--",
                          length, url);
    return mem_format("--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n"
                      "Content-Type: application/json\r\nContent-Length:%s \r\n\r\n"
                      "{\"uri\":\"%s\"}\r\n--b--",
                      length, url);
}

/* They change by as much as the content, or not at all. */
TEST(lengths_of_parts_that_are_not_right)
{
    static const char *const lengths[][2] = {
        {"45", "31"},   {"47", "33"},   {"999", "985"},
        {"14", "0"},    {"13", "13"},   {"", ""},
        {"-1", "-1"},   {"###", "###"}, {"0x20", "0x20"},
        {"1e3", "1e3"}, {"045", "31"},  {"99999999999999999999", "99999999999999999999"},
    };

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
        for (int nested = 0; nested < 2; nested++) {
            char *text = make_part(nested == 1, lengths[i][0], S),
                 *want = make_part(nested == 1, lengths[i][1], B),
                 *relative = make_part(nested == 1, lengths[i][0], "User('a')");
            check("multipart/mixed;boundary=b", text, want);
            check("multipart/mixed;boundary=b", relative, relative);
            free(text);
            free(want);
            free(relative);
        }
}

/* Where the caller's own base is replaced. */
static const struct link_place caller = {{"http://localhost", 16}, 8080, 8080};
static const struct link_rules back = {&caller, 1, "https://api4.successfactors.com",
                                       "https:\\/\\/api4.successfactors.com"};

#define H    "https://api4.successfactors.com"
#define PART "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"

TEST(requests_of_a_batch)
{
    static const char *const cases[][2] = {
        {PART "GET " B "/odata/v2/User HTTP/1.1\r\nHost: localhost:8080\r\n\r\n\r\n--b--\r\n", PART
         "GET " H "/odata/v2/User HTTP/1.1\r\nHost: api4.successfactors.com\r\n\r\n\r\n--b--\r\n"},
        {PART "GET " B "/User?$filter=a eq '" B "' HTTP/1.1\r\n--b--",
         PART "GET " H "/User?$filter=a eq '" B "' HTTP/1.1\r\n--b--"},
        {PART "POST  " B "  HTTP/1.1\nHOST:LOCALHOST:8080 \n\n--b--",
         PART "POST  " H "  HTTP/1.1\nHOST:api4.successfactors.com \n\n--b--"},
        {PART "GET " B "\r\n--b--", PART "GET " H "\r\n--b--"},
        {"--b\r\nContent-Length: 79\r\ncontent-type: APPLICATION/HTTP; msgtype=request\r\n\r\n"
         "DELETE " B "/User('a') HTTP/1.1\r\nIf-Match: W/\"" B "\"\r\n\r\n\r\n--b--",
         "--b\r\nContent-Length: 89\r\ncontent-type: APPLICATION/HTTP; msgtype=request\r\n\r\n"
         "DELETE " H "/User('a') HTTP/1.1\r\nIf-Match: W/\"" B "\"\r\n\r\n\r\n--b--"},
        {PART
         "PUT $1/manager HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 39\r\n\r\n"
         "{\"m@odata.bind\":\"" B "/a\"}\r\n--b--",
         PART
         "PUT $1/manager HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 49\r\n\r\n"
         "{\"m@odata.bind\":\"" H "/a\"}\r\n--b--"},
        {PART "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: localhost:8080\r\n"
              "Content-Type: application/json\r\n\r\n23\r\n{\"uri\":\"" B "\"}\r\n0\r\n\r\n--b--",
         PART "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: api4.successfactors.com\r\n"
              "Content-Type: application/json\r\n\r\n23\r\n{\"uri\":\"" B "\"}\r\n0\r\n\r\n--b--"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_with("multipart/mixed; boundary=b", &back, LINK_BATCH_PART, cases[i][0], cases[i][1],
                   false);
}

TEST(requests_of_a_batch_that_name_another_place)
{
    static const char *const cases[] = {
        PART "GET /odata/v2/User HTTP/1.1\r\nHost: localhost\r\n\r\n\r\n--b--",
        PART "GET http://localhost:80801/User HTTP/1.1\r\nHost: localhost:80801\r\n\r\n\r\n--b--",
        PART "GET User?x=" B
             " HTTP/1.1\r\nHost: xlocalhost:8080\r\nContent-Length: 007\r\n\r\n\r\n--b--",
        PART
        "GET https://localhost:8080/ HTTP/1.1\r\nHost: localhost:8080/\r\nHost:\r\nHost\r\n--b--",
        PART "HTTP/1.1 " B "\r\n\r\n--b--",
        PART "GET\r\n\r\n\r\n--b--",
        PART "GET \r\n\r\n\r\n--b--",
        PART " \r\n\r\n\r\n--b--",
        PART "\r\n--b--",
        PART "--b--",
        "--b\r\nGET " B "/x HTTP/1.1\r\n\r\nHost: localhost:8080\r\n--b--",
        "--b" PART "--b--",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_with("multipart/mixed; boundary=b", &back, LINK_BATCH_PART, cases[i], cases[i],
                   false);
}

/* Larger than the bound, which is 250 here. */
#define F50  "01234567890123456789012345678901234567890123456789"
#define FILL F50 F50 F50 F50 F50

TEST(large_parts_go_by)
{
    static const struct {
        const struct link_rules *rules;
        const char *text, *want;
        bool left;
    } cases[] = {
        /* without a length: as small ones */
        {&rules,
         "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: "
         "text/xml\r\nLocation: " S "\r\n\r\n<a><id>" S "/1</id>" FILL "<id>" S
         "/2</id></a>\r\n--b\r\nContent-Type: text/xml\r\n\r\n<id>" S "</id>\r\n--b--",
         "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: "
         "text/xml\r\nLocation: " B "\r\n\r\n<a><id>" B "/1</id>" FILL "<id>" B
         "/2</id></a>\r\n--b\r\nContent-Type: text/xml\r\n\r\n<id>" B "</id>\r\n--b--",
         false},
        {&back,
         "--b\r\nContent-Type: application/json\r\n\r\n{\"uri\":\"" B "/1\",\"note\":\"" FILL
         "\",\"uri\":[\"" FILL "\",\"" B "/2\"]}\r\n--b--",
         "--b\r\nContent-Type: application/json\r\n\r\n{\"uri\":\"" H "/1\",\"note\":\"" FILL
         "\",\"uri\":[\"" FILL "\",\"" H "/2\"]}\r\n--b--",
         false},
        /* shorter links: blanks make up for them */
        {&rules,
         "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nLocation: " S
         "\r\nContent-Type: application/json\r\nContent-Length: 353\r\n\r\n{\"uri\":\"" S
         "/1\",\"note\":\"" FILL "\",\"uri\":\"" S "/2\"}\r\n--b--",
         "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nLocation: " B
         "\r\nContent-Type: application/json\r\nContent-Length: 353\r\n\r\n{\"uri\":\"" B
         "/1\",\"note\":\"" FILL "\",\"uri\":\"" B "/2\"}                            \r\n--b--",
         false},
        {&rules,
         "--b\r\nContent-Length: 472\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 "
         "OK\r\nLocation: " S
         "\r\nContent-Type: application/json\r\nContent-Length: 353\r\n\r\n{\"uri\":\"" S
         "/1\",\"note\":\"" FILL "\",\"uri\":\"" S "/2\"}\r\n--b--",
         "--b\r\nContent-Length: 458\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 "
         "OK\r\nLocation: " B
         "\r\nContent-Type: application/json\r\nContent-Length: 353\r\n\r\n{\"uri\":\"" B
         "/1\",\"note\":\"" FILL "\",\"uri\":\"" B "/2\"}                            \r\n--b--",
         false},
        {&rules,
         "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: "
         "389\r\n\r\n--c\r\nContent-Type: text/xml\r\nContent-Length: 44\r\n\r\n<id>" S
         "</id>\r\n--c\r\nContent-Type: text/plain\r\n\r\n" FILL "\r\n--c--\r\n\r\n--b--",
         "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: "
         "389\r\n\r\n--c\r\nContent-Type: text/xml\r\nContent-Length: 30\r\n\r\n<id>" B
         "</id>\r\n--c\r\nContent-Type: text/plain\r\n\r\n" FILL
         "\r\n--c--\r\n              \r\n--b--",
         false},
        {&rules,
         "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: "
         "610\r\n\r\n--c\r\nContent-Length: 551\r\nContent-Type: text/xml\r\n\r\n<a>" FILL "<id>" S
         "</id>" FILL "</a>\r\n--c--\r\n--b--",
         "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: "
         "610\r\n\r\n--c\r\nContent-Length: 551\r\nContent-Type: text/xml\r\n\r\n<a>" FILL "<id>" B
         "</id>" FILL "</a>              \r\n--c--\r\n--b--",
         false},
        /* longer links, one of them at the beginning: no length */
        {&back,
         "--b\r\nContent-Type: application/http\r\n\r\nPOST " B
         "/a HTTP/1.1\r\nContent-Length: 314\r\nContent-Type: text/xml\r\n\r\n<id>" B "/1</id>" FILL
         "<id>" B "/2</id>\r\n--b--",
         "--b\r\nContent-Type: application/http\r\n\r\nPOST " H
         "/a HTTP/1.1\r\nContent-Type: text/xml\r\n\r\n<id>" H "/1</id>" FILL "<id>" H
         "/2</id>\r\n--b--",
         false},
        /* none there: as it is, and it is told */
        {&back,
         "--b\r\nContent-Type: application/http\r\n\r\nPOST " B
         "/a HTTP/1.1\r\nContent-Length: 289\r\nContent-Type: text/xml\r\n\r\n<a>" FILL "</a><id>" B
         "/2</id>\r\n--b--",
         "--b\r\nContent-Type: application/http\r\n\r\nPOST " H
         "/a HTTP/1.1\r\nContent-Length: 289\r\nContent-Type: text/xml\r\n\r\n<a>" FILL "</a><id>" B
         "/2</id>\r\n--b--",
         true},
        {&back,
         "--b\r\nContent-Type: application/http\r\n\r\nPOST //a HTTP/1.1\r\nContent-Length: "
         "269\r\nContent-Type: text/xml\r\n\r\n<a>" FILL "</a><id>//2</id>\r\n--b--",
         "--b\r\nContent-Type: application/http\r\n\r\nPOST //a HTTP/1.1\r\nContent-Length: "
         "269\r\nContent-Type: text/xml\r\n\r\n<a>" FILL "</a><id>//2</id>\r\n--b--",
         false},
        {&back,
         "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: "
         "355\r\n\r\n--c\r\nContent-Type: text/plain\r\n\r\n" FILL
         "\r\n--c\r\nContent-Type: text/xml\r\n\r\n<id>" B "</id>\r\n--c--\r\n\r\n--b--",
         "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: "
         "355\r\n\r\n--c\r\nContent-Type: text/plain\r\n\r\n" FILL
         "\r\n--c\r\nContent-Type: text/xml\r\n\r\n<id>" B "</id>\r\n--c--\r\n\r\n--b--",
         true},
        {&back,
         "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: "
         "576\r\n\r\n--c\r\nContent-Type: text/xml\r\n\r\n<a>" FILL FILL "<id>" B
         "</id></a>\r\n--c--\r\n\r\n--b--",
         "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: "
         "576\r\n\r\n--c\r\nContent-Type: text/xml\r\n\r\n<a>" FILL FILL "<id>" B
         "</id></a>\r\n--c--\r\n\r\n--b--",
         true},
        /* what is no part of it */
        {&rules, FILL "\r\n--b\r\n\r\n--b--\r\nContent-Type: text/xml\r\n\r\n<id>" S "</id>" FILL,
         FILL "\r\n--b\r\n\r\n--b--\r\nContent-Type: text/xml\r\n\r\n<id>" S "</id>" FILL, false},
        {&rules,
         "--b\r\nX-Long: " FILL "\r\nLocation: " S "\r\nContent-Type: text/xml\r\n\r\n<id>" S
         "</id>\r\n--b\r\nContent-Type: text/plain\r\n\r\n" FILL "\r\n--bc\r\n--b",
         "--b\r\nX-Long: " FILL "\r\nLocation: " S "\r\nContent-Type: text/xml\r\n\r\n<id>" S
         "</id>\r\n--b\r\nContent-Type: text/plain\r\n\r\n" FILL "\r\n--bc\r\n--b",
         false},
        /* one that does not end */
        {&rules, "--b\r\nContent-Type: text/xml\r\n\r\n" FILL "<id>" S "</id>",
         "--b\r\nContent-Type: text/xml\r\n\r\n" FILL "<id>" B "</id>", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_with("multipart/mixed; boundary=b", cases[i].rules, 250, cases[i].text, cases[i].want,
                   cases[i].left);
}

/* One message in another is none of a batch, however many there are. */
TEST(messages_within_messages)
{
    struct buf text = {0}, out = {0};

    buf_add_string(&text, "--b\r\n");
    while (text.n < LINK_BATCH_PART - 100)
        buf_add_string(&text, "Content-Type: application/http\n\n");
    buf_add_string(&text, "<id>" S "</id>\r\n--b--");
    (void)rewrite("multipart/mixed;boundary=b", &rules, LINK_BATCH_PART, buf_slice(&text), text.n,
                  &out);
    CHECK(slice_eq(buf_slice(&out), buf_slice(&text)));
    buf_free(&text);
    buf_free(&out);
}

/* However much comes, no more than a turn and a part go out at once. */
TEST(output_is_bounded)
{
    struct buf text = {0}, out = {0};
    struct link_batch *b =
        link_batch_new(SLICE("multipart/mixed;boundary=b"), &rules, LINK_BATCH_PART);
    size_t total = 0;

    buf_add_string(&text,
                   "--b\r\nContent-Length: 9999999\r\nContent-Type: application/json\r\n\r\n[");
    while (text.n < 8 * LINK_BATCH_PART)
        buf_add_string(&text, "{\"uri\":\"" S "\"},");
    buf_add_string(&text, "null]\r\n--b--\r\n");
    struct slice in = buf_slice(&text);
    for (bool more = true; more; total += out.n) {
        out.n = 0;
        more = link_batch_run(b, &in, &out) || in.n > 0 || link_batch_finish(b, &out);
        CHECK(out.n <= 2 * LINK_BATCH_PART);
        CHECK(total < LINK_BATCH_PART || out.n <= 3 * LINK_BATCH_TURN);
    }
    CHECK_INT(total, text.n, "with blanks for what got shorter");
    link_batch_free(b);
    buf_free(&text);
    buf_free(&out);
}

/* What one batch of 4 MiB costs this process, in microseconds of CPU. */
static double cost_of(const char *boundary, char filling)
{
    enum { SIZE = 4 * 1024 * 1024 };
    char type[128], *text = mem_new(SIZE);
    struct buf out = {0};

    (void)snprintf(type, sizeof(type), "multipart/mixed; boundary=%s", boundary);
    memset(text, filling, SIZE);
    text[0] = 'x'; /* so that no delimiter begins the text */
    buf_reserve(&out, SIZE);
    clock_t start = clock();
    (void)rewrite(type, &rules, LINK_BATCH_PART, (struct slice){text, SIZE}, 32768, &out);
    double us = (double)(clock() - start) * 1e6 / CLOCKS_PER_SEC;
    CHECK(out.n == SIZE && memcmp(out.p, text, SIZE) == 0);
    buf_free(&out);
    free(text);
    return us;
}

/* Of a boundary that is its own overlap, one begins at each byte of such a text. */
TEST(boundary_of_dashes_costs_as_much_as_any)
{
    static const char dashes[] = "---------------------------------------------------------------";
    double any = cost_of("batch", 'y'), alone = cost_of(dashes, '-');

    CHECK_MSG(alone < 10 * any + 50000, "%.0f us, %.0f us for dashes", any, alone);
}

TEST(types_and_boundaries)
{
    CHECK(link_batch_is(slice_of("Multipart/Mixed;boundary=batch_1(2)")));
    CHECK(!link_batch_is(slice_of("multipart/mixed")));
    CHECK(!link_batch_is(slice_of("multipart/mixed; boundary=")));
    CHECK(!link_batch_is(slice_of("multipart/related; boundary=b")));
    CHECK(!link_batch_is(slice_of("multipart/mixed; boundary="
                                  "12345678901234567890123456789012345678901234567890"
                                  "123456789012345678901")));
    CHECK(link_batch_new(slice_of("text/plain"), &rules, LINK_BATCH_PART) == NULL);
}
