#include "sf/error_body_members.h"

#include <assert.h>

#include "base/status.h"

/* clang-format off */
#define NAME(literal) {literal, sizeof(literal) - 1}
/* clang-format on */

static const struct error_member members[] = {
    {ERROR_AT_TOP, NAME("error"), ERROR_PLACES, ERROR_IN_ERROR},
    {ERROR_AT_TOP, NAME("errorMessage"), ERROR_ERROR_MESSAGE, ERROR_ELSEWHERE},
    {ERROR_IN_ERROR, NAME("code"), ERROR_CODE, ERROR_ELSEWHERE},
    {ERROR_IN_ERROR, NAME("errorCode"), ERROR_CODE, ERROR_ELSEWHERE},
    {ERROR_IN_ERROR, NAME("message"), ERROR_MESSAGE, ERROR_IN_MESSAGE},
    {ERROR_IN_ERROR, NAME("details"), ERROR_DETAILS, ERROR_ELSEWHERE},
    {ERROR_IN_ERROR, NAME("errorMessage"), ERROR_ERROR_MESSAGE, ERROR_ELSEWHERE},
    {ERROR_IN_MESSAGE, NAME("value"), ERROR_MESSAGE_VALUE, ERROR_ELSEWHERE},
};

static const struct error_member unknown = {
    ERROR_ELSEWHERE, {"", 0}, ERROR_PLACES, ERROR_ELSEWHERE};

const struct error_member *error_body_member(enum error_level level, struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (members[i].level == level && slice_eq(members[i].name, name))
            return &members[i];
    return &unknown;
}

bool error_body_claim(struct error_body *b, const struct error_member *m)
{
    unsigned bit = 1U << m->place;

    if (m == &unknown)
        return true;
    bool first = (b->claimed & bit) == 0;
    b->claimed |= bit;
    return first;
}

void error_body_put(struct error_body *b, char c)
{
    assert(b->used < sizeof(b->room));
    b->room[b->used++] = c;
}

void error_body_put_code_point(struct error_body *b, uint32_t c)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    error_body_put(b, n == 1 ? (char)c : (char)(lead[n] | c >> 6 * (n - 1)));
    for (int i = n - 2; i >= 0; i--)
        error_body_put(b, (char)(0x80 | (c >> 6 * i & 0x3f)));
}

void error_body_keep(struct error_body *b, size_t start, int place)
{
    struct slice text = {b->room + start, b->used - start};

    while (text.n > 0 && error_is_blank(*text.p))
        text.p++, text.n--;
    while (text.n > 0 && error_is_blank(text.p[text.n - 1]))
        text.n--;
    if (place != ERROR_PLACES && text.n > 0)
        b->text[place] = text;
    else
        b->used = start;
}
