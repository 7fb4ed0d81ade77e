#include "sf/link_part.h"

#include <stdlib.h>

#include "base/mem.h"
#include "sf/link.h"
#include "sf/link_head.h"

enum { HEADS = 2 }; /* that of the part, and that of a message in it */

/* ---- contents ---- */

enum content_kind { CONTENT_OTHER, CONTENT_LINKS, CONTENT_BATCH };

struct content {
    enum content_kind kind;
    struct link_rewriter links;
    struct link_batch *batch;
    const struct link_part_inner *inner; /* for batch */
};

static void content_start(struct content *c, struct link_part_common *common, int depth,
                          const struct link_head *head)
{
    struct slice rest = head->content_type, type = link_trim(slice_split(&rest, ';'));
    enum link_syntax syntax;

    c->kind = CONTENT_OTHER;
    c->batch = NULL;
    c->inner = common->inner;
    if (head->coded)
        return;
    if (link_syntax_of(type, &syntax)) {
        c->kind = CONTENT_LINKS;
        link_start(&c->links, syntax, common->rules);
    } else if (!head->is_message) {
        c->batch = c->inner->open(head->content_type, common, depth + 1);
        c->kind = c->batch != NULL ? CONTENT_BATCH : CONTENT_OTHER;
    }
}

static void content_free(struct content *c)
{
    if (c->batch != NULL)
        c->inner->free(c->batch);
}

static void run_links(struct link_rewriter *r, struct slice *text, struct buf *out)
{
    struct iovec pieces[64];

    while (text->n > 0) {
        size_t count = link_run(r, text, pieces, ARRAY_LEN(pieces));
        for (size_t i = 0; i < count; i++)
            buf_add(out, pieces[i].iov_base, pieces[i].iov_len);
    }
}

/* Returns true if there is more output. */
static bool content_run(struct content *c, struct slice *text, struct buf *out)
{
    if (c->kind == CONTENT_BATCH)
        return c->inner->run(c->batch, text, out);
    if (c->kind == CONTENT_LINKS) {
        run_links(&c->links, text, out);
        return false;
    }
    buf_add_slice(out, *text);
    *text = SLICE("");
    return false;
}

static bool content_finish(struct content *c, struct buf *out)
{
    struct iovec piece = {NULL, 0};

    if (c->kind == CONTENT_BATCH)
        return c->inner->finish(c->batch, out);
    if (c->kind == CONTENT_LINKS && link_finish(&c->links, &piece) > 0)
        buf_add(out, piece.iov_base, piece.iov_len);
    return false;
}

static bool content_has_changed(const struct content *c)
{
    return c->kind == CONTENT_BATCH   ? c->inner->has_changed(c->batch)
           : c->kind == CONTENT_LINKS ? c->links.changed
                                      : false;
}

/* ---- heads ---- */

struct heads {
    struct slice line; /* the rest of the delimiter's line */
    struct link_head each[HEADS];
    size_t count;
    bool whole; /* they end with an empty line */
};

static bool is_message(const struct link_head *h)
{
    struct slice rest = h->content_type;

    return !h->coded &&
           slice_eq_nocase(link_trim(slice_split(&rest, ';')), SLICE("application/http"));
}

/* Reads the heads, and moves *text past them. */
static void read_heads(struct slice *text, struct heads *out)
{
    const char *end = text->n == 0 ? NULL : memchr(text->p, '\n', text->n);
    size_t n = end == NULL ? text->n : (size_t)(end + 1 - text->p);

    out->line = (struct slice){text->p, n};
    text->p += n;
    text->n -= n;
    out->count = 1;
    out->whole = link_head_read(text, false, &out->each[0]);
    if (out->whole && is_message(&out->each[0])) {
        out->count = 2;
        out->whole = link_head_read(text, true, &out->each[1]);
    }
}

static const struct link_head *last_head(const struct heads *h)
{
    return &h->each[h->count - 1];
}

static bool has_length(const struct heads *h)
{
    return h->each[0].has_length || last_head(h)->has_length;
}

/* Appends the heads. grown: by how many bytes the content has become longer, modulo 2^64. Each head
 * belongs to the content of the head before it. Returns by how many bytes heads and content
 * together have become longer. */
static uint64_t write_heads(const struct link_rules *rules, const struct heads *h, bool with_length,
                            uint64_t grown, struct buf *out)
{
    struct buf text[HEADS] = {{0}};

    for (size_t i = h->count; i-- > 0;) {
        link_head_write(rules, &h->each[i], with_length, grown, &text[i]);
        grown += (uint64_t)text[i].n - h->each[i].text.n;
    }
    buf_add_slice(out, h->line);
    for (size_t i = 0; i < h->count; i++) {
        buf_add_slice(out, buf_slice(&text[i]));
        buf_free(&text[i]);
    }
    return grown;
}

/* ---- a complete part ---- */

static void insert(struct buf *out, size_t at, struct slice text)
{
    size_t behind = out->n - at;

    buf_reserve(out, text.n);
    out->n += text.n;
    memmove(out->p + at + text.n, out->p + at, behind);
    if (text.n > 0)
        memcpy(out->p + at, text.p, text.n);
}

bool link_part_write(struct link_part_common *common, int depth, struct slice text, struct buf *out)
{
    struct buf head = {0};
    struct heads heads;
    struct content content;
    size_t start = out->n;

    read_heads(&text, &heads);
    size_t length = text.n;
    content_start(&content, common, depth, last_head(&heads));
    while (content_run(&content, &text, out) || text.n > 0)
        continue;
    while (content_finish(&content, out))
        continue;
    uint64_t grown = (uint64_t)(out->n - start) - length;
    bool changed = content_has_changed(&content);
    changed = write_heads(common->rules, &heads, true, grown, &head) != 0 || changed;
    insert(out, start, buf_slice(&head));
    buf_free(&head);
    content_free(&content);
    return changed;
}

/* ---- a large part ---- */

enum part_mode {
    PART_CHANGES, /* links in the content are changed */
    PART_LEAVES,  /* the content is passed on unchanged, and only checked for links */
};

struct link_part {
    struct link_part_common *common;
    enum part_mode mode;
    bool head_changed;
    bool pads, ended;
    uint64_t owed; /* blanks to add: the content has become so much shorter */
    struct content content;
    struct buf looked_at;
};

static bool run_content(struct link_part *p, struct slice *text, struct buf *out)
{
    size_t had = text->n, start = out->n;
    bool more = content_run(&p->content, text, out);

    if (p->pads)
        p->owed += (had - text->n) - (out->n - start);
    return more;
}

/* Begins a part with a length that may become longer. If there are links in its beginning, it is
 * written without a length; otherwise it stays unchanged. */
static void begin_growing(struct link_part *p, const struct heads *heads, struct slice content,
                          struct buf *out)
{
    struct slice rest = content;

    while (content_run(&p->content, &rest, &p->looked_at) || rest.n > 0)
        continue;
    if (content_has_changed(&p->content)) {
        (void)write_heads(p->common->rules, heads, false, 0, out);
        buf_add_slice(out, buf_slice(&p->looked_at));
        p->head_changed = true;
    } else {
        p->mode = PART_LEAVES;
        p->head_changed = write_heads(p->common->rules, heads, true, 0, out) != 0;
        buf_add_slice(out, content);
    }
    buf_free(&p->looked_at);
}

struct link_part *link_part_begin(struct link_part_common *common, int depth, struct slice text,
                                  struct buf *out)
{
    struct link_part *p = NEW(struct link_part);
    struct slice whole = text;
    struct heads heads;

    p->common = common;
    read_heads(&text, &heads);
    if (!heads.whole) { /* no head is that large */
        buf_add_slice(out, whole);
        return p;
    }
    content_start(&p->content, common, depth, last_head(&heads));
    bool sized = p->content.kind != CONTENT_OTHER && has_length(&heads);
    if (sized && link_may_grow(common->rules)) {
        begin_growing(p, &heads, text, out);
        return p;
    }
    p->pads = sized;
    p->head_changed = write_heads(common->rules, &heads, true, 0, out) != 0;
    while (run_content(p, &text, out) || text.n > 0)
        continue;
    return p;
}

void link_part_free(struct link_part *p)
{
    if (p == NULL)
        return;
    content_free(&p->content);
    buf_free(&p->looked_at);
    free(p);
}

bool link_part_has_changed(const struct link_part *p)
{
    return p->head_changed || (p->mode == PART_CHANGES && content_has_changed(&p->content));
}

/* Only finds out whether there is a link in the text, which is passed on unchanged. */
static void look_at(struct link_part *p, struct slice text)
{
    do {
        p->looked_at.n = 0;
    } while (content_run(&p->content, &text, &p->looked_at) || text.n > 0);
    p->common->left = p->common->left || content_has_changed(&p->content);
}

bool link_part_run(struct link_part *p, struct slice *text, struct buf *out)
{
    if (p->mode == PART_CHANGES)
        return run_content(p, text, out);
    look_at(p, *text);
    buf_add_slice(out, *text);
    *text = SLICE("");
    return false;
}

static void add_blanks(struct link_part *p, struct buf *out)
{
    size_t n = p->owed < LINK_PART_TURN ? (size_t)p->owed : LINK_PART_TURN;

    buf_reserve(out, n);
    memset(out->p + out->n, ' ', n);
    out->n += n;
    p->owed -= n;
}

bool link_part_finish(struct link_part *p, struct buf *out)
{
    size_t start = out->n;

    if (p->mode == PART_LEAVES)
        return false;
    if (!p->ended) {
        bool more = content_finish(&p->content, out);
        if (p->pads)
            p->owed -= out->n - start;
        p->ended = !more;
        return more || p->owed > 0;
    }
    add_blanks(p, out);
    return p->owed > 0;
}
