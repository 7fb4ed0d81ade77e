/*
 * stream_end: how what a stream reads comes to its end, and that its owner is
 * told once, after all bytes. Private to stream*.c.
 */
#ifndef NET_STREAM_END_H
#define NET_STREAM_END_H

#include "net/stream_ops.h"

enum { STREAM_WATCH_MS = 1000 }; /* how often a stream that may not be read is looked at */

/* Takes `readable` out of the loop. */
void stream_end_reading(struct stream *s);

/* One read came to that; why: of STREAM_BROKEN. */
void stream_end_note(struct stream *s, enum stream_end end, const struct failure *why);

/* Tells the owner, unless it goes on, was told, or has not been shown all bytes. */
void stream_end_tell(struct stream *s);

/* It can be read no more: tells the owner, now, that it broke. */
void stream_end_break(struct stream *s, const struct failure *why);

#endif
