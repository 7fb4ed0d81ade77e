/*
 * stream_end: how reading ends. The owner is told once, after it has been shown
 * all bytes. Private to stream*.c.
 */
#ifndef NET_STREAM_END_H
#define NET_STREAM_END_H

#include "net/stream_ops.h"

enum { STREAM_WATCH_MS = 1000 }; /* how often a stream that is not read is checked for a reset */

/* Takes the event `readable` out of the loop. */
void stream_end_reading(struct stream *s);

/* Notes how a read has ended. why: for STREAM_BROKEN. */
void stream_end_note(struct stream *s, enum stream_end end, const struct failure *why);

/* Tells the owner of the end, unless there is none yet, the owner was told, or has not been shown
 * all bytes. */
void stream_end_tell(struct stream *s);

/* Breaks the stream: tells the owner now, even if bytes were not shown. */
void stream_end_break(struct stream *s, const struct failure *why);

#endif
