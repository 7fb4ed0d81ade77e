/*
 * body: carries one body from one framing into another.
 *
 * Pure: it takes what was received and yields pieces to send, most of them
 * views into what it was given. The caller owns both, and sends the pieces
 * before it calls again.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <sys/uio.h>

#include "http/chunked.h"
#include "http/framing.h"

/* Pieces gathered for one write. */
enum { GATHER_MAX = 1024 }; /* IOV_MAX: one write */
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
    BODY_MORE, /* the input is used up, the body goes on */
    BODY_FULL, /* the gather is full: send it and call again, or put back what is left */
    BODY_END,  /* complete; what is left of the input came after it */
    BODY_BAD,  /* the incoming framing is broken */
};

enum filter_result {
    FILTER_MORE, /* the content is used up */
    FILTER_FULL, /* send the pieces and call again */
    FILTER_END,  /* the content was the last, and nothing of it is left */
    FILTER_BAD,  /* the content cannot be what it claims to be */
};

/* Something that changes the content on its way. */
struct body_filter {
    /* Moves *content over what was used and adds pieces, at most room (and at least FILTER_ROOM);
     * they stay valid until the next call, as long as the content does. last: no content comes
     * after this one. */
    enum filter_result (*run)(void *ctx, struct slice *content, bool last, struct iovec *pieces,
                              size_t room, size_t *count);
    void *ctx;
};
enum { FILTER_ROOM = 8 };

struct body {
    enum framing in, out;
    bool complete;
    bool over;                 /* all content was taken out of the incoming framing */
    bool filtered;             /* the filter has to be called again before more content is taken */
    uint64_t left;             /* of FRAMING_LENGTH */
    uint64_t bytes;            /* of outgoing content so far, without any framing */
    struct body_filter filter; /* run NULL: none; may be set after body_start() */
    struct slice
        unfiltered; /* content that the filter has not used, between BODY_FULL and the next call */
    struct chunked chunked;
    size_t max_fields; /* of a trailer section */
    bool is_answer;    /* its trailers are read as an answer's; may be set after body_start() */
    bool (*drops_trailer)(const void *ctx, struct slice name); /* may be set after body_start() */
    const void *drops_ctx;
    char size_line[20];
    struct buf tail; /* the last chunk and the trailers */
};

struct body_limits {
    size_t max_trailers, max_fields;
};

/* A chunked body may go out in any framing; trailers go on in chunked only. length is that of
 * FRAMING_LENGTH. A body of FRAMING_NONE is complete from the start. */
void body_start(struct body *b, enum framing in, enum framing out, uint64_t length,
                const struct body_limits *limits);
void body_free(struct body *b);

/* Moves *in over what was used and adds the pieces to send to *g, which may hold some already. */
enum body_result body_next(struct body *b, struct slice *in, struct gather *g) MUST_CHECK;

/* After BODY_FULL, if the sink can take no more for now: what was read of *in but has not become
 * output goes back to it, to be shown again, maybe at another place. Output that is left needs no
 * input: body_next() with none of it goes on. */
void body_put_back(struct body *b, struct slice *in);

/* All of the incoming body has come, though maybe not all of it has gone out. False for
 * FRAMING_CLOSE before body_ends_here(). */
bool body_is_here(const struct body *b);

/* The incoming connection ended cleanly: true if no more has to come (FRAMING_CLOSE, or all is
 * here). Then body_next() with no input leads to the end. */
bool body_ends_here(struct body *b) MUST_CHECK;

/* Looks at the beginning of a body that is left where it is: appends its content without any
 * framing, at most max bytes. True if there is no more to come for it. */
bool body_peek(enum framing in, uint64_t length, const struct body_limits *limits,
               struct slice bytes, size_t max, struct buf *content);

#endif
