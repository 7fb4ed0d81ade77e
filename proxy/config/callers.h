/*
 * callers: the users of a tenant's callers-file and the hashes of their
 * passwords, as htpasswd writes them. A line is user:hash, a comment (#) or
 * empty. The user ends at the first ':', as in Basic credentials (RFC 7617).
 *
 * Immutable: every thread may read it.
 */
#ifndef CONFIG_CALLERS_H
#define CONFIG_CALLERS_H

#include "base/diag.h"
#include "base/slice.h"

struct callers;

enum {
    CALLER_HASH_SIZE = 144,
    CALLER_BCRYPT_PASSWORD = 72 /* bytes; bcrypt ignores the rest of a password */
};

/* On failure *out is unchanged, and the sentence begins with the path (and the line, if one is
 * wrong). The sentence never contains what could be a password. */
enum status callers_load(const char *path, struct callers **out, struct diag *why) MUST_CHECK;
void callers_free(struct callers *c); /* NULL is allowed */

/* The hash that this user's password has to fit. For an unknown user, returns a hash that no
 * password fits and that costs as much as the dearest one in the file, so that the time does not
 * tell whether the user exists. At most CALLER_HASH_SIZE bytes, with the NUL; valid as long as
 * c. */
const char *callers_hash(const struct callers *c, struct slice user);

/* Does the file have that user? Do not call it for a request: its time tells the answer. */
bool callers_have(const struct callers *c, struct slice user);

/* Is it a hash of bcrypt, which looks at CALLER_BCRYPT_PASSWORD bytes of a password only? */
bool callers_is_bcrypt(const char *hash);

/* Have the hashes different costs? Then the time does tell something about a user. */
bool callers_costs_differ(const struct callers *c);

/* The line of a user whose name contains another company's ID, so that this user's requests do not
 * belong to this tenant; 0: there is none. */
int callers_stranger(const struct callers *c, const char *company_id);

#endif
