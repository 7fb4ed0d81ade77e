#include "head_reader.h"
#include "test.h"

TEST(fields_are_found_by_name_in_their_order)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-B: 2\r\nx-a: 3\r\n"
                               "X-AB: 4\r\n\r\n";
    struct head *h = read_request(text);
    size_t at = 0;

    CHECK_SLICE(head_next_named(h, SLICE("x-A"), &at)->value, "1", "the first");
    CHECK_SLICE(head_next_named(h, SLICE("x-A"), &at)->value, "3", "the next");
    CHECK(head_next_named(h, SLICE("x-A"), &at) == NULL);
    CHECK(head_next_named(h, SLICE("X-C"), &(size_t){0}) == NULL);
    CHECK(head_next_named(h, SLICE(""), &(size_t){0}) == NULL);
    head_free(h);
}
