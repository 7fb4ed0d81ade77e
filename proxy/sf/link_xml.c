/*
 * XML is read tag by tag, as far as needed to know which name an attribute's
 * value or a text belongs to: names, quotes, and parts that are skipped
 * (comments, CDATA, processing instructions, declarations).
 */
#include "sf/link_xml.h"

#include <string.h>

#include "sf/link_names.h"

/* A name that is too long cannot be a known one. */
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
        return;
    }
    if (c == '?') {
        skip_until(r, "?>");
        return;
    }
    r->starts_text = false;
    if (c == '/') {
        skip_until(r, ">");
    } else {
        r->state = XML_NAME;
        add_to_name(r, c);
    }
}

/* <!-- and <![CDATA[ are recognised by their first two letters. <!DOCTYPE and similar end with
 * >. */
static void open_bang(struct link_rewriter *r, char c)
{
    add_to_name(r, c);
    if (r->nname == 1 && (c == '-' || c == '['))
        return;
    if (r->nname == 2 && r->name[0] == '[' && r->starts_text)
        r->state = XML_CDATA;
    else
        skip_until(r, r->nname < 2 ? ">" : r->name[0] == '-' ? "-->" : "]]>");
}

static void open_cdata(struct link_rewriter *r, char c)
{
    if (c == '[')
        r->state = XML_CDATA_START;
}

static void end_tag(struct link_rewriter *r)
{
    r->starts_text = r->link_element;
    r->state = r->link_element ? XML_TEXT_START : XML_TEXT;
}

static void in_tag(struct link_rewriter *r, char c)
{
    if (c == '>') {
        end_tag(r);
    } else if (c == '/') {
        r->link_element = false;
    } else if (!link_is_blank(c)) {
        r->nname = 0;
        add_to_name(r, c);
        r->state = XML_ATTRIBUTE;
    }
}

static void end_name(struct link_rewriter *r, char c)
{
    if (!link_is_blank(c) && c != '>' && c != '/') {
        add_to_name(r, c);
        return;
    }
    r->link_element = link_is_element(name_of(r));
    r->state = XML_TAG;
    in_tag(r, c);
}

static void in_attribute(struct link_rewriter *r, char c)
{
    if (c == '=' || link_is_blank(c)) {
        r->state = XML_EQUALS;
    } else if (c == '>') {
        in_tag(r, c);
    } else {
        add_to_name(r, c);
    }
}

static void before_value(struct link_rewriter *r, char c)
{
    static const enum link_xml_state begin[] = {[VALUE_OTHER] = XML_VALUE,
                                                [VALUE_URL] = XML_VALUE_START,
                                                [VALUE_LIST] = XML_ITEM_START,
                                                [VALUE_PAIRS] = XML_ITEM_START};

    if (c == '"' || c == '\'') {
        r->quote = c;
        r->value = link_attribute(name_of(r));
        r->skips_item = r->value == VALUE_PAIRS;
        r->state = begin[r->value];
    } else if (c == '>') {
        in_tag(r, c);
    }
}

static void in_item(struct link_rewriter *r, char c)
{
    if (c == r->quote)
        r->state = XML_TAG;
    else if (link_is_blank(c))
        r->state = XML_ITEM_START;
}

static void in_skipped(struct link_rewriter *r, char c)
{
    size_t n = strlen(r->until);

    if (c == r->until[r->nuntil])
        r->nuntil++;
    /* --->, ]]]>: one more of the first character */
    else if (!(r->nuntil == n - 1 && n > 1 && c == r->until[0]))
        r->nuntil = c == r->until[0] ? 1 : 0;
    if (r->nuntil == 0 && r->until[0] == ']') /* CDATA that has a text */
        r->starts_text = false;
    if (r->nuntil == n)
        r->state = r->starts_text ? XML_TEXT_START : XML_TEXT;
}

static void step(struct link_rewriter *r, char c)
{
    switch (r->state) {
    case XML_OPEN:
        open_tag(r, c);
        break;
    case XML_NAME:
        end_name(r, c);
        break;
    case XML_TAG:
        in_tag(r, c);
        break;
    case XML_ATTRIBUTE:
        in_attribute(r, c);
        break;
    case XML_EQUALS:
        before_value(r, c);
        break;
    case XML_ITEM:
        in_item(r, c);
        break;
    case XML_BANG:
        open_bang(r, c);
        break;
    case XML_CDATA:
        open_cdata(r, c);
        break;
    default:
        in_skipped(r, c);
        break;
    }
}

/* Reads bytes of a value or text that were held and passed on. Of the marks that end those, only
 * CDATA's is longer than one byte. */
static void read_released(struct link_rewriter *r, struct slice text)
{
    for (size_t i = 0; i < text.n && r->state == XML_SKIP; i++)
        in_skipped(r, text.p[i]);
}

/* Returns the place after the next byte that matters; the bytes before it are text or a value. */
static const char *skip_to_mark(struct link_rewriter *r, const char *at, const char *end)
{
    char mark = r->state == XML_TEXT ? '<' : r->quote;
    const char *found = memchr(at, mark, (size_t)(end - at));

    if (found == NULL)
        return end;
    r->state = r->state == XML_TEXT ? XML_OPEN : XML_TAG;
    return found + 1;
}

static bool may_begin(const struct link_rewriter *r)
{
    return r->state == XML_VALUE_START || r->state == XML_ITEM_START ||
           r->state == XML_TEXT_START || r->state == XML_CDATA_START;
}

static bool item_begins(struct link_rewriter *r, char c)
{
    if (c == r->quote || link_is_blank(c)) {
        r->state = c == r->quote ? XML_TAG : XML_ITEM_START;
        return false;
    }
    bool skips = r->skips_item;
    r->skips_item = !skips && r->value == VALUE_PAIRS;
    r->state = XML_ITEM;
    return !skips;
}

static bool text_begins(struct link_rewriter *r, char c)
{
    if (r->state == XML_TEXT_START && c == '<')
        r->state = XML_OPEN;
    if (r->state == XML_OPEN || link_is_blank(c))
        return false;
    r->starts_text = r->state == XML_CDATA_START && c == ']'; /* the CDATA may be empty */
    if (r->state == XML_TEXT_START)
        r->state = XML_TEXT;
    else
        skip_until(r, "]]>");
    return true;
}

/* Does a link begin at c? If so, the state is the one that follows. Otherwise c is skipped. */
static bool begins(struct link_rewriter *r, char c)
{
    if (r->state == XML_ITEM_START)
        return item_begins(r, c);
    if (r->state != XML_VALUE_START)
        return text_begins(r, c);
    r->state = XML_VALUE;
    return true;
}

void link_run_xml(struct link_rewriter *r, struct slice *in, struct link_out *o)
{
    if (r->matching) {
        struct slice released;
        if (!link_resolve(r, in, o, &released))
            return;
        read_released(r, released);
    }
    const char *from = in->p, *at = from, *end = in->p + in->n;
    while (at < end && !link_out_is_full(o)) {
        if (r->state == XML_TEXT || r->state == XML_VALUE) {
            at = skip_to_mark(r, at, end);
        } else if (!may_begin(r)) {
            step(r, *at++);
        } else if (begins(r, *at)) {
            link_out_add(o, from, (size_t)(at - from));
            link_begin(r, &at, end, o);
            from = at;
        } else {
            at++;
        }
    }
    link_out_add(o, from, (size_t)(at - from));
    *in = (struct slice){at, (size_t)(end - at)};
}
