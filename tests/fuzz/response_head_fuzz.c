/*
 * Any bytes as a response's head: split or whole, the same result; http-parser,
 * which the program does not ask about answers, reads the same; and what is
 * passed on is well-formed.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "http/edit.h"
#include "http/h1_reader.h"
#include "library.h"

enum { MAX_FIELDS = 50 };

static const struct h1_limits limits = {8192, 2048};

static enum h1_result read_all(struct slice bytes, size_t split, struct head *h, size_t *used)
{
    struct h1_reader r = {0};
    struct failure why;
    enum h1_result result = H1_MORE;

    if (split > 0)
        result = h1_read_response(&r, &limits, (struct slice){bytes.p, split}, h, used, &why);
    return result == H1_MORE && bytes.n > 0 ? h1_read_response(&r, &limits, bytes, h, used, &why)
                                            : result;
}

/* Blanks before colons are left out: only some of the library's builds take them. */
static void compare_with_library(const char *from, const char *end, const struct head *h)
{
    struct http_parser p;

    http_parser_init(&p, HTTP_RESPONSE);
    for (size_t i = 0; i < h->nfields; i++) {
        const char *behind = h->fields[i].name.p + h->fields[i].name.n;
        if (*behind == ':')
            continue;
        library_feed(&p, (struct slice){from, (size_t)(behind - from)});
        from = memchr(behind, ':', (size_t)(end - behind));
    }
    library_feed(&p, (struct slice){from, (size_t)(end - from)});
    library_agrees(&p, h);
    if (p.status_code != (unsigned)h->status)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {mem_copy_bytes((const char *)data, size), size};
    struct head *h = head_new(MAX_FIELDS), *again = head_new(MAX_FIELDS);
    size_t split_used = 0, used = 0;

    h1_reader_setup();
    enum h1_result split = read_all(bytes, size / 2, h, &split_used);
    enum h1_result whole = read_all(bytes, 0, h, &used);
    if (whole != split || (whole == H1_DONE && used != split_used))
        abort();
    if (whole == H1_DONE) {
        compare_with_library(bytes.p, bytes.p + used, h);
        struct buf out = {0};
        edit_response(&out, h, FRAMING_NONE, PERSIST_DEFAULT, &(struct edit_response_rules){0});
        if (out.n <= limits.max_head && read_all(buf_slice(&out), 0, again, &used) != H1_DONE)
            abort();
        for (size_t i = 0; out.n <= limits.max_head && i < again->nfields; i++)
            if (again->fields[i].name.p[again->fields[i].name.n] != ':')
                abort(); /* RFC 9112, 5.1 */
        buf_free(&out);
    }
    head_free(h);
    head_free(again);
    free((char *)(uintptr_t)bytes.p);
    return 0;
}
