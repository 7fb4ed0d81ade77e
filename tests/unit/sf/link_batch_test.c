#include "sf/link_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "test.h"

static const struct link_place place = {{"https://api4.successfactors.com", 31}, 443, 443};
static const struct link_rules rules = {&place, 1, "http://localhost:8080",
                                        "http:\\/\\/localhost:8080"};

#define S "https://api4.successfactors.com:443"
#define B "http://localhost:8080"

static void check(const char *type, const char *text, const char *want)
{
    size_t n = strlen(text);

    for (size_t step = 1; step <= n; step++) {
        struct link_batch *b = link_batch_new(slice_of(type), &rules);
        struct buf out = {0};
        for (size_t at = 0; at < n; at += step)
            link_batch_run(b, (struct slice){text + at, n - at < step ? n - at : step}, &out);
        link_batch_finish(b, &out);
        CHECK_SLICE(buf_slice(&out), want, text);
        buf_free(&out);
        link_batch_free(b);
    }
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
        {"--b\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{\"uri\":\"" S
         "\"}\r\n--b--",
         "--b\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{\"uri\":\"" S
         "\"}\r\n--b--"},
        {"--b\r\nContent-Type: application/json\r\n\r\n{\"uri\":\"" S "/never ended\"}",
         "--b\r\nContent-Type: application/json\r\n\r\n{\"uri\":\"" S "/never ended\"}"},
        {"--b", "--b"},
        {"", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check("multipart/mixed; x=y; boundary=b", cases[i][0], cases[i][1]);
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
    CHECK(link_batch_new(slice_of("text/plain"), &rules) == NULL);
}

/* Whatever the portions, a part that is too large is passed on as it is, and the next one is not.
 */
TEST(large_parts_are_not_collected)
{
    const char *link = "{\"uri\":\"" S "/\"}", *home = "{\"uri\":\"" B "/\"}";

    for (int over = -1; over <= 2; over++) {
        struct buf text = {0}, out = {0};
        struct link_batch *b = link_batch_new(slice_of("multipart/mixed;boundary=b"), &rules);
        buf_add_string(&text, "--b");
        size_t start = text.n;
        buf_addf(&text, "\r\nContent-Type: application/json\r\n\r\n[%s,\"", link);
        while (text.n - start < (size_t)LINK_BATCH_PART + (size_t)over - 2)
            buf_add_string(&text, "x");
        buf_addf(&text, "\"]\r\n--b\r\nContent-Type: application/json\r\n\r\n%s\r\n--b--", link);
        for (size_t at = 0; at < text.n; at += 65537)
            link_batch_run(
                b, (struct slice){text.p + at, text.n - at < 65537 ? text.n - at : 65537}, &out);
        link_batch_finish(b, &out);
        int homes = 0;
        for (const char *p = out.p;
             (p = memmem(p, (size_t)(out.p + out.n - p), home, strlen(home))) != NULL; p++)
            homes++;
        CHECK_INT(homes, over <= 0 ? 2 : 1, "rewritten");
        CHECK_INT(text.n - out.n, (size_t)homes * (strlen(S) - strlen(B)), "lost");
        buf_free(&text);
        buf_free(&out);
        link_batch_free(b);
    }
}
