#include <stdlib.h>

#include "base/mem.h"
#include "http/h1_reader.h"
#include "test.h"

#define OK "GET / HTTP/1.1\r\nHost: h\r\n"

struct vector {
    const char *name, *bytes;
    enum fail want; /* FAIL_NONE: accepted */
};

static const struct vector requests[] = {
    {"plain", OK "\r\n", FAIL_NONE},
    {"empty value", OK "X:\r\n\r\n", FAIL_NONE},
    {"blanks around a value", OK "X: \t a \t\r\n\r\n", FAIL_NONE},
    {"bytes over 0x7f in a value", OK "X: \xc3\xa4\xff\r\n\r\n", FAIL_NONE},
    {"one empty line first", "\r\n" OK "\r\n", FAIL_NONE},
    {"two empty lines first", "\r\n\r\n" OK "\r\n", FAIL_NONE},
    {"three empty lines first", "\r\n\r\n\r\n" OK "\r\n", FAIL_REQUEST_MALFORMED},
    {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", FAIL_NONE},
    {"OData's MERGE", "MERGE /x HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_NONE},

    {"bare LF ends a line", "GET / HTTP/1.1\nHost: h\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"bare LF ends a field", "GET / HTTP/1.1\r\nHost: h\n\r\n", FAIL_REQUEST_MALFORMED},
    {"bare LF ends the head", OK "\n", FAIL_REQUEST_MALFORMED},
    {"bare LF first", "\n" OK "\r\n", FAIL_REQUEST_MALFORMED},
    {"bare CR in a value", OK "X: a\rb\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"bare CR in the first line", "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_TARGET},
    {"vertical tab in a value", OK "X: a\vb\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"DEL in a value", OK "X: a\x7f\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"blank before the colon", OK "X : a\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"blank in a name", OK "X Y: a\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"first field begins with a blank", "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
     FAIL_REQUEST_MALFORMED},
    {"folded line", OK "X: a\r\n b\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"folded with a tab", OK "X: a\r\n\tb\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"no colon", OK "X\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"no name", OK ": a\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"name with a byte over 0x7f", OK "\xc3: a\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"TLS on the plain port", "\x16\x03\x01\x02", FAIL_REQUEST_MALFORMED},
    {"binary junk behind empty lines", "\r\n\r\n\x80", FAIL_REQUEST_MALFORMED},
    {"binary junk", "\x80\x80\x80", FAIL_REQUEST_MALFORMED},

    {"CL and TE", OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     FAIL_REQUEST_AMBIGUOUS},
    {"TE and CL", OK "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
     FAIL_REQUEST_AMBIGUOUS},
    {"two CL", OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"two equal CL", OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"CL list", OK "Content-Length: 1, 1\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"CL with sign", OK "Content-Length: +1\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"negative CL", OK "Content-Length: -1\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"hexadecimal CL", OK "Content-Length: 0x1\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"empty CL", OK "Content-Length:\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"CL beyond 63 bits", OK "Content-Length: 9223372036854775808\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"CL that wraps", OK "Content-Length: 18446744073709551617\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"leading zeros", OK "Content-Length: 0005\r\n\r\n", FAIL_NONE},
    {"TE gzip, chunked", OK "Transfer-Encoding: gzip, chunked\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"TE chunked, identity", OK "Transfer-Encoding: chunked, identity\r\n\r\n",
     FAIL_REQUEST_AMBIGUOUS},
    {"TE identity", OK "Transfer-Encoding: identity\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"TE xchunked", OK "Transfer-Encoding: xchunked\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"TE junk,chunked", OK "Transfer-Encoding: JUNK,chunked\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"TE with parameter", OK "Transfer-Encoding: chunked;q=1\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"TE quoted", OK "Transfer-Encoding: \"chunked\"\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"empty TE", OK "Transfer-Encoding:\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"two TE", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     FAIL_REQUEST_AMBIGUOUS},
    {"TE identity then chunked",
     OK "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n",
     FAIL_REQUEST_AMBIGUOUS},
    {"TE in capitals", OK "TRANSFER-ENCODING: CHUNKED\r\n\r\n", FAIL_NONE},
    {"TE on HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
     FAIL_REQUEST_AMBIGUOUS},
    {"TE with a vertical tab", OK "Transfer-Encoding: \vchunked\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"Content_Length", OK "Content_Length: 5\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"Transfer_Encoding", OK "Transfer_Encoding: chunked\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"begins with TE", OK "Transfer-EncodingX: chunked\r\n\r\n", FAIL_REQUEST_AMBIGUOUS},
    {"begins with TE and is long", OK "transfer_encoding-of-mine: x\r\n\r\n",
     FAIL_REQUEST_AMBIGUOUS},
    {"blank and tab behind the length", OK "Content-Length: 1 \t\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"tab behind chunked", OK "Transfer-Encoding: chunked\t\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"begins with CL", OK "Content-LengthX: 5\r\n\r\n", FAIL_NONE},

    {"no Host", "GET / HTTP/1.1\r\nX: a\r\n\r\n", FAIL_REQUEST_HOST},
    {"two Host", OK "Host: h\r\n\r\n", FAIL_REQUEST_HOST},
    {"two Host on 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", FAIL_REQUEST_HOST},

    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", FAIL_REQUEST_VERSION},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", FAIL_REQUEST_VERSION},
    {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", FAIL_REQUEST_VERSION},
    {"HTTP/9.9", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", FAIL_REQUEST_VERSION},
    {"simple request", "GET /\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"http in small letters", "GET / http/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"junk behind the version", "GET / HTTP/1.1 x\r\nHost: h\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"two blanks before the target", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_TARGET},
    {"two blanks behind the target", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_TARGET},
    {"tab for blank", "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"blank in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_TARGET},
    {"fragment", "GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_TARGET},
    {"backslash", "GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_TARGET},
    {"control character in the target", "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n",
     FAIL_REQUEST_TARGET},
    {"DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_TARGET},
    {"to be encoded", "GET /\"<>^`{|}\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_NONE},
    {"no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_MALFORMED},
    {"empty target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_TARGET},
    {"no method", " / HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_MALFORMED},

    {"method in small letters", "get / HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_METHOD_UNKNOWN},
    {"unknown method", "BREW / HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_METHOD_UNKNOWN},
    {"QUERY", "QUERY / HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_METHOD_UNKNOWN},
    {"GETX", "GETX / HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_METHOD_UNKNOWN},
    {"method with a bracket", "GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", FAIL_REQUEST_MALFORMED},
};

#define RESPONSE "HTTP/1.1 200 OK\r\n"

static const struct vector responses[] = {
    {"plain", RESPONSE "\r\n", FAIL_NONE},
    {"no reason", "HTTP/1.1 200\r\n\r\n", FAIL_NONE},
    {"empty reason", "HTTP/1.1 200 \r\n\r\n", FAIL_NONE},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", FAIL_NONE},
    {"CL and TE", RESPONSE "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     FAIL_ANSWER_MALFORMED},
    {"tab behind the length", RESPONSE "Content-Length: 1\t\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank and tab behind the length", RESPONSE "Content-Length: 1 \t\r\n\r\n",
     FAIL_ANSWER_MALFORMED},
    {"tab behind chunked", RESPONSE "Transfer-Encoding: chunked\t\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"a name that begins with Transfer-Encoding",
     RESPONSE "Transfer-encoding-x: a\r\nContent-Length: 1\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"a name that begins with Transfer-Encoding, after it",
     RESPONSE "Transfer-Encoding: chunked\r\nTransfer-encoding-x: a\r\n\r\n",
     FAIL_ANSWER_MALFORMED},
    {"a name that begins with Transfer-Encoding, without a length",
     RESPONSE "Transfer-encoding-x: a\r\n\r\n", FAIL_NONE},
    {"blank behind the length", RESPONSE "Content-Length: 1 \r\n\r\n", FAIL_NONE},
    {"tab behind another value", RESPONSE "X: 1\t\r\nContent-Length: 1\r\n\r\n", FAIL_NONE},
    {"two CL", RESPONSE "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"TE gzip", RESPONSE "Transfer-Encoding: gzip\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"TE chunked, identity", RESPONSE "Transfer-Encoding: chunked, identity\r\n\r\n",
     FAIL_ANSWER_MALFORMED},
    {"TE on HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     FAIL_ANSWER_MALFORMED},
    {"status 0", "HTTP/1.1 000 X\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"status 99", "HTTP/1.1 099 X\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"status 600", "HTTP/1.1 600 X\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"status of two digits", "HTTP/1.1 20 X\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"status of four digits", "HTTP/1.1 2000 X\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"no HTTP at all", "SSH-2.0-OpenSSH\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"its beginning is enough", "S", FAIL_ANSWER_MALFORMED},
    {"an empty line first", "\r\n" RESPONSE "\r\n", FAIL_ANSWER_MALFORMED},
    {"bare LF", "HTTP/1.1 200 OK\n\n", FAIL_ANSWER_MALFORMED},
    {"folded line", RESPONSE "X: a\r\n b\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"control character in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blanks before a colon", RESPONSE "X : a\r\nY \t \t: b\r\n\r\n", FAIL_NONE},
    {"no name before the blank", RESPONSE "X: a\r\n : b\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank inside a name", RESPONSE "X Y: a\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank inside and behind a name", RESPONSE "X Y : a\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"vertical tab before a colon", RESPONSE "X\v: a\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank behind Content-Length", RESPONSE "Content-Length : 1\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"tab behind Content-Length", RESPONSE "content-length\t: 1\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank behind Content_Length", RESPONSE "Content_Length : 1\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank behind Transfer-Encoding", RESPONSE "Transfer-Encoding : chunked\r\n\r\n",
     FAIL_ANSWER_MALFORMED},
    {"blank behind Transfer_Encoding", RESPONSE "Transfer_Encoding : chunked\r\n\r\n",
     FAIL_ANSWER_MALFORMED},
    {"blank behind Connection", RESPONSE "Connection : close\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank behind Keep-Alive", RESPONSE "Keep-Alive : timeout=5\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank behind Proxy-Connection", RESPONSE "Proxy-Connection : close\r\n\r\n",
     FAIL_ANSWER_MALFORMED},
    {"blank behind Upgrade", RESPONSE "Upgrade : h2c\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank behind TE", RESPONSE "TE : trailers\r\n\r\n", FAIL_ANSWER_MALFORMED},
    {"blank behind Trailer", RESPONSE "Trailer : X\r\n\r\n", FAIL_ANSWER_MALFORMED},
};

typedef enum h1_result reader_function(struct h1_reader *r, const struct h1_limits *limits,
                                       struct slice bytes, struct head *head, size_t *used,
                                       struct failure *why);

/* Feeds bytes in portions of step; each must come to the same result. */
static void check_vector(reader_function *read, const struct vector *v, size_t step)
{
    static const struct h1_limits limits = {65536, 16384};
    struct head *h = head_new(100);
    struct h1_reader r = {0};
    struct failure why = {.id = FAIL_NONE};
    enum h1_result result = H1_MORE;
    size_t used = 0, n = strlen(v->bytes);

    for (size_t have = step < n ? step : n; result == H1_MORE;
         have = have + step < n ? have + step : n) {
        char *copy = mem_copy_bytes(v->bytes, have); /* so that reading beyond it is seen */
        result = read(&r, &limits, (struct slice){copy, have}, h, &used, &why);
        free(copy);
        if (have == n)
            break;
    }
    CHECK_INT(result, v->want == FAIL_NONE ? H1_DONE : H1_REFUSED, v->name);
    CHECK_INT(result == H1_DONE ? FAIL_NONE : why.id, v->want, v->name);
    if (result == H1_DONE)
        CHECK_INT(used, n, v->name);
    head_free(h);
}

TEST(requests_are_read_strictly)
{
    h1_reader_setup();
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        for (size_t step = 1; step <= 64; step *= 4)
            check_vector(h1_read_request, &requests[i], step);
}

TEST(responses_are_read_strictly)
{
    h1_reader_setup();
    for (size_t i = 0; i < ARRAY_LEN(responses); i++)
        for (size_t step = 1; step <= 64; step *= 4)
            check_vector(h1_read_response, &responses[i], step);
}

TEST(nul_is_refused_everywhere)
{
    static const char whole[] = "GET /x HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n";

    h1_reader_setup();
    for (size_t i = 0; i < sizeof(whole) - 1; i++) {
        char bytes[sizeof(whole)];
        struct h1_reader r = {0};
        struct h1_limits limits = {65536, 16384};
        struct head *h = head_new(10);
        struct failure why;
        size_t used;
        memcpy(bytes, whole, sizeof(whole));
        bytes[i] = '\0';
        enum h1_result result =
            h1_read_request(&r, &limits, (struct slice){bytes, sizeof(whole) - 1}, h, &used, &why);
        CHECK_MSG(result != H1_DONE, "NUL at %zu", i);
        head_free(h);
    }
}

TEST(what_was_read)
{
    static const char text[] = "POST /a?b HTTP/1.1\r\nHost: h:1\r\nX-Thing:  v \r\n"
                               "content-length: 12\r\n\r\nbody";
    struct h1_limits limits = {65536, 16384};
    struct h1_reader r = {0};
    struct head *h = head_new(10);
    struct failure why;
    size_t used;

    CHECK_INT(h1_read_request(&r, &limits, slice_of(text), h, &used, &why), H1_DONE, "request");
    CHECK_INT(used, sizeof(text) - 1 - 4, "the body is left");
    CHECK_INT(h->method, METHOD_POST, "method");
    CHECK_SLICE(h->target, "/a?b", "target");
    CHECK_INT(h->nfields, 3, "fields");
    CHECK_SLICE(h->fields[1].name, "X-Thing", "name");
    CHECK_SLICE(h->fields[1].value, "v", "value is trimmed");
    CHECK(h->has_length && !h->chunked);
    CHECK_INT(h->content_length, 12, "length");
    CHECK_SLICE(head_value(h, FIELD_HOST), "h:1", "Host");
    CHECK(head_value(h, FIELD_COOKIE).p == NULL);
    head_free(h);
}

static enum fail read_with(const char *text, size_t max_head, size_t max_fields, size_t max_target)
{
    struct h1_limits limits = {max_head, max_target};
    struct h1_reader r = {0};
    struct head *h = head_new(max_fields);
    struct failure why = {.id = FAIL_NONE};
    size_t used;

    if (h1_read_request(&r, &limits, slice_of(text), h, &used, &why) == H1_MORE)
        why.id = FAIL_COUNT;
    head_free(h);
    return why.id;
}

TEST(limits_hold_exactly)
{
    static const char text[] = "GET /12345 HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
    size_t n = sizeof(text) - 1;
    char long_target[512];

    h1_reader_setup();
    CHECK_INT(read_with(text, n, 2, 6), FAIL_NONE, "all just fits");
    CHECK_INT(read_with(text, n - 1, 2, 6), FAIL_HEAD_TOO_LARGE, "a byte too many");
    CHECK_INT(read_with(text, n, 1, 6), FAIL_HEAD_TOO_LARGE, "a field too many");
    CHECK_INT(read_with(text, n, 2, 5), FAIL_TARGET_TOO_LONG, "the target a byte too long");

    memset(long_target, 'a', sizeof(long_target) - 1);
    memcpy(long_target, "GET /", 5);
    long_target[sizeof(long_target) - 1] = '\0';
    CHECK_INT(read_with(long_target, 65536, 10, 600), FAIL_COUNT, "not known to be too long yet");
    CHECK_INT(read_with(long_target, 65536, 10, 100), FAIL_TARGET_TOO_LONG, "told before its end");
    CHECK_INT(read_with(long_target, 256, 10, 16384), FAIL_TARGET_TOO_LONG, "the head is the line");
}

/* RFC 9112, 5.1: what is passed on has no blank there. */
TEST(blanks_before_a_colon_are_no_part_of_the_name)
{
    static const char text[] = RESPONSE "X-A : 1\r\nX-B:2\r\nset-cookie\t :c=d\r\nX-D : : \r\n\r\n";
    static const char *const want[][2] = {
        {"X-A", "1"}, {"X-B", "2"}, {"set-cookie", "c=d"}, {"X-D", ":"}};
    struct h1_limits limits = {65536, 16384};
    struct h1_reader r = {0};
    struct head *h = head_new(10);
    struct failure why;
    size_t used;

    h1_reader_setup();
    CHECK_INT(h1_read_response(&r, &limits, slice_of(text), h, &used, &why), H1_DONE, "response");
    CHECK_INT(h->nfields, ARRAY_LEN(want), "fields");
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        CHECK_SLICE(h->fields[i].name, want[i][0], "name");
        CHECK_SLICE(h->fields[i].value, want[i][1], "value");
    }
    CHECK(head_has(h, FIELD_SET_COOKIE));
    head_free(h);
}

TEST(trailers_are_read_like_fields)
{
    struct head *h = head_new(2);

    for (int is_answer = 0; is_answer < 2; is_answer++) {
        CHECK(h1_read_trailers(slice_of("A: b\r\nContent-Length: 5\r\n"), is_answer != 0, h));
        CHECK_INT(h->nfields, 2, "both");
        CHECK_INT(h->fields[1].id, FIELD_CONTENT_LENGTH, "known by name");
        CHECK(h1_read_trailers(slice_of(""), is_answer != 0, h));
        CHECK_INT(h->nfields, 0, "none");
        CHECK(!h1_read_trailers(slice_of("A b\r\n"), is_answer != 0, h));
        CHECK(!h1_read_trailers(slice_of("A: 1\r\nB: 2\r\nC: 3\r\n"), is_answer != 0, h));
        CHECK(!h1_read_trailers(slice_of("Content-Length : 5\r\n"), is_answer != 0, h));
    }
    CHECK(!h1_read_trailers(slice_of("A : b\r\n"), false, h));
    CHECK(h1_read_trailers(slice_of("A : b\r\n"), true, h));
    CHECK_SLICE(h->fields[0].name, "A", "without the blank");
    head_free(h);
}
