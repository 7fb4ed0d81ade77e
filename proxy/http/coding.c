#include "http/coding.h"

#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

#include "base/mem.h"

enum { WINDOW_ZLIB = 15, WINDOW_GZIP = 15 + 16, WINDOW_RAW = -15, GZIP_MAGIC = 0x1f };

struct decoder {
    enum coding coding;
    bool begun; /* z is set up */
    /* A gzip member has ended; another one may follow (RFC 1952, 2.2). */
    bool ended;
    z_stream z;
};

static enum coding coding_named(struct slice name)
{
    if (slice_eq_nocase(name, SLICE("gzip")) || slice_eq_nocase(name, SLICE("x-gzip")))
        return CODING_GZIP;
    if (slice_eq_nocase(name, SLICE("deflate")))
        return CODING_DEFLATE;
    return slice_eq_nocase(name, SLICE("identity")) ? CODING_IDENTITY : CODING_OTHER;
}

enum coding coding_of(const struct head *h)
{
    enum coding found = CODING_IDENTITY;
    struct head_list at = {0};
    struct slice member;

    while (head_next_member(h, FIELD_CONTENT_ENCODING, &at, &member)) {
        enum coding c = coding_named(member);
        if (c == CODING_IDENTITY)
            continue;
        found = found == CODING_IDENTITY ? c : CODING_OTHER;
    }
    return found;
}

struct decoder *decoder_new(enum coding c)
{
    struct decoder *d = NEW(struct decoder);

    d->coding = c;
    return d;
}

void decoder_free(struct decoder *d)
{
    if (d != NULL && d->begun)
        (void)inflateEnd(&d->z);
    free(d);
}

/* deflate may come with or without zlib's header. The low bits of that header are 8 (the
 * compression method). A raw deflate stream does not begin like that: it would be a stored block
 * with padding that no encoder writes. */
static int window_for(enum coding c, char first)
{
    if (c == CODING_GZIP)
        return WINDOW_GZIP;
    return ((unsigned char)first & 0x0f) == 8 ? WINDOW_ZLIB : WINDOW_RAW;
}

static void begin(struct decoder *d, char first)
{
    if (inflateInit2(&d->z, window_for(d->coding, first)) != Z_OK)
        abort(); /* no memory: see mem.h */
    d->begun = true;
}

bool decoder_is_fresh(const struct decoder *d)
{
    return !d->begun;
}

/* After a gzip member another one may begin. Any other bytes are padding and ignored, as other
 * decoders do. */
static bool begin_member(struct decoder *d, char first)
{
    if (d->coding != CODING_GZIP || first != GZIP_MAGIC || inflateReset(&d->z) != Z_OK)
        return false;
    d->ended = false;
    return true;
}

static uInt at_most(size_t n)
{
    return n < UINT_MAX ? (uInt)n : UINT_MAX;
}

/* Calls zlib once. */
static int inflate_some(struct decoder *d, struct slice *in, char *out, size_t room, size_t *n)
{
    z_stream *z = &d->z;
    uInt given = at_most(in->n), free_room = at_most(room);

    z->next_in = (Bytef *)(uintptr_t)in->p;
    z->avail_in = given;
    z->next_out = (Bytef *)out;
    z->avail_out = free_room;
    int result = inflate(z, Z_NO_FLUSH);
    in->p += given - z->avail_in;
    in->n -= given - z->avail_in;
    *n = free_room - z->avail_out;
    return result;
}

enum decoded decoder_run(struct decoder *d, struct slice *in, char *out, size_t room, size_t *n)
{
    *n = 0;
    if (in->n > 0 && !d->begun)
        begin(d, *in->p);
    if (d->ended && in->n > 0 && !begin_member(d, *in->p))
        in->n = 0;
    if (d->ended)
        return DECODED_END;
    if (!d->begun)
        return DECODED_MORE;
    switch (inflate_some(d, in, out, room, n)) {
    case Z_STREAM_END:
        d->ended = true;
        return in->n > 0 ? DECODED_FULL : DECODED_END;
    case Z_OK:
        return *n == room ? DECODED_FULL : DECODED_MORE;
    case Z_BUF_ERROR: /* zlib needs more input or more room */
        return room == 0 ? DECODED_FULL : DECODED_MORE;
    default:
        return DECODED_BAD;
    }
}
