/*
 * Any bytes as allow rules (the first line), a method and a path. What passes is UTF-8, has no
 * segment that a server could take for a way up, not without its blanks either, nothing encoded
 * that hides one, and no $batch that no rule names; and a path judged is judged the same with its
 * unreserved characters encoded or not.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "http/chars.h"
#include "http/h1_reader.h"
#include "http/rules.h"

enum verdict { PASSES, DENIED, TRAPPED, NO_REQUEST };

static const struct h1_limits limits = {65536, 32768};

static enum verdict judge(const struct rules *r, struct slice method, struct slice path)
{
    struct head *h = head_new(10);
    struct h1_reader reader = {0};
    struct failure why = {0};
    struct buf text = {0};
    struct target t;
    size_t used;
    enum verdict v = NO_REQUEST;

    if (!chars_are(path, CHAR_TARGET | CHAR_ENCODE)) {
        head_free(h);
        return v;
    }
    buf_add_slice(&text, method);
    buf_add_string(&text, " ");
    buf_add_slice(&text, path);
    buf_add_string(&text, " HTTP/1.1\r\nHost: h\r\n\r\n");
    if (h1_read_request(&reader, &limits, buf_slice(&text), h, &used, &why) == H1_DONE &&
        used == text.n && target_parse(h, &t, &why) && t.form == TARGET_ORIGIN) {
        if (rules_cover(r, h, &t, &why))
            v = PASSES;
        else
            v = why.id == FAIL_NOT_ALLOWED ? DENIED : TRAPPED;
    }
    buf_free(&text);
    head_free(h);
    return v;
}

static bool is_escape(struct slice s, size_t i)
{
    return s.n - i > 2 && s.p[i] == '%' && char_hex(s.p[i + 1]) >= 0 && char_hex(s.p[i + 2]) >= 0;
}

/* All that is percent-encoded decoded, once. */
static void decode(struct slice s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (is_escape(s, i)) {
            c = (char)(char_hex(s.p[i + 1]) * 16 + char_hex(s.p[i + 2]));
            i += 2;
        }
        buf_add(out, &c, 1);
    }
}

/* The same path with its letters and digits encoded. */
static void encode(struct slice s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (is_escape(s, i)) {
            buf_add(out, s.p + i, 3);
            i += 2;
        } else if (char_is(s.p[i], CHAR_HOST) && s.p[i] != '.') {
            buf_addf(out, "%%%02x", (unsigned)(unsigned char)s.p[i]);
        } else {
            buf_add(out, &s.p[i], 1);
        }
    }
}

/* As a server reads it that decodes once, or twice, and then takes dots for what they are. */
static void check_segments(struct slice path, struct slice rules, int times)
{
    struct slice rest = path;
    bool first = true;

    while (rest.n > 0) {
        bool last = memchr(rest.p, '/', rest.n) == NULL;
        struct slice segment = slice_trim(slice_split(&rest, '/'));
        if (slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE("..")) ||
            (segment.n == 0 && !first && !last) ||
            (segment.n > 0 && memchr(segment.p, '\\', segment.n) != NULL))
            abort();
        if (times == 1 && slice_eq_nocase(segment, SLICE("$batch")) &&
            memmem(rules.p, rules.n, "atch", 4) == NULL && memchr(rules.p, '%', rules.n) == NULL &&
            memmem(rules.p, rules.n, "ATCH", 4) == NULL)
            abort();
        first = false;
    }
}

static void check_text(struct slice s)
{
    uint32_t c;

    for (size_t i = 0, n; i < s.n; i += n)
        if ((n = utf8_decode(s.p + i, s.n - i, &c)) == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
            abort();
}

static void check_passed(struct slice path, struct slice rules)
{
    struct buf once = {0}, twice = {0};
    struct slice query = path;

    path = slice_split(&query, '?');
    decode(path, &once);
    check_text(buf_slice(&once));
    check_segments(buf_slice(&once), rules, 1);
    decode(buf_slice(&once), &twice);
    check_segments(buf_slice(&twice), rules, 2);
    buf_free(&once);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = mem_copy_bytes((const char *)data, size);
    struct slice request = {bytes, size}, text = slice_split(&request, '\n'),
                 method = slice_split(&request, ' ');
    struct rules *r = NULL;
    struct diag why;

    h1_reader_setup();
    if (text.n > 0 && rules_add(&r, text, &why) == ST_OK && request.n > 0) {
        struct slice query = request, path = slice_split(&query, '?');
        struct buf encoded = {0};
        enum verdict v = judge(r, method, request);

        encode(path, &encoded);
        buf_add(&encoded, request.p + path.n, request.n - path.n);
        if (v != NO_REQUEST && path.n < limits.max_target / 3 &&
            judge(r, method, buf_slice(&encoded)) != v && v != TRAPPED)
            abort();
        if (v == PASSES)
            check_passed(request, text);
        buf_free(&encoded);
    }
    rules_free(r);
    free(bytes);
    return 0;
}
