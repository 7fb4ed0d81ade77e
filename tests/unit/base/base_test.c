#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "test.h"

TEST(a_diag_is_one_printable_line)
{
    struct diag d;

    diag_set(&d, "a\nb\x1b[31m %d", 5);
    CHECK_TEXT(d.text, "a\\u000ab\\u001b[31m 5", "control characters");
    diag_place_line(&d, "file", 3);
    CHECK_TEXT(d.text, "file:3: a\\u000ab\\u001b[31m 5", "prefix");
    CHECK(diag_is_at(&d, "file:3") && !diag_is_at(&d, "file:") && !diag_is_at(&d, "file:33"));
    CHECK_TEXT(diag_sentence(&d), "a\\u000ab\\u001b[31m 5", "sentence");
    for (int i = 0; i < 100; i++)
        diag_place(&d, "0123456789");
    CHECK_INT(strlen(d.text), sizeof(d.text) - 1, "cut, not overrun");
    diag_set(&d, "file:3: text");
    CHECK(!diag_is_at(&d, "file:3"));
    CHECK_TEXT(diag_sentence(&d), "file:3: text", "no place");
}

TEST(slice_is_split_trimmed_and_read)
{
    struct slice s = SLICE("a,b,,c"), out;
    uint64_t n = 7;

    CHECK_SLICE(slice_split(&s, ','), "a", "first");
    CHECK_SLICE(slice_split(&s, ','), "b", "second");
    CHECK_SLICE(slice_split(&s, ','), "", "empty");
    CHECK_SLICE(slice_split(&s, ','), "c", "last");
    CHECK_SLICE(slice_split(&s, ','), "", "nothing left");
    out = slice_trim(SLICE(" \ta b\t "));
    CHECK_SLICE(out, "a b", "trim");
    CHECK_SLICE(slice_trim(SLICE("  ")), "", "trim to nothing");
    CHECK(slice_eq_nocase(SLICE("aBc-1"), SLICE("AbC-1")));
    CHECK(!slice_eq_nocase(SLICE("[a"), SLICE("{a"))); /* not letters, though 0x20 apart */
    CHECK(slice_ends_nocase(SLICE("x.Example"), SLICE(".eXample")));
    CHECK(!slice_ends_nocase(SLICE("e"), SLICE(".e")));
    CHECK(slice_to_u64(SLICE("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
    CHECK(!slice_to_u64(SLICE("18446744073709551616"), UINT64_MAX, &n));
    CHECK(!slice_to_u64(SLICE("11"), 10, &n));
    CHECK(!slice_to_u64(SLICE(""), 10, &n));
    CHECK(!slice_to_u64(SLICE("1x"), 10, &n));
}

TEST(json_strings_are_escaped)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"plain", "plain"},
        {"a\"b\\c", "a\\\"b\\\\c"},
        {"\b\f\n\r\t\x01\x1f\x7f", "\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xff|\xc3|\xc3", "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd"},
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
        {"\xe2\x80\xae|\xd8\x9c|\xc2\xad", "\\u202e|\\u061c|\\u00ad"}, /* bidi, soft hyphen */
        {"\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0"},        /* C1; a blank */
        {"\xef\xbb\xbf", "\\ufeff"},
        {"\xf3\xa0\x81\x81", "\\udb40\\udc41"}, /* a tag: a pair of surrogates */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {0};
        json_add(&b, slice_of(cases[i].in));
        CHECK_SLICE(buf_slice(&b), cases[i].want, cases[i].want);
        buf_free(&b);
    }
}

TEST(bufs_grow)
{
    struct buf b = {0};

    for (unsigned i = 0; i < 1000; i++)
        buf_add_u64(&b, i);
    CHECK_INT(b.n, 10 + 180 + 2700, "digits");
    b.n = 0;
    buf_addf(&b, "%s-%d", "x", -5);
    CHECK_SLICE(buf_slice(&b), "x--5", "format");
    buf_free(&b);
}

/* Around each power of ten, as the C library writes them. */
TEST(numbers_are_written_in_decimal)
{
    uint64_t power = 1;

    for (int digits = 1; digits <= 20; digits++, power *= 10)
        for (uint64_t near = 0; near < 24; near++) {
            struct buf got = {0}, want = {0};
            uint64_t value = digits == 20 && near > 11 ? UINT64_MAX - near : power + near - 12;
            buf_add_u64(&got, value);
            buf_addf(&want, "%llu", (unsigned long long)value);
            CHECK(slice_eq(buf_slice(&got), buf_slice(&want)));
            buf_free(&got);
            buf_free(&want);
        }
}

struct item {
    int value;
    struct list node;
};

TEST(list_keeps_its_order_when_items_come_and_go)
{
    struct list l, other;
    struct item items[4];
    int sum = 0;

    list_init(&l);
    list_init(&other);
    CHECK(list_first(&l) == NULL);
    for (int i = 0; i < 4; i++) {
        items[i].value = i + 1;
        list_append(&l, &items[i].node);
    }
    list_each (node, &l) {
        struct item *it = list_entry(node, struct item, node);
        sum = sum * 10 + it->value;
        if (it->value == 2)
            list_remove(node);
    }
    CHECK_INT(sum, 1234, "in order, removal allowed");
    list_remove(&items[1].node); /* twice does nothing */
    list_prepend(&other, &items[1].node);
    list_splice(&other, &l);
    CHECK(list_empty(&l));
    CHECK_INT(list_entry(other.next, struct item, node)->value, 2, "kept");
    CHECK_INT(list_entry(other.prev, struct item, node)->value, 4, "joined");
}

TEST(every_failure_has_a_whole_row)
{
    for (int id = FAIL_NONE + 1; id < FAIL_COUNT; id++) {
        const struct fail_info *f = fail_info((enum fail)id);
        CHECK_MSG(strspn(f->token, "abcdefghijklmnopqrstuvwxyz-") == strlen(f->token), "%s",
                  f->token);
        CHECK_MSG(f->title[0] != '\0' && strlen(f->detail) > 10 && strlen(f->cure) > 10, "%s",
                  f->token);
        CHECK_MSG(f->detail[strlen(f->detail) - 1] == '.' && f->cure[strlen(f->cure) - 1] == '.',
                  "%s", f->token);
        CHECK_MSG(f->blame != BLAME_NOBODY && fail_blame_text(f->blame) != NULL, "%s", f->token);
        for (int other = FAIL_NONE; other < id; other++)
            CHECK_MSG(strcmp(f->token, fail_info((enum fail)other)->token) != 0, "%s twice",
                      f->token);
    }
}

TEST(time_as_text)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text(INT64_C(1795334400123456), text);
    CHECK_TEXT(text, "2026-11-22T08:00:00.123Z", "time");
    clock_text(INT64_C(1795334400999999), text);
    CHECK_TEXT(text, "2026-11-22T08:00:00.999Z", "the same second");
    clock_text(0, text);
    CHECK_TEXT(text, "1970-01-01T00:00:00.000Z", "the first");
}

TEST(file_is_read_whole_or_not_at_all)
{
    struct buf b = {0};
    struct diag why;

    CHECK_INT(file_read(test_file("a", "text"), &b, &why), ST_OK, "");
    CHECK_SLICE(buf_slice(&b), "text", "bytes");
    file_wipe(&b);
    CHECK_INT(file_read("/nonexistent", &b, &why), ST_BAD_INPUT, "missing");
    CHECK_CONTAINS(why.text, "/nonexistent: cannot be opened: No such file");
    CHECK_INT(file_read(test_folder(), &b, &why), ST_BAD_INPUT, "directory");
    CHECK_CONTAINS(why.text, "is a directory");
    CHECK_INT(file_read("/dev/zero", &b, &why), ST_BAD_INPUT, "endless");
    CHECK_CONTAINS(why.text, "larger than 1 MiB");
    char *path = mem_format("%s/new", test_folder());
    CHECK_INT(file_write_new(path, SLICE("x"), 0600, &why), ST_OK, "created");
    CHECK_INT(file_write_new(path, SLICE("y"), 0600, &why), ST_BAD_INPUT, "never overwritten");
    free(path);
}

TEST(only_visible_utf8_is_shown)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"\xe2\x82\xac", "\xe2\x82\xac"},
        {"\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91"},
        {"a\x1b[m\x7f", "a\\u001b[m\\u007f"},
        {"\xc2\x85", "\\u0085"} /* C1 */,
        {"\x9b", "\\x9b"},
        {"\xc0\xaf", "\\xc0\\xaf"} /* overlong */,
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"} /* a surrogate */,
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"\xe2\x82", "\\xe2\\x82"} /* cut off */,
        {"\xff", "\\xff"},
        {"\xe2\x80\xa8", "\\u2028"} /* a line separator */,
        {"a\xe2\x80\xae"
         "b",
         "a\\u202eb"} /* right to left */,
        {"\xf3\xa0\x81\x81", "\\U000e0041"} /* a tag */,
        {"\xef\xbf\xbe", "\\ufffe"} /* a noncharacter */,
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diag d;
        diag_set(&d, "%s", cases[i].text);
        CHECK_TEXT(d.text, cases[i].want, cases[i].want);
    }
}

TEST(a_long_sentence_is_cut_between_characters)
{
    for (size_t shift = 0; shift < 8; shift++) {
        struct buf text = {0};
        struct diag d;
        buf_add(&text, "1234567", shift);
        for (int i = 0; i < 400; i++)
            buf_add_string(&text, "\xf0\x9f\x94\x91"
                                  "a");
        diag_set(&d, "%.*s", (int)text.n, text.p);
        CHECK_MSG(strchr(d.text, '\\') == NULL, "%s", d.text);
        for (size_t at = 0, n; d.text[at] != '\0'; at += n) {
            n = utf8_visible(d.text + at, strlen(d.text + at));
            CHECK_INT(n > 0, 1, d.text);
            if (n == 0)
                break;
        }
        buf_free(&text);
    }
}

TEST(a_long_sentence_keeps_its_place_and_its_cure)
{
    char value[5000];
    struct diag d;

    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    diag_set(&d, "`%s` is wrong; mend it", value);
    diag_place(&d, "file:1");
    CHECK(strncmp(d.text, "file:1: `xxx", 12) == 0);
    CHECK_CONTAINS(d.text, "x...x");
    CHECK_CONTAINS(d.text, "is wrong; mend it");
    CHECK(strlen(d.text) < sizeof(d.text));
}
