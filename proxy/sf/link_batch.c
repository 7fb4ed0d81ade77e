#include "sf/link_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sf/link_names.h"
#include "sf/link_part.h"

enum { MAX_BOUNDARY = 70 /* RFC 2046, 5.1.1 */ };

enum place { IN_PREAMBLE, IN_PART, AT_DELIMITER, IN_EPILOGUE };

struct link_batch {
    struct link_part_common own;     /* of the outermost batch */
    struct link_part_common *common; /* points to own of the outermost batch */
    int depth;
    char delimiter[MAX_BOUNDARY + 3]; /* with the two dashes before it */
    size_t ndelimiter;
    enum place place;
    struct buf buffer;
    size_t gone;             /* bytes of buffer that were passed on */
    size_t searched;         /* bytes after `gone` in which no delimiter begins */
    struct link_part *large; /* a large part that is passed on; NULL: the part is collected */
    bool ended;              /* no bytes come after those in buffer */
    bool changed;
};

/* ---- media types ---- */

static struct slice unquoted(struct slice s)
{
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        return (struct slice){s.p + 1, s.n - 2};
    return s;
}

/* The value of the parameter boundary; empty: there is none. */
static struct slice boundary_of(struct slice content_type)
{
    struct slice rest = content_type, type = link_trim(slice_split(&rest, ';'));

    if (!slice_eq_nocase(type, SLICE("multipart/mixed")))
        return (struct slice){NULL, 0};
    while (rest.n > 0) {
        struct slice value = slice_split(&rest, ';');
        struct slice name = link_trim(slice_split(&value, '='));
        if (slice_eq_nocase(name, SLICE("boundary")))
            return unquoted(link_trim(value));
    }
    return (struct slice){NULL, 0};
}

bool link_batch_is(struct slice content_type)
{
    struct slice boundary = boundary_of(content_type);

    return boundary.n > 0 && boundary.n <= MAX_BOUNDARY;
}

/* ---- life ---- */

static struct link_batch *open_within(struct slice content_type, struct link_part_common *common,
                                      int depth)
{
    struct slice boundary = boundary_of(content_type);

    if (boundary.p == NULL || !link_batch_is(content_type) || depth > LINK_BATCH_DEPTH)
        return NULL;
    struct link_batch *b = NEW(struct link_batch);
    b->common = common;
    b->depth = depth;
    memcpy(b->delimiter, "--", 2);
    memcpy(b->delimiter + 2, boundary.p, boundary.n);
    b->ndelimiter = boundary.n + 2;
    return b;
}

void link_batch_free(struct link_batch *b)
{
    if (b == NULL)
        return;
    link_part_free(b->large);
    buf_free(&b->buffer);
    free(b);
}

static bool has_changed(const struct link_batch *b)
{
    return b->changed || (b->large != NULL && link_part_has_changed(b->large));
}

static const struct link_part_inner inner = {
    open_within, link_batch_run, link_batch_finish, has_changed, link_batch_free,
};

struct link_batch *link_batch_new(struct slice content_type, const struct link_rules *rules,
                                  size_t part_max)
{
    struct link_batch *b = open_within(content_type, NULL, 0);

    if (b == NULL)
        return NULL;
    b->own = (struct link_part_common){.inner = &inner, .rules = rules, .part_max = part_max};
    b->common = &b->own;
    link_names_prepare();
    return b;
}

bool link_batch_left_any(const struct link_batch *b)
{
    return b->common->left;
}

/* ---- delimiters ---- */

/* The bytes that were not passed on yet. */
static struct slice segment_of(const struct link_batch *b)
{
    if (b->buffer.n == b->gone)
        return SLICE("");
    return (struct slice){b->buffer.p + b->gone, b->buffer.n - b->gone};
}

/* Does the delimiter end here? Another boundary may begin like this one and continue with a dash;
 * only two dashes end the last delimiter. *sure: enough bytes have come to decide. */
static bool ends_delimiter(const char *behind, const char *end, bool ended, bool *sure)
{
    *sure = ended || (behind < end && (*behind != '-' || behind + 1 < end));
    if (behind == end)
        return true;
    return *sure &&
           (*behind == '-' ? behind + 1 < end && behind[1] == '-' : link_is_blank(*behind));
}

/* The first complete delimiter at the beginning of a line; NULL: none so far, and none begins
 * before `searched`. */
static const char *find_delimiter(struct link_batch *b)
{
    struct slice segment = segment_of(b);
    const char *p = segment.p + b->searched, *end = segment.p + segment.n, *found;

    while ((found = memmem(p, (size_t)(end - p), b->delimiter, b->ndelimiter)) != NULL) {
        bool at_start = found > segment.p ? found[-1] == '\n' : b->place == IN_PREAMBLE, sure;
        bool ends = ends_delimiter(found + b->ndelimiter, end, b->ended, &sure);
        if (!sure) {
            b->searched = (size_t)(found - segment.p);
            return NULL;
        }
        if (at_start && ends) {
            b->searched = (size_t)(found - segment.p);
            return found;
        }
        /* Continues at the next line, not at the next byte: if the boundary consists of dashes
         * only, it matches at each byte. */
        const char *line = memchr(found, '\n', (size_t)(end - found));
        if (line == NULL)
            break;
        p = line + 1;
    }
    b->searched = segment.n < b->ndelimiter ? 0 : segment.n - b->ndelimiter;
    return NULL;
}

static size_t line_end_before(const char *start, const char *p)
{
    if (p > start && p[-1] == '\n')
        return p > start + 1 && p[-2] == '\r' ? 2 : 1;
    return 0;
}

static void consume(struct link_batch *b, size_t n)
{
    b->gone += n;
    b->searched = b->searched > n ? b->searched - n : 0;
}

/* How many bytes of the segment certainly belong to the part or the preamble. */
static size_t ready_of(const struct link_batch *b, const char *found)
{
    struct slice segment = segment_of(b);
    size_t kept = b->ndelimiter + 3; /* a line end before the delimiter, and a dash after it */

    if (found != NULL)
        return (size_t)(found - segment.p) - line_end_before(segment.p, found);
    if (b->ended)
        return segment.n;
    return segment.n > kept ? segment.n - kept : 0;
}

/* ---- steps: each returns true if the next step can follow at once ---- */

static void write_text(struct link_batch *b, size_t n, struct buf *out)
{
    buf_add(out, segment_of(b).p, n);
    consume(b, n);
}

static bool run_preamble(struct link_batch *b, struct buf *out)
{
    const char *found = find_delimiter(b);

    write_text(b, ready_of(b, found), out);
    if (found != NULL)
        b->place = AT_DELIMITER;
    return found != NULL;
}

/* Writes the delimiter, with the line end before it. */
static bool run_delimiter(struct link_batch *b, struct buf *out)
{
    struct slice segment = segment_of(b);
    size_t n = b->ndelimiter + (*segment.p == '\r' ? 2 : *segment.p == '\n' ? 1 : 0);
    bool last = segment.n >= n + 2 && memcmp(segment.p + n, "--", 2) == 0;

    write_text(b, n, out);
    b->place = last ? IN_EPILOGUE : IN_PART;
    return true;
}

/* Gives `ready` bytes to the large part. whole: the part ends after them. */
static bool run_large(struct link_batch *b, size_t ready, bool whole, struct buf *out)
{
    struct slice text = {segment_of(b).p, ready};
    bool more = link_part_run(b->large, &text, out);

    consume(b, ready - text.n);
    if (more || text.n > 0)
        return true;
    if (!whole || link_part_finish(b->large, out))
        return whole;
    b->changed = has_changed(b);
    link_part_free(b->large);
    b->large = NULL;
    b->place = b->ended && segment_of(b).n == 0 ? IN_EPILOGUE : AT_DELIMITER;
    return true;
}

static bool run_part(struct link_batch *b, struct buf *out)
{
    const char *found = find_delimiter(b);
    bool whole = found != NULL || b->ended;
    size_t ready = ready_of(b, found);
    struct slice text = {segment_of(b).p, ready};

    if (b->large != NULL)
        return run_large(b, ready, whole, out);
    if (ready > b->common->part_max) {
        text.n = b->common->part_max;
        b->large = link_part_begin(b->common, b->depth, text, out);
    } else if (whole) {
        b->changed = link_part_write(b->common, b->depth, text, out) || b->changed;
        b->place = found != NULL ? AT_DELIMITER : IN_EPILOGUE;
    } else {
        return false;
    }
    consume(b, text.n);
    return true;
}

static bool step(struct link_batch *b, struct buf *out)
{
    switch (b->place) {
    case IN_PREAMBLE:
        return run_preamble(b, out);
    case IN_PART:
        return run_part(b, out);
    case AT_DELIMITER:
        return run_delimiter(b, out);
    default:
        write_text(b, segment_of(b).n, out);
        return false;
    }
}

/* Returns true if there is more output than for one turn. */
static bool go(struct link_batch *b, struct buf *out)
{
    size_t start = out->n;

    while (step(b, out))
        if (out->n - start >= LINK_BATCH_TURN)
            return true;
    return false;
}

/* Moves the buffer only once in each call, whatever the number of parts. */
static void close_gap(struct link_batch *b)
{
    if (b->gone == 0)
        return;
    b->buffer.n -= b->gone;
    memmove(b->buffer.p, b->buffer.p + b->gone, b->buffer.n);
    b->gone = 0;
}

bool link_batch_run(struct link_batch *b, struct slice *in, struct buf *out)
{
    size_t n = in->n < LINK_BATCH_TURN ? in->n : LINK_BATCH_TURN;
    bool more = go(b, out);

    if (!more && n > 0) {
        buf_add(&b->buffer, in->p, n);
        in->p += n;
        in->n -= n;
        more = go(b, out);
    }
    close_gap(b);
    return more;
}

bool link_batch_finish(struct link_batch *b, struct buf *out)
{
    b->ended = true;
    bool more = go(b, out);
    close_gap(b);
    return more;
}
