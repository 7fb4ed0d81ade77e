#include "net/stream_end.h"

#include <stdlib.h>

#include "base/mem.h"

void stream_end_reading(struct stream *s)
{
    if (!s->reading)
        return;
    s->reading = false;
    (void)event_del(&s->readable);
}

void stream_end_note(struct stream *s, enum stream_end end, const struct failure *why)
{
    s->end = end;
    if (end != STREAM_GOES_ON)
        stream_end_reading(s);
    if (end == STREAM_ENDED && s->notices_reset)
        timer_start(s->loop, &s->watch, STREAM_WATCH_MS);
    if (end == STREAM_BROKEN) {
        s->why = NEW(struct failure);
        *s->why = *why;
    }
}

void stream_end_tell(struct stream *s)
{
    if (s->end == STREAM_GOES_ON || s->end_told || (s->in.n > 0 && s->paused))
        return;
    s->end_told = true;
    if (s->end == STREAM_ENDED)
        s->handler->on_end(s->ctx);
    else
        s->handler->on_broken(s->ctx, s->why);
}

void stream_end_break(struct stream *s, const struct failure *why)
{
    free(s->why);
    stream_end_note(s, STREAM_BROKEN, why);
    buf_free(&s->in);
    s->end_told = false;
    stream_end_tell(s);
}
