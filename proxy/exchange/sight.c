#include "exchange/sight.h"

#include "http/coding.h"
#include "http/framing.h"
#include "sf/refusal.h"

/* Bytes of a framed body that are looked at. The beginning of the content lies in them in any
 * reasonable framing: 4 KiB in chunks of one byte are 24 KiB. Without this limit, chunk extensions
 * could make megabytes that are read again at each arrival. */
enum { RAW_LOOK = 64 * 1024 };

/* Decodes the beginning of a content. Returns false if it is damaged. */
static bool undo(enum coding coding, struct slice coded, char *room, size_t size,
                 struct slice *content)
{
    struct decoder *d = decoder_new(coding);
    enum decoded result;
    size_t n;

    *content = (struct slice){room, 0};
    do {
        result = decoder_run(d, &coded, room + content->n, size - content->n, &n);
        content->n += n;
    } while (result == DECODED_FULL && content->n < size);
    decoder_free(d);
    return result != DECODED_BAD;
}

/* Empty if the head has no Content-Type or several. */
static struct slice media_type_of(const struct head *h)
{
    return head_count(h, FIELD_CONTENT_TYPE) == 1 ? head_value(h, FIELD_CONTENT_TYPE) : SLICE("");
}

static void look(struct sight *s, const struct head *h, struct slice content)
{
    const struct cause_answer a = {h->status, media_type_of(h), content};

    s->cause = cause_of_answer(&a, &s->found);
    s->phrase = sf_refusal_find(h->status, a.content_type, content);
    s->mentions = sf_refusal_is_mentioned(content);
}

void sight_take(struct sight *s, const struct head *h, enum method method,
                const struct body_limits *limits, struct slice rest, bool ended)
{
    enum framing framing = framing_of_response(h, method);
    enum coding coding = coding_of(h);
    char room[ERROR_BODY_LOOK];
    struct buf bytes = {0};

    *s = (struct sight){.readable = true};
    s->whole = body_peek(framing, h->content_length, limits, rest, ERROR_BODY_LOOK, &bytes) ||
               rest.n >= RAW_LOOK || (framing == FRAMING_CLOSE && ended) || coding == CODING_OTHER;
    struct slice content = buf_slice(&bytes);
    if (coding == CODING_OTHER ||
        (coding != CODING_IDENTITY && !undo(coding, content, room, sizeof(room), &content))) {
        s->readable = false;
        content.n = 0;
    }
    look(s, h, content);
    buf_free(&bytes);
}
