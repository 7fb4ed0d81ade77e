/*
 * Any bytes as an Authorization value, and as user and password: what was encoded is read again,
 * and the company is what stands behind the last '@' of the user. What is said to have one reading
 * is Basic at its beginning or nowhere, with a user that is text.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "http/authorization.h"
#include "http/basic.h"
#include "http/chars.h"
#include "http/h1_reader.h"

static void encode(struct slice plain, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < plain.n; i += 3) {
        size_t n = plain.n - i < 3 ? plain.n - i : 3;
        unsigned bits = (unsigned)(unsigned char)plain.p[i] << 16;
        if (n > 1)
            bits |= (unsigned)(unsigned char)plain.p[i + 1] << 8;
        if (n > 2)
            bits |= (unsigned char)plain.p[i + 2];
        for (size_t k = 0; k <= n; k++)
            buf_add(out, &digits[bits >> (18 - 6 * k) & 63], 1);
        buf_add(out, "==", 3 - n);
    }
}

static void check_company(struct slice user, enum basic_result result, const char *company)
{
    if (result != BASIC_NAMED)
        return;
    size_t n = strlen(company);
    if (n == 0 || n >= BASIC_MAX_COMPANY || n >= user.n || user.p[user.n - n - 1] != '@' ||
        memcmp(user.p + user.n - n, company, n) != 0 || strchr(company, '@') != NULL)
        abort();
}

static void check_read(struct slice authorization)
{
    char company[BASIC_MAX_COMPANY];
    struct basic b;
    enum basic_result result = basic_company(authorization, company);

    if (!basic_read(authorization, &b)) {
        if (result != BASIC_NONE)
            abort();
        return;
    }
    if (b.user.n + b.password.n + 1 > b.size ||
        (b.user.n > 0 && memchr(b.user.p, ':', b.user.n) != NULL))
        abort();
    check_company(b.user, result, company);
    basic_wipe(&b);
}

static void check_round_trip(struct slice plain)
{
    struct buf text = {0};
    struct basic b;

    buf_add_string(&text, "Basic ");
    encode(plain, &text);
    bool read = basic_read(buf_slice(&text), &b);
    if (read != (plain.n > 0 && memchr(plain.p, ':', plain.n) != NULL))
        abort();
    if (read) {
        struct slice password = plain, user = slice_split(&password, ':');
        if (!slice_eq(user, b.user) || !slice_eq(password, b.password))
            abort();
        basic_wipe(&b);
    }
    buf_free(&text);
}

/* A letter comes before it, or a list is none: then "basic" is part of something else. */
static bool is_apart(struct slice value, size_t at)
{
    while (at > 0 && value.p[at - 1] != ',')
        if (ascii_lower(value.p[--at]) >= 'a' && ascii_lower(value.p[at]) <= 'z')
            return false;
    return true;
}

static void check_one_reading(struct slice value)
{
    struct basic b;

    for (size_t i = 1; i + 5 <= value.n; i++)
        if (slice_eq_nocase((struct slice){value.p + i, 5}, SLICE("basic")) && is_apart(value, i))
            abort();
    if (value.n < 5 || !slice_eq_nocase((struct slice){value.p, 5}, SLICE("basic")))
        return;
    if (!basic_read(value, &b))
        abort();
    for (size_t i = 0, n; i < b.user.n; i += n)
        if ((n = utf8_visible(b.user.p + i, b.user.n - i)) == 0)
            abort();
    basic_wipe(&b);
}

/* As the field of a request. */
static void check_field(struct slice value)
{
    static const struct h1_limits limits = {65536, 32768};
    struct head *h = head_new(10);
    struct h1_reader reader = {0};
    struct failure why;
    struct buf text = {0};
    size_t used;

    buf_add_string(&text, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: ");
    buf_add_slice(&text, value);
    buf_add_string(&text, "\r\n\r\n");
    h1_reader_setup();
    if (chars_are(value, CHAR_VALUE) &&
        h1_read_request(&reader, &limits, buf_slice(&text), h, &used, &why) == H1_DONE &&
        head_count(h, FIELD_AUTHORIZATION) == 1 && authorization_ambiguity(h) == NULL) {
        if (authorization_illegible(h) != NULL)
            abort();
        check_one_reading(head_value(h, FIELD_AUTHORIZATION));
    }
    buf_free(&text);
    head_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = mem_copy_bytes((const char *)data, size);

    check_read((struct slice){bytes, size});
    check_round_trip((struct slice){bytes, size});
    check_field((struct slice){bytes, size});
    free(bytes);
    return 0;
}
