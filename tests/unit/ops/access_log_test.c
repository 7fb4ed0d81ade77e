#include "ops/access_log.h"
#include "test.h"

static const struct caller_id nobody, somebody = {.kind = CALLER_UID, .uid = 1000};

static struct record some_record(void)
{
    return (struct record){.id = "0123456789abcdef",
                           .tenant = "acme",
                           .caller = &somebody,
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
    struct access_log l = {LOG_TEXT, PATH_MASKED, false};
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
    struct access_log l = {LOG_TEXT, PATH_OFF, false};
    struct failure why;
    struct record r = {.id = "x",
                       .caller = &nobody,
                       .status = 400,
                       .begun_wall_us = 0,
                       .first_us = -1,
                       .failure = &why};

    failure_set(&why, FAIL_REQUEST_MALFORMED, "A \"sentence\".");
    check(&l, &r,
          "1970-01-01T00:00:00.000Z id=x tenant=- - - status=400 in=0 out=0 first-ms=- "
          "total-ms=0.000 conn=- tls=- "
          "error=request-malformed detail=\"A \\\"sentence\\\".\" cure=\"Correct the client. "
          "sfmtls accepts only the syntax of RFC 9112.\"");
}

TEST(a_line_of_json)
{
    struct access_log l = {LOG_JSON, PATH_MASKED, false};
    struct record r = some_record();
    struct failure why;

    check(&l, &r,
          "{\"time\":\"2026-11-22T08:00:00.123Z\",\"id\":\"0123456789abcdef\",\"tenant\":\"acme\","
          "\"method\":\"GET\","
          "\"path\":\"/odata/v2/"
          "User(...)\",\"status\":200,\"bytes_in\":1,\"bytes_out\":20,\"first_ms\":4.005,"
          "\"total_ms\":123.456,\"reused\":true,\"tls\":\"TLSv1.3\",\"error\":null}");
    failure_set(&why, FAIL_CALLER_GONE, "Gone.");
    r = (struct record){.id = "x", .caller = &nobody, .first_us = -1, .failure = &why};
    check(&l, &r,
          "{\"time\":\"1970-01-01T00:00:00.000Z\",\"id\":\"x\",\"tenant\":null,\"method\":null,"
          "\"path\":null,\"status\":0,"
          "\"bytes_in\":0,\"bytes_out\":0,\"first_ms\":null,\"total_ms\":0.000,\"reused\":null,"
          "\"tls\":null,"
          "\"error\":\"caller-gone\",\"detail\":\"Gone.\",\"code\":\"caller-gone\",\"cure\":"
          "\"Raise the client's own "
          "timeout if it gave up "
          "waiting.\"}");
}

static void check_caller(struct record *r, const char *text, const char *json)
{
    const struct access_log as_text = {LOG_TEXT, PATH_MASKED, true},
                            as_json = {LOG_JSON, PATH_MASKED, true};
    struct buf line = {0};

    access_log_format(&line, &as_text, r);
    buf_add(&line, "", 1);
    CHECK_TEXT(strstr(line.p, " caller="), text, "text");
    line.n = 0;
    access_log_format(&line, &as_json, r);
    buf_add(&line, "", 1);
    CHECK_CONTAINS(line.p, json);
    buf_free(&line);
}

TEST(who_called)
{
    static const struct {
        struct caller_id caller;
        const char *user, *text, *json;
    } cases[] = {
        {{.kind = CALLER_UID, .uid = 0}, NULL, " caller=uid:0", ",\"caller\":\"uid:0\","},
        {{.kind = CALLER_UID, .uid = 4294967294},
         NULL,
         " caller=uid:4294967294",
         "\"uid:4294967294\""},
        {{.kind = CALLER_IPV4, .ip = {192, 0, 2, 7}},
         NULL,
         " caller=addr:192.0.2.7",
         "\"addr:192.0.2.7\""},
        {{.kind = CALLER_IPV6, .ip = {[15] = 1}}, NULL, " caller=addr:::1", "\"addr:::1\""},
        {{.kind = CALLER_UNKNOWN}, NULL, " caller=-", ",\"caller\":null,"},
        {{.kind = CALLER_UID, .uid = 5},
         "sfadmin@ACME",
         " caller=user:sfadmin@ACME",
         "\"user:sfadmin@ACME\""},
        {{.kind = CALLER_UNKNOWN}, "x", " caller=user:x", "\"user:x\""},
        {{.kind = CALLER_UNKNOWN}, "", " caller=user:", "\"user:\""},
        {{.kind = CALLER_UNKNOWN}, "a b", " caller=\"user:a b\"", "\"user:a b\""},
        {{.kind = CALLER_UNKNOWN},
         "a\" x=\"y\\",
         " caller=\"user:a\\\" x=\\\"y\\\\\"",
         "\"user:a\\\" x="},
        {{.kind = CALLER_UNKNOWN}, "a\nb", " caller=\"user:a\\nb\"", "\"user:a\\nb\""},
        {{.kind = CALLER_UNKNOWN}, "\xc3\xa4", " caller=\"user:\xc3\xa4\"", "\"user:\xc3\xa4\""},
        {{.kind = CALLER_UNKNOWN}, "\xe2\x80\xae", " caller=\"user:\\u202e\"", "\"user:\\u202e\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record r = some_record();
        r.caller = &cases[i].caller;
        r.user = cases[i].user;
        check_caller(&r, cases[i].text, cases[i].json);
    }
}
