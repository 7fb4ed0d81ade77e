/*
 * callers: the users of a tenant's callers-file and the hashes of their
 * passwords, as htpasswd writes them: lines of user:hash, comments (#) and
 * empty lines between. The user is all that is before the first ':', just
 * as Basic credentials hold it. Immutable: every thread may read it.
 */
#ifndef CONFIG_CALLERS_H
#define CONFIG_CALLERS_H

#include "base/diag.h"
#include "base/slice.h"

struct callers;

enum { CALLER_HASH_SIZE = 144, CALLER_BCRYPT_PASSWORD = 72 /* bytes; it looks at no more */ };

/* On failure *out is untouched and the sentence begins with the path, and the line if one is
 * wrong. Sentences never hold what could be a password. */
enum status callers_load(const char *path, struct callers **out, struct diag *why) MUST_CHECK;
void callers_free(struct callers *c); /* NULL is allowed */

/* The hash that this user's password has to fit. For a user who is not known it is one that no
 * password fits and that costs as much as the dearest of the file: time is not to tell who is
 * known. At most CALLER_HASH_SIZE with its NUL. */
const char *callers_hash(const struct callers *c, struct slice user);

/* Is that a user of the file? Not for the request path: it tells by its time. */
bool callers_have(const struct callers *c, struct slice user);

/* Is the hash one of bcrypt, which looks at no more than CALLER_BCRYPT_PASSWORD bytes? */
bool callers_is_bcrypt(const char *hash);

/* Hashes of different costs: then time does tell something. */
bool callers_costs_differ(const struct callers *c);

/* The line of a user who names another company, whose requests therefore are not this tenant's;
 * 0: there is none. */
int callers_stranger(const struct callers *c, const char *company_id);

#endif
