#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "head_reader.h"
#include "http/body.h"

static const struct body_limits limits = {4096, 20};

/* Runs a whole body through in portions of step; what goes out is appended to out. The rest is what
 * came behind the body. */
static enum body_result run(enum framing in, enum framing to, uint64_t length, struct slice bytes,
                            size_t step, struct buf *out, size_t *rest)
{
    struct body b;
    enum body_result result = BODY_MORE;
    size_t at = 0;

    body_start(&b, in, to, length, &limits);
    while (result == BODY_MORE && at < bytes.n) {
        size_t n = bytes.n - at < step ? bytes.n - at : step;
        char *copy = mem_copy_bytes(bytes.p + at, n);
        struct slice portion = {copy, n};
        do {
            struct gather g = {0};
            result = body_next(&b, &portion, &g);
            for (size_t i = 0; i < g.count; i++)
                buf_add(out, g.pieces[i].iov_base, g.pieces[i].iov_len);
        } while (result == BODY_FULL);
        at += n - portion.n;
        free(copy);
    }
    *rest = bytes.n - at;
    body_free(&b);
    return result;
}

/* Decodes what was written in chunks: the sizes differ with how the input was split. */
static void unchunk(struct buf *b)
{
    struct buf plain = {0};
    struct chunked c = {.max_trailers = 4096};
    struct slice in = buf_slice(b), data;
    enum chunked_result result;

    while ((result = chunked_read(&c, &in, &data)) == CHUNKED_DATA)
        buf_add_slice(&plain, data);
    if (result == CHUNKED_END) {
        buf_add_string(&plain, "|");
        buf_add_slice(&plain, buf_slice(&c.trailers));
    }
    chunked_free(&c);
    buf_free(b);
    *b = plain;
}

static const struct {
    const char *name;
    enum framing in, out;
    uint64_t length;
    const char *bytes,
        *want; /* chunked: the content, then '|' and the trailers if it is complete */
    enum body_result result;
    size_t rest;
} cases[] = {
    {"counted", FRAMING_LENGTH, FRAMING_LENGTH, 5, "helloGET", "hello", BODY_END, 3},
    {"counted, not whole", FRAMING_LENGTH, FRAMING_LENGTH, 5, "hell", "hell", BODY_MORE, 0},
    {"chunked", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nX", "abcde|",
     BODY_END, 1},
    {"chunked, empty", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "0\r\n\r\n", "|", BODY_END, 0},
    {"chunked to close", FRAMING_CHUNKED, FRAMING_CLOSE, 0, "3\r\nabc\r\n0\r\nA: b\r\n\r\n", "abc",
     BODY_END, 0},
    {"chunked, cut", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "3\r\nabc\r\n2\r\nd", "abcd", BODY_MORE,
     0},
    {"close to chunked", FRAMING_CLOSE, FRAMING_CHUNKED, 0, "abc", "abc", BODY_MORE, 0},
    {"sizes in either case, with zeros", FRAMING_CHUNKED, FRAMING_CHUNKED, 0,
     "00A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a|", BODY_END, 0},
    {"extensions are dropped", FRAMING_CHUNKED, FRAMING_CHUNKED, 0,
     "3;a=b;c=\"d\"\r\nabc\r\n0;x\r\n\r\n", "abc|", BODY_END, 0},
    {"blanks behind a size", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "3  \r\nabc\r\n0 ;x\r\n\r\n",
     "abc|", BODY_END, 0},
    {"trailers go on", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "0\r\nA: b\r\nC:d\r\n\r\n",
     "|A: b\r\nC: d\r\n", BODY_END, 0},
    {"framing, routing and identity do not", FRAMING_CHUNKED, FRAMING_CHUNKED, 0,
     "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: x\r\nAuthorization: y\r\n"
     "successfactors-companyid: Z\r\nsuccessfactors_companyid: Z\r\nX-CLIENT-CERT: "
     "c\r\nX_Client_Cert: c\r\n"
     "Connection: a\r\nProxy-Authorization: b\r\nProxy-Status: sfmtls\r\nCookie: k\r\nTrailer: "
     "t\r\n"
     "X-Sum: 1\r\n\r\n",
     "|X-Sum: 1\r\n", BODY_END, 0},

    {"LF in an extension", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "3;a\nabc\r\n0\r\n\r\n", "",
     BODY_BAD, 0},
    {"CR without LF behind a size", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "3\rabc\r\n", "", BODY_BAD,
     0},
    {"LF alone behind a size", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "3\nabc\r\n0\r\n\r\n", "",
     BODY_BAD, 0},
    {"word behind a size", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "1 foo\r\na\r\n0\r\n\r\n", "",
     BODY_BAD, 0},
    {"no size", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "\r\nabc", "", BODY_BAD, 0},
    {"extension without size", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, ";a\r\n", "", BODY_BAD, 0},
    {"sign", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "-1\r\n", "", BODY_BAD, 0},
    {"0x", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "0x1\r\na\r\n", "", BODY_BAD, 0},
    {"blank first", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, " 1\r\na\r\n", "", BODY_BAD, 0},
    {"size of 64 bits and more", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "10000000000000000\r\n", "",
     BODY_BAD, 0},
    {"size over 63 bits", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "8000000000000000\r\n", "", BODY_BAD,
     0},
    {"junk behind a chunk", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "1\r\naXX0\r\n\r\n", "a", BODY_BAD,
     0},
    {"LF alone behind a chunk", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "1\r\na\n0\r\n\r\n", "a",
     BODY_BAD, 0},
    {"trailer without colon", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "0\r\nA b\r\n\r\n", "", BODY_BAD,
     0},
    {"folded trailer", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "0\r\nA: b\r\n c\r\n\r\n", "", BODY_BAD,
     0},
    {"LF alone behind a trailer", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "0\r\nA: b\n\r\n", "",
     BODY_BAD, 0},
    {"NUL-like control in a trailer", FRAMING_CHUNKED, FRAMING_CHUNKED, 0, "0\r\nA: \x01\r\n\r\n",
     "", BODY_BAD, 0},
    {"bad trailer, not to be sent on", FRAMING_CHUNKED, FRAMING_CLOSE, 0, "0\r\nA b\r\n\r\n", "",
     BODY_BAD, 0},
};

TEST(bodies_change_their_framing_only)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t step = 1; step <= 1024; step *= 2) {
            struct buf out = {0};
            size_t rest = 0;
            enum body_result result = run(cases[i].in, cases[i].out, cases[i].length,
                                          slice_of(cases[i].bytes), step, &out, &rest);
            CHECK_INT(result, cases[i].result, cases[i].name);
            if (cases[i].out == FRAMING_CHUNKED)
                unchunk(&out);
            CHECK_SLICE(buf_slice(&out), cases[i].want, cases[i].name);
            if (result == BODY_END)
                CHECK_INT(rest, cases[i].rest, cases[i].name);
            buf_free(&out);
        }
    }
}

TEST(many_small_chunks_become_few)
{
    struct buf in = {0}, out = {0};
    size_t rest, chunks = 0;

    for (int i = 0; i < 1000; i++)
        buf_add_string(&in, "1\r\nx\r\n");
    buf_add_string(&in, "0\r\n\r\n");
    CHECK_INT(run(FRAMING_CHUNKED, FRAMING_CHUNKED, 0, buf_slice(&in), in.n, &out, &rest), BODY_END,
              "");
    for (size_t i = 0; i < out.n; i++)
        chunks += out.p[i] == '\n';
    CHECK_MSG(chunks < 100, "%zu lines", chunks);
    unchunk(&out);
    CHECK_INT(out.n, 1001, "bytes");
    buf_free(&in);
    buf_free(&out);
}

/* Takes three bytes at a time and makes two of each: the second ones in the next call. */
struct doubler {
    struct buf kept;
};

static enum filter_result run_doubler(void *ctx, struct slice *content, bool last,
                                      struct iovec *pieces, size_t room, size_t *count)
{
    struct doubler *d = ctx;
    size_t n = content->n < 3 ? content->n : 3;

    (void)room;
    *count = 1;
    if (d->kept.n > 0) {
        pieces[0] = (struct iovec){d->kept.p, d->kept.n};
        d->kept.n = 0;
        return last && content->n == 0 ? FILTER_END
                                       : FILTER_FULL; /* the piece is the filter's own */
    }
    pieces[0] = (struct iovec){(void *)(uintptr_t)content->p, n};
    buf_add(&d->kept, content->p, n);
    *content = (struct slice){content->p + n, content->n - n};
    *count = n > 0 ? 1 : 0;
    return n > 0 ? FILTER_FULL : last ? FILTER_END : FILTER_MORE;
}

/* The whole body in portions, which are shown again elsewhere after each time that the sink was
 * full. */
static enum body_result run_held(enum framing in, uint64_t length, struct slice bytes, size_t step,
                                 struct buf *out, size_t *rest)
{
    struct doubler d = {0};
    struct body b;
    struct buf shown = {0};
    enum body_result result = BODY_MORE;
    size_t at = 0;

    body_start(&b, in, FRAMING_CHUNKED, length, &limits);
    b.filter = (struct body_filter){run_doubler, &d};
    while (result == BODY_FULL || (result == BODY_MORE && at < bytes.n)) {
        struct gather g = {0};
        size_t n = result == BODY_FULL ? 0 : bytes.n - at < step ? bytes.n - at : step;
        buf_add(&shown, bytes.p + at, n);
        at += n;
        char *copy = mem_copy_bytes(shown.n == 0 ? "" : shown.p, shown.n);
        struct slice left = {copy, shown.n};
        result = body_next(&b, &left, &g);
        for (size_t i = 0; i < g.count; i++)
            buf_add(out, g.pieces[i].iov_base, g.pieces[i].iov_len);
        body_put_back(&b, &left);
        memmove(shown.p, left.p, left.n);
        shown.n = left.n;
        free(copy);
    }
    *rest = bytes.n - at + shown.n;
    buf_free(&shown);
    buf_free(&d.kept);
    body_free(&b);
    return result;
}

TEST(what_the_sink_cannot_take_is_shown_again)
{
    static const struct {
        const char *name, *bytes;
        enum framing in;
    } bodies[] = {
        {"counted", "abcdefgGET", FRAMING_LENGTH},
        {"one chunk", "7\r\nabcdefg\r\n0\r\n\r\nGET", FRAMING_CHUNKED},
        {"chunks", "1\r\na\r\n4;x\r\nbcde\r\n2\r\nfg\r\n0\r\n\r\nGET", FRAMING_CHUNKED},
    };

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        for (size_t step = 1; step <= 64; step++) {
            struct buf out = {0};
            size_t rest = 0, n = 0;
            enum body_result result =
                run_held(bodies[i].in, 7, slice_of(bodies[i].bytes), step, &out, &rest);
            CHECK_INT(result, BODY_END, bodies[i].name);
            CHECK_INT(rest, 3, bodies[i].name);
            unchunk(&out);
            for (const char *c = "abcdefg"; *c != '\0'; c++, n = 0) {
                for (size_t k = 0; k < out.n; k++)
                    n += out.p[k] == *c;
                CHECK_INT(n, 2, bodies[i].name);
            }
            CHECK_INT(out.n, 15, "with the mark of the end");
            buf_free(&out);
        }
    }
}

TEST(a_body_is_here_before_it_is_out)
{
    struct doubler d = {0};
    struct body b;
    struct gather g = {0};
    struct slice in = SLICE("abc");

    body_start(&b, FRAMING_LENGTH, FRAMING_CHUNKED, 4, &limits);
    b.filter = (struct body_filter){run_doubler, &d};
    CHECK_INT(body_next(&b, &in, &g), BODY_FULL, "the doubles");
    CHECK(!body_is_here(&b));
    CHECK_INT(body_next(&b, &in, &g), BODY_FULL, "the first three");
    CHECK_INT(body_next(&b, &in, &g), BODY_MORE, "no more of them");
    in = SLICE("d");
    CHECK_INT(body_next(&b, &in, &g), BODY_FULL, "the last one's double");
    CHECK(body_is_here(&b) && !b.complete);
    CHECK_INT(body_next(&b, &in, &g), BODY_FULL, "and itself");
    CHECK_INT(body_next(&b, &in, &g), BODY_END, "all");
    buf_free(&d.kept);
    body_free(&b);
}

TEST(trailers_and_extensions_are_limited)
{
    struct buf in = {0}, out = {0};
    size_t rest;

    buf_add_string(&in, "0\r\nA: ");
    for (int i = 0; i < 5000; i++)
        buf_add_string(&in, "x");
    CHECK_INT(run(FRAMING_CHUNKED, FRAMING_CHUNKED, 0, buf_slice(&in), 100, &out, &rest), BODY_BAD,
              "bytes");
    in.n = 0;
    buf_add_string(&in, "0\r\n");
    for (int i = 0; i < 21; i++)
        buf_add_string(&in, "A: b\r\n");
    buf_add_string(&in, "\r\n");
    CHECK_INT(run(FRAMING_CHUNKED, FRAMING_CHUNKED, 0, buf_slice(&in), 100, &out, &rest), BODY_BAD,
              "count");
    in.n = 0;
    buf_add_string(&in, "1;");
    for (int i = 0; i < 2000; i++)
        buf_add_string(&in, "x");
    CHECK_INT(run(FRAMING_CHUNKED, FRAMING_CHUNKED, 0, buf_slice(&in), 100, &out, &rest), BODY_BAD,
              "extension");
    buf_free(&in);
    buf_free(&out);
}

TEST(only_a_close_delimited_body_ends_with_the_connection)
{
    static const struct {
        enum framing in;
        bool want;
    } ends[] = {{FRAMING_NONE, true},
                {FRAMING_LENGTH, false},
                {FRAMING_CHUNKED, false},
                {FRAMING_CLOSE, true}};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct body b;
        struct gather g = {0};
        body_start(&b, ends[i].in, FRAMING_CHUNKED, 5, &limits);
        CHECK_INT(body_ends_here(&b), ends[i].want, "");
        if (ends[i].want)
            CHECK_INT(body_next(&b, &(struct slice){NULL, 0}, &g), BODY_END, "");
        if (ends[i].in == FRAMING_CLOSE)
            CHECK_INT(g.bytes, 5, "the last chunk");
        body_free(&b);
    }
}

TEST(request_framing_is_decided_by_fields)
{
    static const struct {
        const char *fields;
        enum framing want;
    } requests[] = {
        {"", FRAMING_NONE},
        {"Content-Length: 0\r\n", FRAMING_NONE},
        {"Content-Length: 5\r\n", FRAMING_LENGTH},
        {"Transfer-Encoding: chunked\r\n", FRAMING_CHUNKED},
    };

    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        char *text = mem_format("POST / HTTP/1.1\r\nHost: h\r\n%s\r\n", requests[i].fields);
        struct head *h = read_request(text);
        CHECK_INT(framing_of_request(h), requests[i].want, requests[i].fields);
        head_free(h);
        free(text);
    }
}

TEST(response_framing_is_decided_by_status_method_and_fields)
{
    static const struct {
        const char *status, *fields;
        enum method method;
        enum framing want;
    } responses[] = {
        {"200", "", METHOD_GET, FRAMING_CLOSE},
        {"200", "Content-Length: 5\r\n", METHOD_GET, FRAMING_LENGTH},
        {"200", "Content-Length: 0\r\n", METHOD_GET, FRAMING_NONE},
        {"200", "Transfer-Encoding: chunked\r\n", METHOD_GET, FRAMING_CHUNKED},
        {"200", "Content-Length: 5\r\n", METHOD_HEAD, FRAMING_NONE},
        {"200", "Transfer-Encoding: chunked\r\n", METHOD_HEAD, FRAMING_NONE},
        {"204", "", METHOD_GET, FRAMING_NONE},
        {"204", "Content-Length: 5\r\n", METHOD_GET, FRAMING_NONE},
        {"304", "Content-Length: 5\r\n", METHOD_GET, FRAMING_NONE},
        {"100", "", METHOD_POST, FRAMING_NONE},
        {"205", "", METHOD_GET, FRAMING_CLOSE},
    };

    for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
        char *text =
            mem_format("HTTP/1.1 %s X\r\n%s\r\n", responses[i].status, responses[i].fields);
        struct head *h = read_response(text);
        CHECK_INT(framing_of_response(h, responses[i].method), responses[i].want, text);
        head_free(h);
        free(text);
    }
}
