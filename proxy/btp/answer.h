/*
 * answer: reads the answers of XSUAA and of the Destination service. Pure.
 * Answers are not trusted, and sentences repeat nothing of them except names.
 */
#ifndef BTP_ANSWER_H
#define BTP_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"

/* Reads the token in {"access_token":"..."}, if it can be used in an Authorization field. */
bool answer_read_token(struct slice json, struct buf *token);

/* Reads the bytes of the file in {"Name":...,"Content":"<base64>","Type":...}. False: it is not
 * such an answer, or has another name. */
bool answer_read_certificate(struct slice json, const char *name, struct buf *content);

/* Decodes base64 strictly (RFC 4648): text that is cut off or has other characters is refused. */
bool answer_decode(struct slice base64, struct buf *out);

/* Is that a Java key store? */
bool answer_is_java_store(struct slice content);

/* Writes those names in [{"Name":...},...] that are most similar to name, at most three, the
 * nearest first: "a.pem, b.pem". Writes nothing if there are no names. */
void answer_write_nearest(struct slice json, const char *name, struct buf *out);

#endif
