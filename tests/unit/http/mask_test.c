#include "http/mask.h"
#include "test.h"

TEST(keys_and_literals_are_masked)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        {"/odata/v2/User", "/odata/v2/User"},
        {"/odata/v2/User('jdoe')", "/odata/v2/User(...)"},
        {"/odata/v2/User('jdoe')/manager", "/odata/v2/User(...)/manager"},
        {"/odata/v2/User(userId='a',seq=1L)/x(2)", "/odata/v2/User(...)/x(...)"},
        {"/User(%27jdoe%27)/x", "/User(...)/x"},
        {"/User%28'jdoe'%29/x", "/User(...)/x"},
        {"/User('O''Neil)')/x", "/User(...)/x"},
        {"/User('a%27%27b)')/x", "/User(...)/x"},
        {"/f(g(1),h(')'))/x", "/f(...)/x"},
        {"/User('open", "/User(...)"},
        {"/User(open/x", "/User(...)"},
        {"/a/'literal'/b", "/a/(...)/b"},
        {"/a/'literal/b", "/a/(...)"},
        {"/a)b", "/a)b"},
        {"/%zz%2", "/%zz%2"},
        {"/a%20b", "/a%20b"},
        {"/a\x1b[31m\x7f", "/a%1B[31m%7F"},
        {"", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = {0};
        mask_path(&out, slice_of(cases[i].path));
        CHECK_SLICE(buf_slice(&out), cases[i].want, cases[i].path);
        buf_free(&out);
    }
}

TEST(nothing_is_shown_of_no_path)
{
    struct buf out = {0};

    mask_path(&out, (struct slice){NULL, 0}); /* UBSan notices arithmetic with it */
    CHECK(out.n == 0);
    buf_free(&out);
}

TEST(user_and_password_are_cut_off_a_target)
{
    static const struct {
        const char *target, *want;
    } cases[] = {
        {"/a@b", "/a@b"},
        {"/a?b@c", "/a"},
        {"http://host/a?b=c@d", "http://host/a"},
        {"http://us?er:secret@host/a", ""},
        {"http://host?a=b", "http://host"},
        {"http://host/a", "http://host/a"},
        {"http://user:secret@host/a", "host/a"},
        {"http://user:sec/ret@host/a", "host/a"},
        {"http://user:sec@ret@host/a", "host/a"},
        {"user:secret@host:443", "host:443"},
        {"user:secret@", ""},
        {"", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_SLICE(mask_target(slice_of(cases[i].target)), cases[i].want, cases[i].target);
}
