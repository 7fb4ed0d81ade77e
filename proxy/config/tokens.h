/*
 * tokens: the lines of a caller-token-file. Each is a token, several allow for
 * rotation; blank lines and comments (#) are between. Immutable: every
 * thread may read it.
 */
#ifndef CONFIG_TOKENS_H
#define CONFIG_TOKENS_H

#include "base/diag.h"
#include "base/slice.h"

struct tokens;

enum { TOKEN_MIN = 16, TOKEN_MAX = 512, TOKENS_MAX = 64 };

/* On failure *out is untouched and the sentence begins with the path, and the line if one is wrong;
 * it never holds anything of a token. */
enum status tokens_load(const char *path, struct tokens **out, struct diag *why) MUST_CHECK;
void tokens_free(struct tokens *t); /* wipes them; NULL is allowed */

/* The first of the file. */
struct slice tokens_first(const struct tokens *t);

/* Is it one of them? Takes the same time whichever it is, or is like. */
bool tokens_have(const struct tokens *t, struct slice said);

#endif
