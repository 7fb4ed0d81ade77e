#include "ops/access_log.h"
#include "test.h"

static struct record some_record(void)
{
    return (struct record){.id = "0123456789abcdef",
                           .tenant = "acme",
                           .method = SLICE("GET"),
                           .path = SLICE("/odata/v2/User('jdoe')"),
                           .status = 200,
                           .bytes_in = 1,
                           .bytes_out = 20,
                           .begun_wall_us = INT64_C(1795334400123456),
                           .first_us = 4005,
                           .total_us = 123456,
                           .reused = true,
                           .tls = "TLSv1.3"};
}

static void check(const struct access_log *l, const struct record *r, const char *want)
{
    struct buf out = {0};

    access_log_format(&out, l, r);
    CHECK_SLICE(buf_slice(&out), want, "line");
    buf_free(&out);
}

TEST(a_line_of_text)
{
    struct access_log l = {LOG_TEXT, PATH_MASKED};
    struct record r = some_record();

    check(&l, &r,
          "2026-11-22T08:00:00.123Z id=0123456789abcdef tenant=acme GET /odata/v2/User(...) "
          "status=200 in=1 out=20 "
          "first-ms=4.005 total-ms=123.456 conn=reused tls=TLSv1.3");
    l.path_mode = PATH_FULL;
    r.reused = false;
    check(&l, &r,
          "2026-11-22T08:00:00.123Z id=0123456789abcdef tenant=acme GET /odata/v2/User('jdoe') "
          "status=200 in=1 out=20 "
          "first-ms=4.005 total-ms=123.456 conn=new tls=TLSv1.3");
}

TEST(a_failure_is_told_with_its_cure)
{
    struct access_log l = {LOG_TEXT, PATH_OFF};
    struct failure why;
    struct record r = {
        .id = "x", .status = 400, .begun_wall_us = 0, .first_us = -1, .failure = &why};

    failure_set(&why, FAIL_REQUEST_MALFORMED, "A \"sentence\".");
    check(&l, &r,
          "1970-01-01T00:00:00.000Z id=x tenant=- - - status=400 in=0 out=0 first-ms=- "
          "total-ms=0.000 conn=- tls=- "
          "error=request-malformed detail=\"A \\\"sentence\\\".\" cure=\"Correct the client; RFC "
          "9112 tells the syntax "
          "that is accepted here, strictly.\"");
}

TEST(a_line_of_json)
{
    struct access_log l = {LOG_JSON, PATH_MASKED};
    struct record r = some_record();
    struct failure why;

    check(&l, &r,
          "{\"time\":\"2026-11-22T08:00:00.123Z\",\"id\":\"0123456789abcdef\",\"tenant\":\"acme\","
          "\"method\":\"GET\","
          "\"path\":\"/odata/v2/"
          "User(...)\",\"status\":200,\"bytes_in\":1,\"bytes_out\":20,\"first_ms\":4.005,"
          "\"total_ms\":123.456,\"reused\":true,\"tls\":\"TLSv1.3\",\"error\":null}");
    failure_set(&why, FAIL_CALLER_GONE, "Gone.");
    r = (struct record){.id = "x", .first_us = -1, .failure = &why};
    check(&l, &r,
          "{\"time\":\"1970-01-01T00:00:00.000Z\",\"id\":\"x\",\"tenant\":null,\"method\":null,"
          "\"path\":null,\"status\":0,"
          "\"bytes_in\":0,\"bytes_out\":0,\"first_ms\":null,\"total_ms\":0.000,\"reused\":null,"
          "\"tls\":null,"
          "\"error\":\"caller-gone\",\"detail\":\"Gone.\",\"cure\":\"Raise the client's own "
          "timeout if it gave up "
          "waiting.\"}");
}
