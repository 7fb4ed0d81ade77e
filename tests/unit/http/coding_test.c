#include "http/coding.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "test.h"

/* One member, as zlib writes it with that window. */
static size_t encode(int window, const char *text, char *out, size_t room)
{
    z_stream z = {0};

    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)strlen(text);
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END, "deflate");
    size_t n = room - z.avail_out;
    (void)deflateEnd(&z);
    return n;
}

/* Feeds step bytes at a time into room for step bytes. */
static enum decoded decode(enum coding c, const char *coded, size_t n, size_t step, char *out,
                           size_t *total)
{
    struct decoder *d = decoder_new(c);
    enum decoded result = DECODED_MORE;

    *total = 0;
    for (size_t at = 0; at < n && result != DECODED_BAD; at += step) {
        struct slice in = {coded + at, n - at < step ? n - at : step};
        size_t got;
        do {
            result = decoder_run(d, &in, out + *total, step, &got);
            *total += got;
        } while (result == DECODED_FULL);
    }
    decoder_free(d);
    return result;
}

static const char text[] = "a text, a text, a text that repeats what it says, says, says";

static const struct {
    enum coding coding;
    int window;
} forms[] = {{CODING_GZIP, 31}, {CODING_DEFLATE, 15}, {CODING_DEFLATE, -15}};

TEST(every_split_decodes_to_the_same)
{
    char coded[256], out[256];
    size_t total;

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        size_t n = encode(forms[i].window, text, coded, sizeof(coded));
        for (size_t step = 1; step <= n; step++) {
            CHECK_INT(decode(forms[i].coding, coded, n, step, out, &total), DECODED_END, "result");
            CHECK_INT(total, sizeof(text) - 1, "length");
            CHECK(memcmp(out, text, total) == 0);
        }
    }
}

TEST(members_of_gzip_follow_each_other)
{
    char coded[512], out[256];
    size_t total, n = encode(31, text, coded, 256);

    n += encode(31, "and more", coded + n, 256);
    for (size_t step = 1; step <= n; step++) {
        CHECK_INT(decode(CODING_GZIP, coded, n, step, out, &total), DECODED_END, "result");
        CHECK_INT(total, sizeof(text) - 1 + 8, "length");
    }
}

TEST(padding_is_passed_over)
{
    char coded[256] = {0}, out[256];
    size_t total;

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        size_t n = encode(forms[i].window, text, coded, sizeof(coded) - 4);
        for (size_t step = 1; step <= n + 4; step++) {
            CHECK_INT(decode(forms[i].coding, coded, n + 4, step, out, &total), DECODED_END, "");
            CHECK_INT(total, sizeof(text) - 1, "length");
        }
    }
}

TEST(damage_is_noticed)
{
    char coded[256], out[4096];
    size_t total, n = encode(31, text, coded, sizeof(coded));

    CHECK_INT(decode(CODING_GZIP, coded, n - 1, n, out, &total), DECODED_MORE, "cut");
    coded[n - 5] ^= 1; /* of the checksum */
    CHECK_INT(decode(CODING_GZIP, coded, n, n, out, &total), DECODED_BAD, "checksum");
    CHECK_INT(decode(CODING_GZIP, text, sizeof(text), 7, out, &total), DECODED_BAD, "no gzip");
}
