#include "http/date.h"
#include "test.h"

enum { NOW = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

static const struct {
    const char *value;
    long long want; /* -1: it cannot be read */
} waits[] = {
    {"0", 0},
    {"7", 7},
    {" 7\t", 7},
    {"99999999", 99999999},
    {"99999999999999999999999999", INT32_MAX},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:47 GMT", 10},
    {"Sun, 06 Nov 1994 07:49:37 GMT", 0},
    {"Sunday, 06-Nov-94 08:49:40 GMT", 3},
    {"Sun Nov  6 08:50:37 1994", 60},
    {"", -1},
    {"-7", -1},
    {"+7", -1},
    {"7.5", -1},
    {"7 s", -1},
    {"soon", -1},
    {"Sun, 06 Nov 1994 08:49:37", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT and so on, for more than fits into any date at all", -1},
};

TEST(retry_after)
{
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        int64_t seconds = -1;
        bool read = date_read_retry_after(slice_of(waits[i].value), NOW, &seconds);
        CHECK_INT(read ? seconds : -1, waits[i].want, waits[i].value);
    }
}

TEST(a_date_is_written_as_it_is_read)
{
    static const long long times[] = {0, NOW, 951782400, 4102444799};
    struct buf text = {0};
    int64_t seconds;

    date_write(&text, NOW);
    CHECK_SLICE(buf_slice(&text), "Sun, 06 Nov 1994 08:49:37 GMT", "1994");
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        text.n = 0;
        date_write(&text, times[i]);
        CHECK(date_read(buf_slice(&text), &seconds) && seconds == times[i]);
    }
    buf_free(&text);
}
