/*
 * Any bytes as a request's head. However they are split, the reader comes to
 * the same result; http-parser accepts what the reader accepts; and that is,
 * once edited for the server, a head that the reader accepts again, and that
 * editing changes no more.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "http/edit.h"
#include "http/h1_reader.h"
#include "library.h"
#include "policy/guard.h"

enum { MAX_FIELDS = 50 };

static const struct h1_limits limits = {8192, 2048};
static const struct edit_rules rules = {.host = "server", .company_id = "ACME"};

static enum h1_result read_all(struct slice bytes, size_t split, struct head *h, size_t *used)
{
    struct h1_reader r = {0};
    struct failure why;
    enum h1_result result =
        h1_read_request(&r, &limits, (struct slice){bytes.p, split}, h, used, &why);

    return result == H1_MORE ? h1_read_request(&r, &limits, bytes, h, used, &why) : result;
}

/* The target is left out where only some of the library's builds take it. */
static void compare_with_library(struct slice head, const struct head *h)
{
    bool connect = h->method == METHOD_CONNECT;
    const char *after = h->target.p + h->target.n, *end = head.p + head.n;
    struct http_parser p;

    http_parser_init(&p, HTTP_REQUEST);
    if (connect || h->target_needs_encoding) {
        library_feed(&p, (struct slice){head.p, (size_t)(h->target.p - head.p)});
        library_feed(&p, connect ? SLICE("h:1") : SLICE("/"));
        head = (struct slice){after, (size_t)(end - after)};
    }
    library_feed(&p, head);
    library_agrees(&p, h);
}

/* The head as the server would get it; false if it would not. */
static bool edit(struct slice bytes, struct buf *out)
{
    struct head *h = head_new(MAX_FIELDS);
    struct target t;
    struct failure why;
    size_t used = 0;
    bool ok = read_all(bytes, 0, h, &used) == H1_DONE && target_parse(h, &t, &why) &&
              edit_connection_is_sound(h, &why);

    if (ok)
        edit_request(out, h, &t, &rules);
    head_free(h);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {mem_copy_bytes((const char *)data, size), size};
    struct head *h = head_new(MAX_FIELDS);
    size_t whole_used = 0, split_used = 0;

    h1_reader_setup();
    enum h1_result whole = read_all(bytes, size, h, &whole_used);
    enum h1_result split = read_all(bytes, size / 2, h, &split_used);
    if (whole != split || (whole == H1_DONE && whole_used != split_used))
        abort();
    if (whole == H1_DONE)
        compare_with_library((struct slice){bytes.p, whole_used}, h);
    head_free(h);

    struct buf once = {0}, twice = {0};
    if (edit(bytes, &once) && once.n <= limits.max_head) {
        /* The company id that is added makes it one field more. */
        if (edit(buf_slice(&once), &twice) && !slice_eq(buf_slice(&once), buf_slice(&twice)))
            abort();
    }
    buf_free(&once);
    buf_free(&twice);
    free((char *)(uintptr_t)bytes.p);
    return 0;
}
