#include "exchange/links.h"

#include <stdlib.h>

#include "base/mem.h"
#include "head_reader.h"

#define S "https://api4.successfactors.com"
#define B "http://localhost:8080"

enum { MOST = 24 };

static struct link_place place = {{S, sizeof(S) - 1}, 443, 443};
static const struct tenant tenant = {.places = &place, .nplaces = 1};

/* Whatever number of links there is, and whatever is held back at the end. */
static void check(struct link_filter *f, const char *text, size_t room, const char *want)
{
    struct body_filter run = link_filter_run(f);
    struct iovec *pieces = mem_new(room * sizeof(pieces[0])); /* one more would be noticed */
    struct slice content = slice_of(text);
    struct buf out = {0};
    enum filter_result result;

    do {
        size_t count;
        result = run.run(run.ctx, &content, true, pieces, room, &count);
        CHECK(count <= room);
        for (size_t i = 0; i < count; i++)
            buf_add(&out, pieces[i].iov_base, pieces[i].iov_len);
    } while (result == FILTER_FULL);
    CHECK_INT(result, FILTER_END, text);
    CHECK_SLICE(buf_slice(&out), want, text);
    buf_free(&out);
    free(pieces);
}

static void check_rooms(const struct head *h, const char *text, const char *want)
{
    for (size_t room = FILTER_ROOM; room < 2 * MOST; room++) {
        struct link_filter *f = link_filter_for_answer(&tenant, slice_of(B), h);
        check(f, text, room, want);
        link_filter_free(f);
    }
}

/* Links, the last of which may not be complete. */
static void check_kind(const char *type, const char *before, const char *after,
                       const char *const ends[][2], size_t nends)
{
    char *answer = mem_format("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n", type);
    struct head *h = read_response(answer);

    for (size_t end = 0; end < nends; end++) {
        char *text = mem_copy_string(""), *want = mem_copy_string("");
        for (int i = 0; i < MOST; i++) {
            char *link = mem_format("%s" S "/x%s", before, after),
                 *wanted = mem_format("%s" B "/x%s", before, after);
            char *whole = mem_format("%s%s%s", text, before, ends[end][0]),
                 *all = mem_format("%s%s%s", want, before, ends[end][1]);
            check_rooms(h, whole, all);
            free(whole);
            free(all);
            whole = mem_format("%s%s", text, link);
            all = mem_format("%s%s", want, wanted);
            free(text);
            free(want);
            free(link);
            free(wanted);
            text = whole;
            want = all;
        }
        free(text);
        free(want);
    }
    head_free(h);
    free(answer);
}

TEST(pieces_of_a_content_fit_into_their_room)
{
    static const char *const ends[][2] = {
        {"", ""}, {"x", "x"}, {S, S}, {S "/", B "/"}, {"https:", "https:"}};

    check_kind("application/json", "{\"uri\":\"", "\"},", ends, ARRAY_LEN(ends));
    check_kind("text/xml", "<id>", "</id>", ends, ARRAY_LEN(ends));
    check_kind("text/xml", "<a href='", "'/>", ends, ARRAY_LEN(ends));
}
