#include "http/authorization.h"

#include "base/status.h"
#include "base/utf8.h"
#include "http/basic.h"
#include "http/chars.h"

static const char many[] = "is there more than once";
static const char unreadable[] =
    "has Basic credentials that are not the base64 of a user, a colon and a password (RFC 7617)";
static const char hidden[] = "has Basic credentials that are not written as such (RFC 9110, 11.4)";
static const char loose[] =
    "has Basic credentials with a tab or without padding, which not every server accepts";
static const char unclear[] = "has a Basic user with control characters, with bytes that are not "
                              "UTF-8, or with an '@' or ':' that "
                              "is at its end or written otherwise";

/* ---- does the value hold Basic credentials? ---- */

static bool begins_basic(struct slice s)
{
    return s.n >= 5 && slice_eq_nocase((struct slice){s.p, 5}, SLICE("basic"));
}

static bool is_letter(char c)
{
    char lower = ascii_lower(c);

    return lower >= 'a' && lower <= 'z';
}

/* Would a reader that splits lists, or skips what is before the scheme, find Basic credentials? */
static bool hides_basic(struct slice value)
{
    while (value.n > 0) {
        struct slice member = slice_split(&value, ',');
        while (member.n > 0 && !is_letter(*member.p))
            member.p++, member.n--;
        if (begins_basic(member))
            return true;
    }
    return false;
}

/* Is it Basic by RFC 9110, 11.4? A tab counts as the blank here. */
static bool is_basic(struct slice value)
{
    return begins_basic(value) && (value.n == 5 || value.p[5] == ' ' || value.p[5] == '\t');
}

/* ---- Basic ---- */

/* Could a server read the beginning of s as '@' or ':'? RFC 8265 maps wide and small forms (U+FF20,
 * U+FE6B, U+FF1A, U+FE55) to the usual ones. */
static bool is_other_separator(struct slice s)
{
    static const struct slice known[] = {{"\xef\xbc\xa0", 3}, {"\xef\xb9\xab", 3},
                                         {"\xef\xbc\x9a", 3}, {"\xef\xb9\x95", 3},
                                         {"%40", 3},          {"%3a", 3}};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (s.n >= known[i].n && slice_eq_nocase((struct slice){s.p, known[i].n}, known[i]))
            return true;
    return false;
}

static bool is_clear(struct slice user)
{
    for (size_t i = 0; i < user.n;) {
        struct slice rest = {user.p + i, user.n - i};
        size_t n = utf8_visible(rest.p, rest.n);
        if (n == 0 || is_other_separator(rest))
            return false;
        i += n;
    }
    return user.n == 0 || user.p[user.n - 1] != '@';
}

/* Only blanks before the credentials, and complete padding. */
static bool is_written_strictly(struct slice value)
{
    struct slice token = slice_trim((struct slice){value.p + 5, value.n - 5});

    return token.n % 4 == 0 && memchr(value.p, '\t', value.n) == NULL;
}

/* strictly: the server gets the value. */
static const char *find_flaw(struct slice value, bool strictly)
{
    const char *flaw = NULL;
    struct basic b;

    if (!is_basic(value))
        return hides_basic(value) ? hidden : NULL;
    if (!basic_read(value, &b))
        return unreadable;
    if (strictly)
        flaw = !is_written_strictly(value) ? loose : is_clear(b.user) ? NULL : unclear;
    basic_wipe(&b);
    return flaw;
}

const char *authorization_illegible(const struct head *request)
{
    const char *flaw = NULL;
    const struct field *f;
    size_t at = 0;

    while (flaw == NULL && (f = head_next(request, FIELD_AUTHORIZATION, &at)) != NULL)
        flaw = find_flaw(f->value, false);
    return flaw;
}

const char *authorization_ambiguity(const struct head *request)
{
    if (head_count(request, FIELD_AUTHORIZATION) > 1)
        return many;
    return find_flaw(head_value(request, FIELD_AUTHORIZATION), true);
}
