#include "exchange/links.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/chars.h"
#include "http/coding.h"
#include "http/set_cookie.h"
#include "sf/link_batch.h"
#include "sf/link_field.h"

enum {
    DECODED_ROOM = 64 * 1024, /* bytes of content that are decoded at a time */
    PORTION = 64 * 1024,      /* bytes of a batch that are passed on at a time */
};

/* ---- the base ---- */

/* True if s can be written into JSON, XML and a header field without escapes. */
static bool is_plain(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!char_is(c, CHAR_HOST) && c != ':' && c != '[' && c != ']' && c != '~')
            return false;
    }
    return s.n > 0;
}

void links_write_base(struct buf *out, const struct head *request, const struct target *target,
                      bool tls)
{
    bool https = target->form == TARGET_ABSOLUTE ? target->https : tls;
    size_t start = out->n;

    buf_add_string(out, https ? "https://" : "http://");
    size_t authority = out->n;
    if (target->form == TARGET_ABSOLUTE)
        authority_write(out, &target->authority, 0);
    else if (target->form == TARGET_AUTHORITY)
        authority_write(out, &target->authority, authority_default_port(https));
    else
        buf_add_slice(out, head_value(request, FIELD_HOST));
    if (!is_plain((struct slice){out->p + authority, out->n - authority}))
        out->n = start;
}

/* ---- which bodies ---- */

enum content { CONTENT_OTHER, CONTENT_LINKS, CONTENT_BATCH };

static enum content content_of(const struct head *h, enum link_syntax *syntax)
{
    struct slice content_type = head_value(h, FIELD_CONTENT_TYPE), rest = content_type;

    if (link_syntax_of(slice_trim(slice_split(&rest, ';')), syntax))
        return CONTENT_LINKS;
    return link_batch_is(content_type) ? CONTENT_BATCH : CONTENT_OTHER;
}

static bool is_answer(const struct head *h)
{
    return h->status != 0;
}

/* A part of a content could begin in the middle of a link (RFC 9110, 14.4 and 14.5). */
static bool is_part(const struct head *h)
{
    return is_answer(h) ? h->status == 206 : head_has(h, FIELD_CONTENT_RANGE);
}

static bool holds_links(const struct head *h)
{
    enum link_syntax syntax;

    if (!head_has(h, FIELD_CONTENT_TYPE) || coding_of(h) == CODING_OTHER)
        return false;
    return content_of(h, &syntax) != CONTENT_OTHER;
}

bool links_are_in(const struct head *h)
{
    return !is_part(h) && holds_links(h);
}

bool links_are_parted(const struct head *h)
{
    if (h->status != 206)
        return false;
    struct slice rest = head_value(h, FIELD_CONTENT_TYPE);
    return holds_links(h) ||
           slice_eq_nocase(slice_trim(slice_split(&rest, ';')), SLICE("multipart/byteranges"));
}

/* ---- the filter ---- */

struct link_filter {
    const struct tenant *tenant;
    struct link_place place; /* for requests: the caller's base */
    char *origin;
    char *base, *escaped;
    struct link_rules rules;
    struct link_rewriter links;
    struct link_batch *batch; /* NULL: the content is JSON or XML */
    struct buf batched;       /* what the batch has written */
    size_t passed;            /* bytes of batched that were passed on */
    bool unfinished;          /* the batch has more output before it needs input */
    bool told;                /* a warning of links left in the batch was logged */
    struct decoder *decoder;  /* NULL: the content is not coded */
    char *room;
    struct slice decoded;
    bool decoded_all;
};

/* Writes "a/b" as "a\/b", which some JSON writers do. */
static char *escape_slashes(const char *s)
{
    struct buf out = {0};

    for (; *s != '\0'; s++)
        buf_addf(&out, "%s%c", *s == '/' ? "\\" : "", *s);
    char *escaped = mem_copy_bytes(out.p, out.n);
    buf_free(&out);
    return escaped;
}

static struct link_filter *filter_new(const struct tenant *t, struct slice base,
                                      const struct head *h)
{
    struct link_filter *f = NEW(struct link_filter);
    enum coding coding = coding_of(h);
    enum link_syntax syntax;

    f->tenant = t;
    f->base = mem_copy_bytes(base.p, base.n);
    f->escaped = escape_slashes(f->base);
    f->rules.base = f->base;
    f->rules.escaped = f->escaped;
    if (coding != CODING_IDENTITY) {
        f->decoder = decoder_new(coding);
        f->room = mem_new(DECODED_ROOM);
    }
    if (content_of(h, &syntax) == CONTENT_BATCH)
        f->batch = link_batch_new(head_value(h, FIELD_CONTENT_TYPE), &f->rules, LINK_BATCH_PART);
    link_start(&f->links, syntax, &f->rules);
    return f;
}

struct link_filter *link_filter_for_answer(const struct tenant *t, struct slice base,
                                           const struct head *h)
{
    struct link_filter *f = filter_new(t, base, h);

    f->rules.places = t->places;
    f->rules.nplaces = t->nplaces;
    return f;
}

struct link_filter *link_filter_for_request(const struct tenant *t, struct slice base,
                                            const struct head *h)
{
    struct link_filter *f = filter_new(t, slice_of(t->url), h);
    struct authority a;
    struct slice authority = base;
    bool https = base.n > 5 && base.p[4] == 's';

    authority.p += https ? 8 : 7;
    authority.n -= https ? 8 : 7;
    if (!authority_parse(authority, &a))
        return f; /* without a place, so that no link matches */
    int port = a.port != 0 ? a.port : authority_default_port(https);
    f->origin = mem_format(a.ipv6 ? "%s[%.*s]" : "%s%.*s", https ? "https://" : "http://",
                           (int)a.host.n, a.host.p);
    f->place = (struct link_place){slice_of(f->origin), port, port};
    f->rules.places = &f->place;
    f->rules.nplaces = 1;
    return f;
}

void link_filter_free(struct link_filter *f)
{
    if (f == NULL)
        return;
    decoder_free(f->decoder);
    link_batch_free(f->batch);
    buf_free(&f->batched);
    free(f->room);
    free(f->origin);
    free(f->base);
    free(f->escaped);
    free(f);
}

/* Decodes the next portion. Returns false if the content is damaged. */
static bool decode(struct link_filter *f, struct slice *content, bool last)
{
    size_t n;
    enum decoded result = decoder_run(f->decoder, content, f->room, DECODED_ROOM, &n);

    f->decoded = (struct slice){f->room, n};
    f->decoded_all = result == DECODED_END || result == DECODED_MORE;
    if (result == DECODED_MORE && last && !decoder_is_fresh(f->decoder))
        return false; /* the content ends too early */
    return result != DECODED_BAD;
}

static void tell_what_is_left(struct link_filter *f)
{
    if (f->told || !link_batch_left_any(f->batch))
        return;
    f->told = true;
    log_say(LOG_WARNING,
            "tenant %s: links in a $batch were not changed: they begin more than %d KiB after the "
            "beginning of a part that has a Content-Length, which would then be wrong; send such "
            "parts without Content-Length, or as requests of their own",
            f->tenant->name, LINK_BATCH_PART / 1024);
}

static bool has_batched(const struct link_filter *f)
{
    return f->unfinished || f->passed < f->batched.n;
}

/* The batch writes a whole part at once; it is passed on in portions. */
static size_t run_batch(struct link_filter *f, struct slice *text, bool last, struct iovec *piece)
{
    if (f->passed == f->batched.n) {
        f->batched.n = f->passed = 0;
        f->unfinished = link_batch_run(f->batch, text, &f->batched) ||
                        (last && text->n == 0 && link_batch_finish(f->batch, &f->batched));
        tell_what_is_left(f);
    }
    size_t left = f->batched.n - f->passed, n = left < PORTION ? left : PORTION;
    if (n == 0)
        return 0;
    *piece = (struct iovec){f->batched.p + f->passed, n};
    f->passed += n;
    return 1;
}

static size_t run_links(struct link_filter *f, struct slice *text, bool last, struct iovec *pieces,
                        size_t room)
{
    size_t count = link_run(&f->links, text, pieces, room - 1);

    if (last && text->n == 0)
        count += link_finish(&f->links, pieces + count);
    return count;
}

static enum filter_result run(void *ctx, struct slice *content, bool last, struct iovec *pieces,
                              size_t room, size_t *count)
{
    struct link_filter *f = ctx;
    struct slice *text = f->decoder != NULL ? &f->decoded : content;

    *count = 0;
    if (f->decoder != NULL && f->decoded.n == 0 && !has_batched(f) && !decode(f, content, last))
        return FILTER_BAD;
    bool all = f->decoder == NULL || (f->decoded_all && content->n == 0);
    *count = f->batch != NULL ? run_batch(f, text, last && all, pieces)
                              : run_links(f, text, last && all, pieces, room);
    if (text->n > 0 || !all || has_batched(f))
        return FILTER_FULL;
    if (last)
        return FILTER_END;
    /* Pieces that lie in the filter's own memory have to be sent before that memory is used
     * again. */
    bool own = f->decoder != NULL || f->batch != NULL || f->links.flushes;
    return *count > 0 && own ? FILTER_FULL : FILTER_MORE;
}

struct body_filter link_filter_run(struct link_filter *f)
{
    return (struct body_filter){run, f};
}

/* ---- fields ---- */

static struct link_rules rules_of(const struct tenant *t, const char *base)
{
    return (struct link_rules){t->places, t->nplaces, base, base};
}

/* The host of the base: a name, or an address in the form that a URL has. */
static struct slice host_of(struct slice base, bool *tls)
{
    *tls = base.n > 5 && base.p[4] == 's';
    base.p += *tls ? 8 : 7;
    base.n -= *tls ? 8 : 7;
    const char *bracket = memchr(base.p, ']', base.n);
    if (bracket != NULL)
        return (struct slice){base.p, (size_t)(bracket + 1 - base.p)};
    return slice_split(&base, ':');
}

static void add_cookie(struct slice base, struct slice value, struct buf *out)
{
    bool tls;
    struct slice host = host_of(base, &tls);

    set_cookie_write(value, host, tls, out);
}

void links_write_field(const struct tenant *t, struct slice base, const struct field *f,
                       struct buf *out)
{
    char *text = mem_copy_bytes(base.p, base.n);
    struct link_rules rules = rules_of(t, text);

    if (f->id == FIELD_SET_COOKIE)
        add_cookie(base, f->value, out);
    else if (f->id == FIELD_LINK)
        link_write_targets(&rules, f->value, out);
    else
        link_write_url(&rules, f->value, out);
    free(text);
}
