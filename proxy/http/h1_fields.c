/*
 * Each byte of a line is read once: a name up to its colon, a value up to the
 * first byte that is not allowed in a value. In a well-formed line that byte is
 * the CR.
 */
#include "http/h1_fields.h"

#include "base/block.h"
#include "http/chars.h"

/* Fields that frame the message or control the connection. With a blank before the colon, one
 * reader would apply them, while another would take them for unknown fields. */
static bool is_framing(enum field_id id)
{
    return (field_bit(id) & (FIELDS_HOP_BY_HOP | field_bit(FIELD_CONTENT_LENGTH) |
                             field_bit(FIELD_TRANSFER_ENCODING) | field_bit(FIELD_FRAMING_ALIAS) |
                             field_bit(FIELD_TRAILER))) != 0;
}

/* Such a blank is refused in a request, and removed in an answer (RFC 9112, 5.1). */
static bool cut_blank(struct slice *name, bool is_answer)
{
    struct slice cut = slice_trim(*name);

    if (cut.n == name->n)
        return true;
    if (!is_answer || is_framing(field_identify(cut)))
        return false;
    *name = cut;
    return true;
}

/* The first colon or LF at or after p; end if there is none. */
static const char *find_colon(const char *p, const char *end)
{
    for (; end - p >= BLOCK_SIZE; p += BLOCK_SIZE) {
        size_t at = block_first(block_find(p, ':') | block_find(p, '\n'));
        if (at < BLOCK_SIZE)
            return p + at;
    }
    while (p < end && *p != ':' && *p != '\n')
        p++;
    return p;
}

/* The first byte at or after p that is not allowed in a value; end if there is none. */
static const char *find_value_end(const char *p, const char *end)
{
    const block tab = block_of('\t'), blank = block_of(' '), del = block_of('\x7f');

    for (; end - p >= BLOCK_SIZE; p += BLOCK_SIZE) {
        block b = block_load(p);
        size_t at = block_first(((block)(b < blank) & (block)(b != tab)) | (block)(b == del));
        if (at < BLOCK_SIZE)
            return p + at;
    }
    while (p < end && char_is(*p, CHAR_VALUE))
        p++;
    return p;
}

/* Reads a name. A known name has only allowed characters, so only other names are checked byte by
 * byte. Returns what is wrong; NULL: nothing. */
static const char *read_name(struct slice name, bool is_answer, struct field *f)
{
    f->name = name;
    f->id = field_known(name);
    if (f->id != FIELD_OTHER)
        return NULL;
    if (!cut_blank(&f->name, is_answer))
        return "A field has a blank before its colon.";
    if (f->name.n == 0 || !chars_are(f->name, CHAR_TOKEN))
        return "A field name holds a character that is not allowed there.";
    f->id = f->name.n == name.n ? field_family(name) : field_identify(f->name);
    return NULL;
}

/* Reads the line at *p, and moves *p past its CRLF. Returns what is wrong; NULL: nothing. */
static const char *read_field(const char **p, const char *end, bool is_answer, struct field *f)
{
    if (**p == ' ' || **p == '\t')
        return "A header line begins with a blank (line folding is obsolete).";
    const char *colon = find_colon(*p, end);
    if (colon == end || *colon != ':')
        return "A header line has no colon.";
    const char *flaw = read_name((struct slice){*p, (size_t)(colon - *p)}, is_answer, f);
    if (flaw != NULL)
        return flaw;
    const char *value_end = find_value_end(colon + 1, end);
    if (end - value_end < 2 || value_end[0] != '\r' || value_end[1] != '\n')
        return "A field value holds a control character.";
    f->value = slice_trim((struct slice){colon + 1, (size_t)(value_end - colon - 1)});
    *p = value_end + 2;
    return NULL;
}

enum h1_fields h1_read_fields(struct slice lines, bool is_answer, struct head *head,
                              const char **flaw)
{
    const char *p = lines.p, *end = lines.p + lines.n;

    head->nfields = 0;
    head->seen = 0;
    while (p < end) {
        if (head->nfields == head->max_fields)
            return H1_FIELDS_TOO_MANY;
        struct field *f = &head->fields[head->nfields];
        *flaw = read_field(&p, end, is_answer, f);
        if (*flaw != NULL)
            return H1_FIELDS_MALFORMED;
        head->nfields++;
        head->seen |= field_bit(f->id);
    }
    return H1_FIELDS_READ;
}
