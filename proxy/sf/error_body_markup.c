/* Reads error bodies in XML 1.0 and HTML: a tokenizer for both, and readers of its tokens. */
#include "base/status.h"
#include "sf/error_body_members.h"
#include "sf/error_body_readers.h"

enum {
    DEPTH_MAX = 32,                        /* elements inside each other; more are not read */
    CDATA_BYTES = sizeof("<![CDATA[") - 1, /* the longest of the marks that begin with "<!" */
    REFERENCE_MAX = 12,                    /* bytes of a character reference that are looked at */
};

enum token {
    TOKEN_TEXT,
    TOKEN_OPEN,  /* <name ...> */
    TOKEN_EMPTY, /* <name .../> */
    TOKEN_CLOSE, /* </name> */
    /* A comment, a processing instruction, or HTML's doctype. */
    TOKEN_ASIDE,
    TOKEN_END, /* the end of the input, also inside a token */
    TOKEN_BAD
};

struct markup {
    struct slice in; /* the input after the token */
    bool html;
    struct slice name; /* of a tag; in XML without the prefix */
    struct slice text;
    bool literal; /* text is a CDATA section */
};

static void skip(struct markup *m, size_t n)
{
    m->in.p += n;
    m->in.n -= n;
}

static bool begins(struct slice s, struct slice with)
{
    return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

static bool is_name_part(char c)
{
    return !error_is_blank(c) && c != '\0' && strchr("/>=\"'<", c) == NULL;
}

/* ---- tokens ---- */

/* Takes the text before `end`, and `end` itself. */
static bool take_until(struct markup *m, struct slice end, struct slice *taken)
{
    const char *at = m->in.n < end.n ? NULL : memmem(m->in.p, m->in.n, end.p, end.n);

    if (at == NULL) {
        m->in.n = 0;
        return false;
    }
    *taken = (struct slice){m->in.p, (size_t)(at - m->in.p)};
    skip(m, taken->n + end.n);
    return true;
}

static enum token aside(struct markup *m, struct slice end)
{
    return take_until(m, end, &m->text) ? TOKEN_ASIDE : TOKEN_END;
}

static void take_name(struct markup *m)
{
    size_t n = 0;

    while (n < m->in.n && is_name_part(m->in.p[n]))
        n++;
    m->name = (struct slice){m->in.p, n};
    skip(m, n);
    const char *colon = m->html || n == 0 ? NULL : memchr(m->name.p, ':', n);
    if (colon != NULL)
        m->name = (struct slice){colon + 1, n - (size_t)(colon + 1 - m->name.p)};
}

/* Takes the rest of a tag: its attributes, whose quoted values may contain '>'. */
static enum token finish_tag(struct markup *m, enum token token)
{
    char quote = '\0', last = '\0';

    while (m->in.n > 0) {
        char c = *m->in.p;
        skip(m, 1);
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if ((c == '"' || c == '\'') && last == '=') {
            quote = c;
        } else if (c == '>') {
            return token == TOKEN_OPEN && last == '/' ? TOKEN_EMPTY : token;
        }
        last = error_is_blank(c) && last == '=' ? last : c;
    }
    return TOKEN_END;
}

static enum token next_declaration(struct markup *m)
{
    if (begins(m->in, SLICE("<!--"))) {
        skip(m, 4);
        return aside(m, SLICE("-->"));
    }
    if (!m->html && begins(m->in, SLICE("<![CDATA["))) {
        skip(m, CDATA_BYTES);
        m->literal = true;
        return take_until(m, SLICE("]]>"), &m->text) ? TOKEN_TEXT : TOKEN_END;
    }
    /* In XML a document type could define entities, so it is refused. */
    return m->html ? finish_tag(m, TOKEN_ASIDE) : TOKEN_BAD;
}

static enum token next_tag(struct markup *m)
{
    bool close = m->in.n > 1 && m->in.p[1] == '/';

    if (m->in.n > 1 && m->in.p[1] == '!')
        return m->in.n < CDATA_BYTES && !m->html ? TOKEN_END : next_declaration(m);
    if (m->in.n > 1 && m->in.p[1] == '?')
        return aside(m, m->html ? SLICE(">") : SLICE("?>"));
    skip(m, close ? 2 : 1);
    take_name(m);
    if (m->in.n == 0)
        return TOKEN_END;
    return m->name.n > 0 ? finish_tag(m, close ? TOKEN_CLOSE : TOKEN_OPEN) : TOKEN_BAD;
}

static enum token next_token(struct markup *m)
{
    m->literal = false;
    if (m->in.n == 0)
        return TOKEN_END;
    if (*m->in.p == '<')
        return next_tag(m);
    const char *at = memchr(m->in.p, '<', m->in.n);
    m->text = (struct slice){m->in.p, at == NULL ? m->in.n : (size_t)(at - m->in.p)};
    skip(m, m->text.n);
    return TOKEN_TEXT;
}

/* ---- text ---- */

static bool is_only_blanks(struct slice s)
{
    while (s.n > 0 && error_is_blank(*s.p))
        s.p++, s.n--;
    return s.n == 0;
}

/* Reads the number in &#64; or &#x40;. False: it is not a character. */
static bool read_number(struct slice digits, uint32_t *c)
{
    bool hex = digits.n > 0 && ascii_lower(*digits.p) == 'x';
    uint32_t base = hex ? 16 : 10;
    size_t i = hex ? 1 : 0;

    *c = 0;
    if (i == digits.n)
        return false;
    for (; i < digits.n && *c < 0x110000; i++) {
        char d = ascii_lower(digits.p[i]);
        uint32_t value = d >= '0' && d <= '9'   ? (uint32_t)(d - '0')
                         : d >= 'a' && d <= 'f' ? (uint32_t)(d - 'a' + 10)
                                                : base;
        if (value >= base)
            return false;
        *c = *c * base + value;
    }
    return *c > 0 && *c < 0x110000 && (*c < 0xd800 || *c >= 0xe000);
}

/* Puts the character of the reference at the beginning of s. Returns the reference's length; 0: it
 * is not a reference. */
static size_t put_reference(struct error_body *b, struct slice s)
{
    static const struct {
        struct slice name;
        uint32_t c;
    } known[] = {{{"amp", 3}, '&'},
                 {{"lt", 2}, '<'},
                 {{"gt", 2}, '>'},
                 {{"quot", 4}, '"'},
                 {{"apos", 4}, '\''}};
    const char *end = memchr(s.p, ';', s.n < REFERENCE_MAX ? s.n : REFERENCE_MAX);
    uint32_t c = 0;

    if (end == NULL)
        return 0;
    struct slice name = {s.p + 1, (size_t)(end - s.p - 1)};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (slice_eq(name, known[i].name))
            c = known[i].c;
    if (c == 0 &&
        (name.n < 2 || *name.p != '#' || !read_number((struct slice){name.p + 1, name.n - 1}, &c)))
        return 0;
    error_body_put_code_point(b, c);
    return name.n + 2;
}

static void put_text(struct error_body *b, struct slice text, bool literal)
{
    for (size_t i = 0; i < text.n;) {
        size_t n = 0;
        if (!literal && text.p[i] == '&')
            n = put_reference(b, (struct slice){text.p + i, text.n - i});
        if (n == 0)
            error_body_put(b, text.p[i]);
        i += n > 0 ? n : 1;
    }
}

/* ---- XML ---- */

struct element {
    struct slice name;
    const struct error_member *member;
};

struct xml {
    struct markup m;
    struct error_body *out;
    struct element open[DEPTH_MAX];
    size_t depth;
    size_t start; /* where the text of the innermost element begins in room */
    /* The innermost element has no elements so far, so its content is its text. */
    bool gathers;
    bool ended; /* the outermost element was closed */
};

static int place_of(const struct xml *x)
{
    return x->gathers ? x->open[x->depth - 1].member->place : ERROR_PLACES;
}

static bool open_element(struct xml *x, enum token token)
{
    enum error_level level = x->depth == 0 ? ERROR_AT_TOP : x->open[x->depth - 1].member->inner;
    const struct error_member *member = error_body_member(level, x->m.name);

    if (x->ended || x->depth == DEPTH_MAX || !error_body_claim(x->out, member))
        return false;
    if (x->depth > 0)
        error_body_keep(x->out, x->start, place_of(x));
    x->start = x->out->used;
    x->gathers = token == TOKEN_OPEN;
    if (token == TOKEN_OPEN)
        x->open[x->depth++] = (struct element){x->m.name, member};
    x->ended = x->depth == 0;
    return true;
}

static bool close_element(struct xml *x)
{
    if (x->depth == 0 || !slice_eq(x->open[x->depth - 1].name, x->m.name))
        return false;
    error_body_keep(x->out, x->start, place_of(x));
    x->start = x->out->used;
    x->gathers = false;
    x->ended = --x->depth == 0;
    return true;
}

static bool take_token(struct xml *x, enum token token)
{
    switch (token) {
    case TOKEN_OPEN:
    case TOKEN_EMPTY:
        return open_element(x, token);
    case TOKEN_CLOSE:
        return close_element(x);
    case TOKEN_TEXT:
        if (x->depth == 0)
            return !x->m.literal && is_only_blanks(x->m.text);
        if (x->gathers)
            put_text(x->out, x->m.text, x->m.literal);
        return true;
    default:
        return token == TOKEN_ASIDE;
    }
}

enum error_read error_body_read_xml(struct error_body *b, struct slice content)
{
    struct xml x = {.m = {.in = content}, .out = b};
    enum token token;

    while ((token = next_token(&x.m)) != TOKEN_END)
        if (!take_token(&x, token))
            return ERROR_READ_BAD;
    if (x.depth > 0 && place_of(&x) != ERROR_CODE)
        error_body_keep(b, x.start, place_of(&x));
    return x.ended ? ERROR_READ_ALL : ERROR_READ_CUT;
}

/* ---- HTML ---- */

static bool is_one_of(struct slice name, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq_nocase(name, slice_of(names[i])))
            return true;
    return false;
}

/* Takes the content of an element in which only the end tag is markup (HTML, 13.2.5). */
static bool take_raw(struct markup *m, struct slice name, struct slice *text)
{
    *text = (struct slice){m->in.p, 0};
    while (m->in.n > name.n + 2) {
        struct slice at = {m->in.p + 2, name.n};
        if (m->in.p[0] == '<' && m->in.p[1] == '/' && slice_eq_nocase(at, name) &&
            !is_name_part(m->in.p[2 + name.n])) {
            skip(m, name.n + 2);
            return finish_tag(m, TOKEN_CLOSE) == TOKEN_CLOSE;
        }
        text->n++;
        skip(m, 1);
    }
    m->in.n = 0;
    return false;
}

/* Reads up to the title, or up to the first thing that a browser shows. */
static void read_title(struct error_body *b, struct markup *m)
{
    static const char *const around[] = {"html", "head", "meta", "link", "base"};
    static const char *const raw[] = {"script", "style"};
    struct slice text, name;

    for (;;) {
        struct markup before = *m;
        enum token token = next_token(m);
        bool open = token == TOKEN_OPEN || token == TOKEN_EMPTY;
        name = m->name;
        if (token == TOKEN_ASIDE || (token == TOKEN_TEXT && is_only_blanks(m->text)) ||
            (open && is_one_of(name, around, ARRAY_LEN(around))))
            continue;
        if (open && is_one_of(name, raw, ARRAY_LEN(raw))) {
            if (!take_raw(m, name, &text))
                return;
            continue;
        }
        if (open && slice_eq_nocase(name, SLICE("title")) && take_raw(m, name, &text)) {
            size_t start = b->used;
            put_text(b, text, false);
            error_body_keep(b, start, ERROR_TITLE);
            return;
        }
        *m = before;
        return;
    }
}

static bool is_heading(struct slice name)
{
    return name.n == 2 && ascii_lower(name.p[0]) == 'h' && name.p[1] >= '1' && name.p[1] <= '6';
}

/* Reads the heading's text, that of elements inside it included. */
static void read_heading(struct error_body *b, struct markup *m)
{
    struct slice heading = m->name;
    size_t start = b->used;
    enum token token;

    while ((token = next_token(m)) != TOKEN_END) {
        if (token == TOKEN_TEXT)
            put_text(b, m->text, false);
        if (token == TOKEN_CLOSE && slice_eq_nocase(m->name, heading)) {
            error_body_keep(b, start, ERROR_HEADING);
            return;
        }
    }
    error_body_keep(b, start, ERROR_PLACES);
}

enum error_read error_body_read_html(struct error_body *b, struct slice content)
{
    static const char *const raw[] = {"script", "style",   "title",    "textarea", "xmp",
                                      "iframe", "noembed", "noframes", "noscript", "template"};
    struct markup m = {.in = content, .html = true};
    struct slice ignored;
    enum token token;

    read_title(b, &m);
    while (b->text[ERROR_HEADING].p == NULL && (token = next_token(&m)) != TOKEN_END) {
        bool open = token == TOKEN_OPEN || token == TOKEN_EMPTY;
        if (open && is_heading(m.name))
            read_heading(b, &m);
        else if (open && is_one_of(m.name, raw, ARRAY_LEN(raw)))
            (void)take_raw(&m, m.name, &ignored);
    }
    return ERROR_READ_ALL;
}
