#include "http/reply.h"
#include "test.h"

enum { SOME_DAY = 1795334400 }; /* 2026-11-22T08:00:00Z */

static struct buf problem(enum fail id, bool head_only)
{
    struct buf out = {0};
    struct failure f;

    failure_set(&f, id, "A \"sentence\".");
    reply_problem(&out, &f, "0123", head_only, PERSIST_CLOSE, "X-More: 1\r\n",
                  SOME_DAY * INT64_C(1000000));
    buf_add(&out, "", 1);
    return out;
}

TEST(a_problem_document)
{
    struct buf out = problem(FAIL_CONNECT_REFUSED, false);

    CHECK_CONTAINS(out.p,
                   "HTTP/1.1 502 connection-refused\r\nDate: Sun, 22 Nov 2026 08:00:00 GMT\r\n");
    CHECK_CONTAINS(out.p, "Content-Type: application/problem+json\r\n");
    CHECK_CONTAINS(
        out.p,
        "Proxy-Status: sfmtls; error=connection_refused; details=\"connection-refused\"\r\n");
    CHECK_CONTAINS(out.p, "Connection: close\r\n");
    CHECK_CONTAINS(
        out.p, "\r\n\r\n{\"type\":\"urn:sfmtls:error:connection-refused\",\"title\":\"Connection "
               "refused\",\"status\":502,\"detail\":\"A \\\"sentence\\\".\",\"token\":"
               "\"connection-refused\",\"code\":\"connection-refused\",\"cure\":\"");
    CHECK_CONTAINS(out.p, "\"request_id\":\"0123\"}\n");
    buf_free(&out);
}

TEST(head_gets_no_body_but_its_length)
{
    struct buf whole = problem(FAIL_CONNECT_REFUSED, false),
               head = problem(FAIL_CONNECT_REFUSED, true);
    const char *body = strstr(whole.p, "\r\n\r\n") + 4;

    CHECK_INT(head.n - 1, body - whole.p, "the same head, nothing behind it");
    CHECK(memcmp(whole.p, head.p, head.n - 1) == 0);
    buf_free(&whole);
    buf_free(&head);
}

TEST(fields_that_a_status_asks_for)
{
    struct buf out = problem(FAIL_QUEUE_FULL, false);
    CHECK_CONTAINS(out.p, "503 queue-full");
    CHECK_CONTAINS(out.p, "Retry-After: 5\r\n");
    buf_free(&out);
    out = problem(FAIL_TENANT_AMBIGUOUS, false);
    CHECK_CONTAINS(out.p, "WWW-Authenticate: Basic realm=\"sfmtls: user@COMPANY\"\r\n");
    buf_free(&out);
    out = problem(FAIL_METHOD_NOT_ALLOWED, false);
    CHECK_CONTAINS(out.p, "Allow: GET, ");
    buf_free(&out);
}

TEST(every_failure_with_a_status_makes_an_answer)
{
    for (int id = FAIL_NONE + 1; id < FAIL_COUNT; id++) {
        const struct fail_info *info = fail_info((enum fail)id);
        if (info->status == 0)
            continue;
        CHECK_MSG(strcmp(reply_reason(info->status), "Unknown") != 0,
                  "%s: add a row for %d to reply_reason() in proxy/http/reply.c", info->token,
                  info->status);
        CHECK_MSG(info->proxy_error[0] != '\0', "%s", info->token);
        struct buf out = problem((enum fail)id, false);
        CHECK_CONTAINS(out.p, info->token);
        buf_free(&out);
    }
}
