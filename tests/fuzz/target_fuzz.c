/*
 * Any bytes as an authority, as a path for the log, and as a request's target. What is accepted
 * means the same once it is written and read again; what is logged holds no key and no literal.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "http/chars.h"
#include "http/h1_reader.h"
#include "http/mask.h"
#include "http/target.h"

static const struct h1_limits limits = {65536, 32768};

static void check_authority(struct slice s)
{
    struct authority a, b;
    struct buf text = {0};

    if (!authority_parse(s, &a))
        return;
    authority_write(&text, &a, 0);
    if (!authority_parse(buf_slice(&text), &b) || !slice_eq(a.host, b.host) || a.port != b.port ||
        a.ipv6 != b.ipv6 || !authority_host_eq(a.host, b.host))
        abort();
    if (a.ipv6 ? !authority_is_address(a.host) : !chars_are(a.host, CHAR_HOST))
        abort();
    (void)authority_is_loopback(&a);
    buf_free(&text);
}

/* Visible ASCII, and no quote or parenthesis but those of "(...)". */
static void check_mask(struct slice path)
{
    struct buf once = {0}, twice = {0};

    mask_path(&once, path);
    for (size_t i = 0; i < once.n; i++) {
        if (once.p[i] <= ' ' || once.p[i] >= 0x7f || once.p[i] == '\'')
            abort();
        if (once.p[i] == '(' && (once.n - i < 5 || memcmp(once.p + i, "(...)", 5) != 0))
            abort();
    }
    mask_path(&twice, buf_slice(&once));
    if (!slice_eq(buf_slice(&once), buf_slice(&twice)))
        abort();
    buf_free(&once);
    buf_free(&twice);
}

/* In a buffer of its own size, so that nothing behind it can be read. */
static struct slice request_of(const char *method, struct slice target)
{
    struct buf text = {0};

    buf_addf(&text, "%s ", method);
    buf_add_slice(&text, target);
    buf_add_string(&text, " HTTP/1.1\r\nHost: h\r\n\r\n");
    char *exact = mem_copy_bytes(text.p, text.n);
    struct slice s = {exact, text.n};
    buf_free(&text);
    return s;
}

static bool read_target(struct slice request, struct head *h, struct target *t)
{
    struct h1_reader r = {0};
    struct failure why;
    size_t used;

    return h1_read_request(&r, &limits, request, h, &used, &why) == H1_DONE && used == request.n &&
           target_parse(h, t, &why);
}

/* What goes to the server is a path that is read as itself. */
static void check_target(const char *method, struct slice s)
{
    struct head *h = head_new(10);
    struct slice request = request_of(method, s);
    struct buf path = {0}, again = {0};
    struct target t;

    if (!chars_are(s, CHAR_TARGET | CHAR_ENCODE) || !read_target(request, h, &t))
        goto out;
    struct slice logged = mask_target(h->target);
    if (logged.n > 0 &&
        (logged.p < h->target.p || logged.p + logged.n > h->target.p + h->target.n ||
         memchr(logged.p, '?', logged.n) != NULL))
        abort();
    if (t.form == TARGET_AUTHORITY)
        goto out;
    target_write_path(&path, h, &t);
    if (path.n == 0 || (path.p[0] != '/' && !slice_eq(buf_slice(&path), SLICE("*"))) ||
        !chars_are(buf_slice(&path), CHAR_TARGET))
        abort();
    free((char *)(uintptr_t)request.p);
    request = request_of(method, buf_slice(&path));
    if (path.n <= limits.max_target) {
        if (!read_target(request, h, &t))
            abort();
        target_write_path(&again, h, &t);
        if (!slice_eq(buf_slice(&path), buf_slice(&again)))
            abort();
    }
out:
    free((char *)(uintptr_t)request.p);
    buf_free(&path);
    buf_free(&again);
    head_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = mem_copy_bytes((const char *)data, size);
    struct slice s = {bytes, size};

    h1_reader_setup();
    check_authority(s);
    check_mask(s);
    if (size > 0) {
        check_target("GET", s);
        check_target("OPTIONS", s);
        check_target("CONNECT", s);
    }
    free(bytes);
    return 0;
}
