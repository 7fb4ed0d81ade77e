#include "http/rules_path.h"

#include "base/status.h"
#include "base/utf8.h"
#include "http/chars.h"

/* ---- units ---- */

static bool is_unreserved(char c)
{
    return char_is(c, CHAR_HOST) || c == '~';
}

static bool is_encoded(struct slice s, size_t i)
{
    return s.n - i > 2 && s.p[i] == '%' && char_hex(s.p[i + 1]) >= 0 && char_hex(s.p[i + 2]) >= 0;
}

char rules_next_byte(struct slice s, size_t *i)
{
    size_t at = *i;
    bool encoded = is_encoded(s, at);

    *i += encoded ? 3 : 1;
    return encoded ? (char)(char_hex(s.p[at + 1]) * 16 + char_hex(s.p[at + 2])) : s.p[at];
}

struct rules_unit rules_next_unit(struct slice s, size_t *i)
{
    static const char hex[] = "0123456789ABCDEF";
    bool encoded = is_encoded(s, *i);
    unsigned char c = (unsigned char)rules_next_byte(s, i);

    if (encoded ? is_unreserved((char)c) : !char_is((char)c, CHAR_ENCODE))
        return (struct rules_unit){{(char)c}, 1};
    return (struct rules_unit){{'%', hex[c >> 4], hex[c & 15]}, 3};
}

size_t rules_unit_before(struct slice s, size_t from, size_t end)
{
    return end - from > 2 && s.p[end - 3] == '%' ? end - 3 : end - 1;
}

bool rules_next_segment(struct slice *rest, struct slice *segment)
{
    if (rest->p == NULL)
        return false;
    const char *slash = rest->n == 0 ? NULL : memchr(rest->p, '/', rest->n);
    *segment = *rest;
    if (slash == NULL) {
        *rest = (struct slice){NULL, 0};
        return true;
    }
    segment->n = (size_t)(slash - rest->p);
    *rest = (struct slice){slash + 1, rest->n - segment->n - 1};
    return true;
}

/* ---- characters ---- */

struct range {
    uint32_t first, last;
};

static bool is_in(uint32_t c, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* Can Unicode's normal forms (NFC, NFKC), or the best-fit tables of code pages, turn it into text
 * with one of . / \ ; ? # % $? */
static bool becomes_syntax(uint32_t c)
{
    static const struct range ranges[] = {
        {0xa5, 0xa5},      {0x37e, 0x37e},   {0x66a, 0x66a},   {0x2024, 0x2026}, {0x2044, 0x2044},
        {0x2047, 0x2049},  {0x20a9, 0x20a9}, {0x2100, 0x2101}, {0x2105, 0x2106}, {0x2215, 0x2216},
        {0x2488, 0x249b},  {0x29f5, 0x29f5}, {0x29f8, 0x29f9}, {0x33c2, 0x33c2}, {0x33c7, 0x33c7},
        {0x33d8, 0x33d8},  {0xfe14, 0xfe14}, {0xfe16, 0xfe16}, {0xfe19, 0xfe19}, {0xfe30, 0xfe30},
        {0xfe52, 0xfe52},  {0xfe54, 0xfe54}, {0xfe56, 0xfe56}, {0xfe5f, 0xfe5f}, {0xfe68, 0xfe6a},
        {0xff03, 0xff05},  {0xff0e, 0xff0f}, {0xff1b, 0xff1b}, {0xff1f, 0xff1f}, {0xff3c, 0xff3c},
        {0x1f100, 0x1f100}};

    return c >= 0xa5 && is_in(c, ranges, ARRAY_LEN(ranges));
}

/* Blanks and invisible characters, which servers may remove. '+' is a blank in forms. */
static bool is_blank(uint32_t c)
{
    static const struct range ranges[] = {{0xa0, 0xa0},     {0xad, 0xad},     {0x34f, 0x34f},
                                          {0x61c, 0x61c},   {0x1680, 0x1680}, {0x180b, 0x180e},
                                          {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x2064},
                                          {0x3000, 0x3000}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};

    return c == ' ' || c == '+' || (c >= 0xa0 && is_in(c, ranges, ARRAY_LEN(ranges)));
}

/* C0, DEL or C1. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* The character at *i, decoded once. Moves *i past it. Returns false if it is a control character
 * or not UTF-8 (RFC 3629). */
static bool next_character(struct slice s, size_t *i, uint32_t *c)
{
    char bytes[4];
    size_t ends[4], n = 0;

    for (size_t at = *i; n < sizeof(bytes) && at < s.n; n++) {
        bytes[n] = rules_next_byte(s, &at);
        ends[n] = at;
    }
    size_t length = utf8_decode(bytes, n, c);
    if (length == 0 || is_control(*c))
        return false;
    *i = ends[length - 1];
    return true;
}

/* ---- flaws ---- */

static const char flaw_encoding[] = "a '%' without two hexadecimal digits after it";
static const char flaw_character[] = "one of . / \\ ; ? # percent-encoded";
static const char flaw_text[] = "a control character, or bytes that are not UTF-8";
static const char flaw_alike[] = "a character that can be read as one of . / \\ ; ? # % $";
static const char flaw_twice[] = "something that is percent-encoded twice";
static const char flaw_parameter[] = "a ';'";
static const char flaw_empty[] = "an empty segment (//), or one of blanks";
static const char flaw_dots[] = "a segment . or .., or one like it";
static const char flaw_system[] = "a segment that begins with $ and is not all ASCII";

/* After an encoded '%': would a second decoding find something? That is two digits, encoded or not,
 * or the non-standard %uXXXX. */
static bool is_encoded_twice(struct slice s, size_t i)
{
    if (i >= s.n)
        return false;
    char first = rules_next_byte(s, &i);
    return ascii_lower(first) == 'u' ||
           (char_hex(first) >= 0 && i < s.n && char_hex(rules_next_byte(s, &i)) >= 0);
}

static const char *find_character_flaw(struct slice path)
{
    for (size_t i = 0; i < path.n;) {
        bool percent = path.p[i] == '%';
        uint32_t c;
        if (percent && !is_encoded(path, i))
            return flaw_encoding;
        if (!next_character(path, &i, &c))
            return flaw_text;
        if (c == ';')
            return percent ? flaw_character : flaw_parameter;
        if (percent && c < 0x80 && strchr("./\\?#", (int)c) != NULL)
            return flaw_character;
        if (percent && c == '%' && is_encoded_twice(path, i))
            return flaw_twice;
        if (becomes_syntax(c))
            return flaw_alike;
    }
    return NULL;
}

/* The characters of a segment, apart from blanks. */
struct shape {
    bool dots, letters; /* of ASCII; letters: any except dots */
    bool others;        /* visible, beyond ASCII */
    bool foreign;       /* beyond ASCII, also blanks */
    bool system;        /* the first letter is '$' */
};

static struct shape shape_of(struct slice segment)
{
    struct shape shape = {0};
    uint32_t c;

    for (size_t i = 0; i < segment.n && next_character(segment, &i, &c);) {
        shape.foreign = shape.foreign || c >= 0x80;
        if (is_blank(c))
            continue;
        if (c >= 0x80) {
            shape.others = true;
        } else if (c == '.') {
            shape.dots = true;
        } else {
            shape.system = shape.system || (c == '$' && !shape.letters);
            shape.letters = true;
        }
    }
    return shape;
}

static const char *find_segment_flaw(struct slice path)
{
    struct slice segment;
    bool first = true;

    while (rules_next_segment(&path, &segment)) {
        struct shape shape = shape_of(segment);
        bool last = path.p == NULL;
        if (segment.n == 0 ? !first && !last : !shape.dots && !shape.letters && !shape.others)
            return flaw_empty;
        if (shape.dots && !shape.letters)
            return flaw_dots;
        if (shape.system && shape.foreign)
            return flaw_system;
        first = false;
    }
    return NULL;
}

const char *rules_find_flaw(struct slice path)
{
    const char *flaw = find_character_flaw(path);

    return flaw == NULL ? find_segment_flaw(path) : flaw;
}

/* ---- $batch ---- */

bool rules_segment_is_batch(struct slice segment)
{
    size_t i = 0, next = 0;
    char c = ' ';

    while (next < segment.n && (c == ' ' || c == '+')) {
        i = next;
        c = rules_next_byte(segment, &next);
    }
    for (const char *want = "$batch"; *want != '\0'; want++)
        if (i >= segment.n || ascii_lower(rules_next_byte(segment, &i)) != *want)
            return false;
    if (i >= segment.n)
        return true;
    c = rules_next_byte(segment, &i);
    return !char_is(c, CHAR_HOST) || c == '.'; /* also $batch(), "$batch " and similar */
}

bool rules_path_has_batch(struct slice path)
{
    struct slice segment;

    while (rules_next_segment(&path, &segment))
        if (rules_segment_is_batch(segment))
            return true;
    return false;
}
