#include "exchange/sight.h"

#include "head_reader.h"
#include "test.h"

static const struct body_limits limits = {4096, 20};

/* Is an error with so many bytes of content, each in a chunk with an extension of that length,
 * looked at without waiting for more? */
static bool is_whole(int chunks, int extension)
{
    struct head *h = read_response("HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    struct buf rest = {0};
    struct sight s;

    for (int i = 0; i < chunks; i++)
        buf_addf(&rest, "1;%0*d\r\nx\r\n", extension, 0);
    sight_take(&s, h, METHOD_GET, &limits, buf_slice(&rest), false);
    buf_free(&rest);
    head_free(h);
    return s.whole;
}

TEST(more_is_waited_for_until_4_kib_of_content_or_64_of_its_framing_are_there)
{
    CHECK(!is_whole(4095, 1));
    CHECK(is_whole(4096, 1));
    CHECK(!is_whole(64, 1000));
    CHECK(is_whole(66, 1000));
}
