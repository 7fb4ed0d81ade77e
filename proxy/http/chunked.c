#include "http/chunked.h"

#include "http/chars.h"

enum {
    MAX_DIGITS = 16,      /* hex digits of 64 bits, with leading zeros */
    MAX_EXTENSION = 1024, /* bytes of one chunk's extensions (RFC 9112, 7.1.1: limit them) */
};

enum {
    SIZE,
    BLANK,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_LF,
    END,
};

/* After the size come blanks, which some servers use as padding, and then an extension or the end
 * of the line. Anything else is refused. */
static bool read_blank(struct chunked *c, char ch)
{
    c->state = ch == '\r' ? SIZE_LF : ch == ';' ? EXTENSION : BLANK;
    return (ch == '\r' || ch == ';' || ch == ' ' || ch == '\t') && ++c->extension <= MAX_EXTENSION;
}

static bool read_size(struct chunked *c, char ch)
{
    int digit = char_hex(ch);

    if (digit >= 0) {
        c->left = c->left << 4 | (unsigned)digit;
        return ++c->digits <= MAX_DIGITS && c->left <= INT64_MAX;
    }
    if (c->digits == 0)
        return false;
    c->extension = 0;
    return read_blank(c, ch);
}

static bool read_extension(struct chunked *c, char ch)
{
    if (ch == '\r')
        c->state = SIZE_LF;
    else if (!char_is(ch, CHAR_VALUE))
        return false;
    return ++c->extension <= MAX_EXTENSION;
}

static bool read_trailer(struct chunked *c, char ch)
{
    if (ch == '\r')
        c->state = TRAILER_LF;
    else if (!char_is(ch, CHAR_VALUE))
        return false;
    else
        c->line++;
    buf_add(&c->trailers, &ch, 1);
    return c->trailers.n <= c->max_trailers;
}

static bool read_trailer_lf(struct chunked *c, char ch)
{
    if (ch != '\n')
        return false;
    if (c->line == 0) {
        c->trailers.n--; /* the CR of the empty line */
        c->state = END;
    } else {
        buf_add(&c->trailers, &ch, 1);
        c->line = 0;
        c->state = TRAILER;
    }
    return true;
}

/* Reads one byte of framing. */
static bool step(struct chunked *c, char ch)
{
    switch (c->state) {
    case SIZE:
        return read_size(c, ch);
    case BLANK:
        return read_blank(c, ch);
    case EXTENSION:
        return read_extension(c, ch);
    case SIZE_LF:
        c->state = c->left > 0 ? DATA : TRAILER;
        return ch == '\n';
    case DATA_CR:
        c->state = DATA_LF;
        return ch == '\r';
    case DATA_LF:
        c->state = SIZE;
        c->digits = 0;
        return ch == '\n';
    case TRAILER:
        return read_trailer(c, ch);
    case TRAILER_LF:
        return read_trailer_lf(c, ch);
    default:
        return false;
    }
}

enum chunked_result chunked_read(struct chunked *c, struct slice *in, struct slice *data)
{
    while (c->state != END && in->n > 0) {
        if (c->state == DATA) {
            size_t n = in->n < c->left ? in->n : (size_t)c->left;
            *data = (struct slice){in->p, n};
            in->p += n;
            in->n -= n;
            c->left -= n;
            if (c->left == 0)
                c->state = DATA_CR;
            return CHUNKED_DATA;
        }
        if (!step(c, *in->p))
            return CHUNKED_REFUSED;
        in->p++;
        in->n--;
    }
    return c->state == END ? CHUNKED_END : CHUNKED_MORE;
}

void chunked_put_back(struct chunked *c, size_t n)
{
    c->left += n;
    c->state = DATA;
}

void chunked_free(struct chunked *c)
{
    buf_free(&c->trailers);
}
