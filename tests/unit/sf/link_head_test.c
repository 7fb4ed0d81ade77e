#include "sf/link_head.h"

#include "test.h"

static const struct {
    const char *name, *text, *content_type;
    bool is_message, has_length;
} cases[] = {
    {"of a part", "Content-Length: 5\r\nContent-Type: a/b\r\n\r\nx", "a/b", false, true},
    {"of a message", "GET /x HTTP/1.1\nContent-Type: a/b\n\n", "a/b", true, false},
    {"a start line is no field", "Content-Length: 5\r\nContent-Type: a/b\r\n\r\n", "a/b", true,
     false},
    {"a start line of a type", "Content-Type: c/d\r\n a\r\n\r\n", "", true, false},
    {"a field that goes on", "Content-Type: a/b;\r\n c=d\r\nContent-Length: 5\r\n\r\n",
     "a/b;\r\n c=d", false, true},
};

TEST(heads_within_a_batch_are_read)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice rest = slice_of(cases[i].text);
        struct link_head h;
        CHECK_INT(link_head_read(&rest, cases[i].is_message, &h), true, cases[i].name);
        CHECK_SLICE(slice_trim(h.content_type), cases[i].content_type, cases[i].name);
        CHECK_INT(h.has_length, cases[i].has_length, cases[i].name);
    }
}
