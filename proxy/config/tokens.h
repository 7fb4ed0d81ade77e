/*
 * tokens: the tokens of a caller-token-file, one per line. Several tokens allow
 * rotation. Empty lines and comments (#) are ignored.
 *
 * Immutable: every thread may read it.
 */
#ifndef CONFIG_TOKENS_H
#define CONFIG_TOKENS_H

#include "base/diag.h"
#include "base/slice.h"

struct tokens;

enum { TOKEN_MIN = 16, TOKEN_MAX = 512, TOKENS_MAX = 64 };

/* On failure *out is unchanged, and the sentence begins with the path (and the line, if one is
 * wrong). The sentence never contains a part of a token. */
enum status tokens_load(const char *path, struct tokens **out, struct diag *why) MUST_CHECK;
void tokens_free(struct tokens *t); /* wipes them; NULL is allowed */

/* The first token of the file. */
struct slice tokens_first(const struct tokens *t);

/* Is it one of the tokens? The time does not depend on which one it is, or on how similar it is. */
bool tokens_have(const struct tokens *t, struct slice said);

#endif
