#include <stdlib.h>

#include "base/mem.h"
#include "head_reader.h"
#include "http/edit.h"

static const struct edit_response_rules no_rules;

static const struct edit_header extra[] = {{"X-Thing", "value"}, {"Accept", "*/*"}};
static const struct edit_rules plain_rules = {.host = "server", .company_id = "ACME"};
static const struct edit_rules full_rules = {.host = "server:444",
                                             .company_id = "ACME",
                                             .headers = extra,
                                             .nheaders = 2,
                                             .keep_authorization = true};

#define COMPANY "successfactors-companyid: ACME\r\n\r\n"

static const struct {
    const char *name, *in, *out;
    const struct edit_rules *rules;
} requests[] = {
    {"host and company", "GET /a?b HTTP/1.1\r\nHost: localhost:8080\r\n\r\n",
     "GET /a?b HTTP/1.1\r\nHost: server\r\n" COMPANY, &plain_rules},
    {"case and order are kept", "GET / HTTP/1.1\r\nx-B: 1\r\nHOST: h\r\nX-a: 2\r\nx-B: 3\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: server\r\nx-B: 1\r\nX-a: 2\r\nx-B: 3\r\n" COMPANY, &plain_rules},
    {"1.0 becomes 1.1", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: server\r\n" COMPANY, &plain_rules},
    {"hop by hop",
     "GET / HTTP/1.1\r\nHost: h\r\nConnection: close, X-Hop , keep-alive\r\nX-Hop: "
     "1\r\nKeep-Alive: 5\r\n"
     "TE: trailers\r\nProxy-Connection: a\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nX-Stays: "
     "1\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: server\r\nX-Stays: 1\r\n" COMPANY, &plain_rules},
    {"what speaks for others",
     "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic x\r\nProxy-Authorization: "
     "y\r\nProxy-Anything: z\r\n"
     "Proxy_Thing: z\r\nX-CLIENT-CERT: c\r\nx_client_cert: c\r\nProxy-Status: sfmtls\r\nVia: 1.1 "
     "x\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: server\r\nVia: 1.1 x\r\n" COMPANY, &plain_rules},
    {"the company is sent once",
     "GET / HTTP/1.1\r\nHost: h\r\nSuccessFactors-CompanyId: ACME\r\nsuccessfactors_companyid: "
     "ACME\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: server\r\n" COMPANY, &plain_rules},
    {"framing is written anew", "POST / HTTP/1.1\r\nHost: h\r\ncontent-LENGTH: 0012\r\n\r\n",
     "POST / HTTP/1.1\r\nHost: server\r\ncontent-LENGTH: 12\r\n" COMPANY, &plain_rules},
    {"chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\nTrailer: X\r\n\r\n",
     "POST / HTTP/1.1\r\nHost: server\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n" COMPANY,
     &plain_rules},
    {"further headers replace, Authorization is kept",
     "GET / HTTP/1.1\r\nHost: h\r\naccept: text/html\r\nAuthorization: Bearer x\r\nx-thing: "
     "mine\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: server:444\r\nAuthorization: Bearer x\r\nsuccessfactors-companyid: "
     "ACME\r\n"
     "X-Thing: value\r\nAccept: */*\r\n\r\n",
     &full_rules},
    {"one forwarder less", "OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 010\r\n\r\n",
     "OPTIONS / HTTP/1.1\r\nHost: server\r\nMax-Forwards: 9\r\n" COMPANY, &plain_rules},
    {"more forwarders than can be counted",
     "OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 99999999999999999999\r\n\r\n",
     "OPTIONS / HTTP/1.1\r\nHost: server\r\nMax-Forwards: 18446744073709551614\r\n" COMPANY,
     &plain_rules},
    {"forwarders are counted for OPTIONS only",
     "GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 010\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: server\r\nMax-Forwards: 010\r\n" COMPANY, &plain_rules},
    {"Expect goes on",
     "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
     "PUT / HTTP/1.1\r\nHost: server\r\nExpect: 100-continue\r\nContent-Length: 1\r\n" COMPANY,
     &plain_rules},
    {"absolute-form becomes origin-form", "GET http://h:80?x HTTP/1.1\r\nHost: other\r\n\r\n",
     "GET /?x HTTP/1.1\r\nHost: server\r\n" COMPANY, &plain_rules},
    {"Connection in several fields",
     "GET / HTTP/1.1\r\nHost: h\r\nConnection: A\r\nA: 1\r\nB: 2\r\nconnection: ,,B,\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: server\r\n" COMPANY, &plain_rules},
};

TEST(requests_are_edited)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct head *h = read_request(requests[i].in);
        struct target t;
        struct failure why;
        struct buf out = {0};
        CHECK(target_parse(h, &t, &why));
        edit_request(&out, h, &t, requests[i].rules);
        CHECK_SLICE(buf_slice(&out), requests[i].out, requests[i].name);
        buf_free(&out);
        head_free(h);
    }
}

/* `sfmtls explain` gives a reason for whatever is left out: so there has to be one for each class
 * of fields that a request, or a rule, can have taken out. */
TEST(what_is_left_out_has_a_reason)
{
    static const char *const names[] = {"Connection",
                                        "Keep-Alive",
                                        "TE",
                                        "Upgrade",
                                        "HTTP2-Settings",
                                        "Proxy-Connection",
                                        "Proxy-Authorization",
                                        "Proxy-Thing",
                                        "Proxy-Status",
                                        "Host",
                                        "Authorization",
                                        "successfactors_companyid",
                                        "X-Client-Cert",
                                        "X-Sfmtls-Token",
                                        "X-Forwarded-For",
                                        "Expect",
                                        "Content-Length",
                                        "Content-MD5",
                                        "Range",
                                        "Origin",
                                        "Sec-Fetch-Site",
                                        "Access-Control-Request-Method"};
    struct edit_rules rules = plain_rules;

    rules.body = EDIT_BODY_LATER;
    rules.drop = field_bit(FIELD_RANGE) | field_bit(FIELD_ORIGIN) |
                 field_bit(FIELD_SEC_FETCH_SITE) | field_bit(FIELD_CORS);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *text = mem_format("GET / HTTP/1.0\r\n%s: 1\r\n\r\n", names[i]);
        struct buf out = {0};
        struct head *h = read_request(text);
        edit_request_field(&out, h, &h->fields[0], &rules);
        CHECK_SLICE(buf_slice(&out), "", names[i]);
        CHECK(*edit_reason(h, &h->fields[0], &rules) != '\0');
        head_free(h);
        free(text);
    }
}

TEST(heads_of_collected_bodies_are_finished_later)
{
    static const struct edit_rules rules = {
        .host = "s", .company_id = "A", .body = EDIT_BODY_LATER};
    static const char *const ends[] = {
        "Content-Length: 12\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n",
        "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct head *h = read_request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                                      "Expect: 100-continue\r\nContent-MD5: x\r\nX: y\r\n\r\n");
        struct target t;
        struct failure why;
        struct buf out = {0};
        CHECK(target_parse(h, &t, &why));
        edit_request(&out, h, &t, &rules);
        if (i == 0)
            edit_finish_head(&out, 12);
        else
            edit_finish_head_chunked(&out, i == 2);
        char *want = mem_format("POST / HTTP/1.1\r\nHost: s\r\nX: y\r\n"
                                "successfactors-companyid: A\r\n%s",
                                ends[i]);
        CHECK_SLICE(buf_slice(&out), want, "");
        free(want);
        buf_free(&out);
        head_free(h);
    }
}

TEST(fields_leave_a_head_that_is_written)
{
    static const char *const cases[][2] = {
        {"GET /Range: HTTP/1.1\r\nHost: s\r\nRange: a\r\nX: Range: b\r\nif-RANGE: c\r\n\r\n",
         "GET /Range: HTTP/1.1\r\nHost: s\r\nX: Range: b\r\n\r\n"},
        {"GET / HTTP/1.1\r\nRange: a\r\nrange: b\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
        {"GET / HTTP/1.1\r\nX-Range: a\r\nRanges: b\r\n\r\n",
         "GET / HTTP/1.1\r\nX-Range: a\r\nRanges: b\r\n\r\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf head = {0};
        buf_add_string(&head, cases[i][0]);
        edit_drop_fields(&head, field_bit(FIELD_RANGE));
        CHECK_SLICE(buf_slice(&head), cases[i][1], "");
        buf_free(&head);
    }
}

TEST(connection_may_not_name_what_a_request_needs)
{
    static const struct {
        const char *options;
        bool sound;
    } cases[] = {
        {"close", true},
        {"keep-alive, TE, X", true},
        {"Host", false},
        {"close, HOST", false},
        {"Content-Length", false},
        {"transfer-encoding", false},
        {"Cookie", false},
        {"successfactors-companyid", false},
        {"successfactors_companyid", false},
        {"Authorization", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text =
            mem_format("GET / HTTP/1.1\r\nHost: h\r\nConnection: %s\r\n\r\n", cases[i].options);
        struct head *h = read_request(text);
        struct failure why = {.id = FAIL_NONE};
        CHECK_INT(edit_connection_is_sound(h, &why), cases[i].sound, cases[i].options);
        if (!cases[i].sound)
            CHECK_INT(why.id, FAIL_REQUEST_MALFORMED, cases[i].options);
        head_free(h);
        free(text);
    }
}

static const struct {
    const char *name, *in, *out;
    enum framing body;
    enum persistence persistence;
} responses[] = {
    {"as it is",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-a: 1\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-a: 1\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n",
     FRAMING_LENGTH, PERSIST_DEFAULT},
    {"hop by hop",
     "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: "
     "1\r\nUpgrade: h2\r\n"
     "Proxy-Authenticate: Basic\r\nProxy-Connection: x\r\nTE: x\r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", FRAMING_NONE, PERSIST_DEFAULT},
    {"chunked, closing", "HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\n",
     "HTTP/1.1 404 Not Found\r\nServer: x\r\nTransfer-Encoding: chunked\r\nConnection: "
     "close\r\n\r\n",
     FRAMING_CHUNKED, PERSIST_CLOSE},
    {"to a caller of 1.0", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", FRAMING_LENGTH,
     PERSIST_KEEP_ALIVE},
    {"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
     "HTTP/1.1 204 No Content\r\n\r\n", FRAMING_NONE, PERSIST_DEFAULT},
    {"304 keeps its length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", FRAMING_NONE, PERSIST_DEFAULT},
    {"1xx", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n",
     "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", FRAMING_NONE, PERSIST_DEFAULT},
    {"reason", "HTTP/1.1 200 \xc3\xa4\t!\r\n\r\n", "HTTP/1.1 200 \?\?\?!\r\n\r\n", FRAMING_CLOSE,
     PERSIST_DEFAULT},
    {"nobody else speaks as this proxy",
     "HTTP/1.1 502 X\r\nProxy-Status: a; error=b, sfmtls; error=c, \"sfmtls\", d; details=\"x, "
     "sfmtls\"\r\n\r\n",
     "HTTP/1.1 502 X\r\nProxy-Status: a; error=b, d; details=\"x, sfmtls\"\r\n\r\n", FRAMING_NONE,
     PERSIST_DEFAULT},
    {"not even alone", "HTTP/1.1 502 X\r\nProxy-Status:  SFMTLS ; error=x\r\nA: b\r\n\r\n",
     "HTTP/1.1 502 X\r\nA: b\r\n\r\n", FRAMING_NONE, PERSIST_DEFAULT},
    {"an unclosed string", "HTTP/1.1 502 X\r\nProxy-Status: a; b=\"c, sfmtls\\\r\n\r\n",
     "HTTP/1.1 502 X\r\n\r\n", FRAMING_NONE, PERSIST_DEFAULT},
    {"a response may not take its framing back",
     "HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", FRAMING_LENGTH, PERSIST_DEFAULT},
};

TEST(responses_are_edited)
{
    for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
        struct buf out = {0};
        struct head *h = read_response(responses[i].in);
        edit_response(&out, h, responses[i].body, responses[i].persistence, &no_rules);
        CHECK_SLICE(buf_slice(&out), responses[i].out, responses[i].name);
        buf_free(&out);
        head_free(h);
    }
}
