/*
 * body: turns a body in one framing into the same body in another framing.
 *
 * Pure: it takes received bytes and returns pieces to send, most of them views
 * into these bytes. The user owns both, and sends the pieces before the next
 * call.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <sys/uio.h>

#include "http/chunked.h"
#include "http/framing.h"

/* Pieces gathered for one write. */
enum { GATHER_MAX = 1024 }; /* IOV_MAX */
struct gather {
    size_t count, bytes;
    struct iovec pieces[GATHER_MAX];
};

static inline void gather_add(struct gather *g, const void *p, size_t n)
{
    if (n == 0)
        return;
    g->pieces[g->count].iov_base = (void *)(uintptr_t)p;
    g->pieces[g->count++].iov_len = n;
    g->bytes += n;
}

enum body_result {
    BODY_MORE, /* the input is used up; the body continues */
    /* The gather is full: send it and call again, or put back the rest. */
    BODY_FULL,
    /* The body is complete. The rest of the input came after it. */
    BODY_END,
    BODY_BAD, /* the incoming framing is broken */
};

enum filter_result {
    FILTER_MORE, /* the content is used up */
    FILTER_FULL, /* send the pieces, then call again */
    FILTER_END,  /* all content, the last included, is used up */
    FILTER_BAD,  /* the content is damaged */
};

/* Changes the content of a body. */
struct body_filter {
    /* Moves *content past the bytes used and adds pieces, at most `room` (at least FILTER_ROOM).
     * The pieces are valid until the next call, and only as long as the content is. last: this is
     * the last content. */
    enum filter_result (*run)(void *ctx, struct slice *content, bool last, struct iovec *pieces,
                              size_t room, size_t *count);
    void *ctx;
};
enum { FILTER_ROOM = 8 };

struct body {
    enum framing in, out;
    bool complete;
    bool over; /* all content was read from the incoming framing */
    /* The filter has to be called again before more content is read. */
    bool filtered;
    uint64_t left;  /* bytes to come with FRAMING_LENGTH */
    uint64_t bytes; /* bytes of outgoing content so far, without framing */
    /* run == NULL: no filter. May be set after body_start(). */
    struct body_filter filter;
    /* Content that the filter has not used, between BODY_FULL and the next call. */
    struct slice unfiltered;
    struct chunked chunked;
    size_t max_fields; /* of the trailer section */
    /* Trailers are read as an answer's. May be set after body_start(). */
    bool is_answer;
    /* NULL: none is dropped. May be set after body_start(). */
    bool (*drops_trailer)(const void *ctx, struct slice name);
    const void *drops_ctx;
    char size_line[20]; /* a chunk's size line: line ends, and 64 bits in hex */
    struct buf tail;    /* the last chunk and the trailers */
};

struct body_limits {
    size_t max_trailers, max_fields;
};

/* A body may go from any framing into any other; trailers are passed on only from chunked to
 * chunked. length: for FRAMING_LENGTH. A body of FRAMING_NONE is complete from the start. */
void body_start(struct body *b, enum framing in, enum framing out, uint64_t length,
                const struct body_limits *limits);
void body_free(struct body *b);

/* Moves *in past the bytes used, and adds the pieces to send to *g, which may have some already. */
enum body_result body_next(struct body *b, struct slice *in, struct gather *g) MUST_CHECK;

/* Call it after BODY_FULL if no more can be sent for now. Gives back to *in the bytes that were
 * read but have not become output; show them again later, maybe at another address. Output that is
 * left needs no input: call body_next() without any. */
void body_put_back(struct body *b, struct slice *in);

/* Has all of the incoming body come, even if not all of it has gone out? False for FRAMING_CLOSE
 * before body_ends_here(). */
bool body_is_here(const struct body *b);

/* Call it when the incoming connection has ended in order. Returns true if the body is complete
 * (FRAMING_CLOSE, or all of it has come). Then body_next() without input leads to the end. */
bool body_ends_here(struct body *b) MUST_CHECK;

/* Looks at the beginning of a body without consuming it: appends at most max bytes of its content,
 * without framing. Returns true if waiting would bring no more. */
bool body_peek(enum framing in, uint64_t length, const struct body_limits *limits,
               struct slice bytes, size_t max, struct buf *content);

#endif
