/*
 * answer: what XSUAA and the Destination service answer, read. Pure; nothing of
 * it is trusted, and nothing of it is repeated in a sentence but names.
 */
#ifndef BTP_ANSWER_H
#define BTP_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"

/* The token of {"access_token":"..."} as an Authorization field's value needs it. */
bool answer_read_token(struct slice json, struct buf *token);

/* The bytes of the file in {"Name":...,"Content":"<base64>","Type":...}. False: it is none, or of
 * another name. */
bool answer_read_certificate(struct slice json, const char *name, struct buf *content);

/* Strictly: what is cut off or has other characters is no base64 (RFC 4648). */
bool answer_decode(struct slice base64, struct buf *out);

/* Is that a Java key store? */
bool answer_is_java_store(struct slice content);

/* Writes the names in [{"Name":...},...] that are most like name, the nearest first, three at most:
 * "a.pem, b.pem"; nothing if there are none. */
void answer_write_nearest(struct slice json, const char *name, struct buf *out);

#endif
