/*
 * XML is read tag by tag, as far as is needed to know what an attribute or a
 * text belongs to: names, quotes, and what is passed over (comments, CDATA,
 * processing instructions, declarations).
 */
#include <string.h>

#include "sf/link_parts.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A name that is too long is none that is known. */
static void add_to_name(struct link_rewriter *r, char c)
{
    if (r->nname < LINK_NAME)
        r->name[r->nname] = c;
    r->nname++;
}

static struct slice name_of(const struct link_rewriter *r)
{
    return (struct slice){r->name, r->nname <= LINK_NAME ? r->nname : 0};
}

static void skip_until(struct link_rewriter *r, const char *until)
{
    r->state = XML_SKIP;
    r->until = until;
    r->nuntil = 0;
}

static void open_tag(struct link_rewriter *r, char c)
{
    r->nname = 0;
    r->link_element = false;
    if (c == '!') {
        r->state = XML_BANG;
    } else if (c == '?') {
        skip_until(r, "?>");
    } else if (c == '/') {
        skip_until(r, ">");
    } else {
        r->state = XML_NAME;
        add_to_name(r, c);
    }
}

/* <!-- and <![CDATA[ are known by their first two letters; <!DOCTYPE and its like end with >. */
static void open_bang(struct link_rewriter *r, char c)
{
    add_to_name(r, c);
    if (r->nname == 1 && (c == '-' || c == '['))
        return;
    skip_until(r, r->nname < 2 ? ">" : r->name[0] == '-' ? "-->" : "]]>");
}

static void end_name(struct link_rewriter *r, char c)
{
    if (!is_blank(c) && c != '>' && c != '/') {
        add_to_name(r, c);
        return;
    }
    r->link_element = link_is_element(name_of(r));
    r->state = c == '>' ? (r->link_element ? XML_TEXT_START : XML_TEXT) : XML_TAG;
    if (c == '/')
        r->link_element = false;
}

static void in_tag(struct link_rewriter *r, char c)
{
    if (c == '>') {
        r->state = r->link_element ? XML_TEXT_START : XML_TEXT;
    } else if (c == '/') {
        r->link_element = false;
    } else if (!is_blank(c)) {
        r->nname = 0;
        add_to_name(r, c);
        r->state = XML_ATTRIBUTE;
    }
}

static void in_attribute(struct link_rewriter *r, char c)
{
    if (c == '=' || is_blank(c)) {
        r->state = XML_EQUALS;
    } else if (c == '>') {
        in_tag(r, c);
    } else {
        add_to_name(r, c);
    }
}

/* True if a link's value begins behind c. */
static bool before_value(struct link_rewriter *r, char c)
{
    if (c == '"' || c == '\'') {
        r->quote = c;
        r->state = XML_VALUE;
        return link_is_attribute(name_of(r));
    }
    if (c == '>')
        in_tag(r, c);
    return false;
}

static void in_skipped(struct link_rewriter *r, char c)
{
    size_t n = strlen(r->until);

    if (c == r->until[r->nuntil])
        r->nuntil++;
    else if (!(r->nuntil == n - 1 && n > 1 && c == r->until[0])) /* --->, ]]]> */
        r->nuntil = c == r->until[0] ? 1 : 0;
    if (r->nuntil == n)
        r->state = XML_TEXT;
}

/* One byte; true if a link may begin behind it. */
static bool step(struct link_rewriter *r, char c)
{
    switch (r->state) {
    case XML_OPEN:
        open_tag(r, c);
        return false;
    case XML_NAME:
        end_name(r, c);
        return r->state == XML_TEXT_START;
    case XML_TAG:
        in_tag(r, c);
        return r->state == XML_TEXT_START;
    case XML_ATTRIBUTE:
        in_attribute(r, c);
        return r->state == XML_TEXT_START;
    case XML_EQUALS:
        return before_value(r, c) || r->state == XML_TEXT_START;
    case XML_BANG:
        open_bang(r, c);
        return false;
    case XML_SKIP:
        in_skipped(r, c);
        return false;
    case XML_TEXT_START:
        if (!is_blank(c))
            r->state = c == '<' ? XML_OPEN : XML_TEXT;
        return r->state == XML_TEXT_START;
    default:
        return false;
    }
}

/* Behind the next byte that matters; what lies between is text or a value. */
static const char *pass(struct link_rewriter *r, const char *at, const char *end)
{
    char mark = r->state == XML_TEXT ? '<' : r->quote;
    const char *found = memchr(at, mark, (size_t)(end - at));

    if (found == NULL)
        return end;
    r->state = r->state == XML_TEXT ? XML_OPEN : XML_TAG;
    return found + 1;
}

/* A link may begin at `at`: in a text, or in a value. */
static void begin(struct link_rewriter *r, const char **from, const char **at, const char *end,
                  struct link_out *o)
{
    if (r->state == XML_TEXT_START && *at < end && (is_blank(**at) || **at == '<'))
        return;
    const char *before = *at;
    link_out_add(o, *from, (size_t)(*at - *from));
    *from = *at;
    if (*at == end)
        r->matching = r->state == XML_VALUE;
    else
        link_begin(r, at, end, o);
    if (*at > before || r->matching)
        *from = *at;
    if (*at > before && r->state == XML_TEXT_START)
        r->state = XML_TEXT;
}

void link_run_xml(struct link_rewriter *r, struct slice *in, struct link_out *o)
{
    bool resolved = r->matching;

    if (r->matching && !link_resolve(r, in, o))
        return;
    if (resolved && r->state == XML_TEXT_START)
        r->state = XML_TEXT;
    const char *from = in->p, *at = from, *end = in->p + in->n;
    if (r->state == XML_TEXT_START && at < end)
        begin(r, &from, &at, end, o);
    while (at < end && !link_out_is_full(o)) {
        if (r->state == XML_TEXT || r->state == XML_VALUE)
            at = pass(r, at, end);
        else if (step(r, *at++))
            begin(r, &from, &at, end, o);
    }
    link_out_add(o, from, (size_t)(at - from));
    *in = (struct slice){at, (size_t)(end - at)};
}
