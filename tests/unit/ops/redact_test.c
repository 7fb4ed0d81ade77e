/* Which texts of a document stay. */
#include <string.h>

#include "ops/redact.h"
#include "test.h"

static struct buf redacted(const char *json, bool names)
{
    struct redactor r;
    struct buf out = {0};

    redactor_start(&r, names);
    redact_json(&r, slice_of(json), &out);
    buf_add(&out, "", 1);
    return out;
}

static void check(const char *json, const char *gone, const char *stays)
{
    struct buf out = redacted(json, false);

    CHECK_INT(strstr(out.p, gone) == NULL, true, json);
    CHECK_INT(strstr(out.p, stays) != NULL, true, json);
    buf_free(&out);
    out = redacted(json, true);
    CHECK_TEXT(out.p, json, json);
    buf_free(&out);
}

TEST(texts_that_are_not_known_are_hashed)
{
    check("{\"server\":\"canary\"}", "canary", "{\"server\":\"#");
    check("{\"code\":\"auth0032\",\"sentence\":\"canary\"}", "canary", "\"code\":\"auth0032\"");
    check("{\"chain\":[\"canary\",\"b\"],\"n\":1}", "canary", "\"n\":1}");
    check("[\"canary\"]", "canary", "[\"#");
    check("{\"a\":\"canary \\\"code\\\":\\\"x\\\\\"}", "canary", "{\"a\":\"#");
    check("{\"l\":[{\"code\":\"x\"},\"canary\"]}", "canary", "\"code\":\"x\"");
    check("{\"code\":\"x\",\"list\":[\"canary\"]}", "canary", "\"code\":\"x\"");
}

TEST(same_text_same_hash)
{
    struct buf out = redacted("[\"one\",\"one\",\"two\"]", false);

    CHECK_INT(strncmp(out.p + 1, out.p + 13, 11), 0, out.p);
    CHECK_INT(strncmp(out.p + 1, out.p + 25, 11) != 0, true, out.p);
    buf_free(&out);
}
