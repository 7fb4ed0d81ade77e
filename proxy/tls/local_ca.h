/*
 * local_ca: the certificate authority of this machine, with which the servers'
 * names are vouched for inside an intercepted CONNECT.
 *
 * A folder holds it: the root, which callers are made to trust, which is
 * therefore open to all users, and whose key was never written; the signer below
 * it, an intermediate; and its key, in the folder "private", closed to others. Both
 * may vouch for the configured servers' names and for nothing else (RFC 5280,
 * 4.2.1.10): whoever steals the key gains no more than these. There are two
 * because Java ignores the constraints of a root that it trusts.
 *
 * A loaded one is immutable, reference-counted and shared by all threads.
 */
#ifndef TLS_LOCAL_CA_H
#define TLS_LOCAL_CA_H

#include "tls/credential.h"

struct local_ca;

enum local_ca_file { LOCAL_CA_ROOT, LOCAL_CA_SIGNER, LOCAL_CA_KEY, LOCAL_CA_FILES };

/* Where that file is in a folder, which the key of a CA of an older version is not in "private";
 * the caller frees it. */
char *local_ca_path(const char *folder, enum local_ca_file which);

/* Where it is made; the caller frees it. */
char *local_ca_new_path(const char *folder, enum local_ca_file which);

/* Removes the key that an older version put beside the certificates, if it is there. */
void local_ca_remove_old_key(const char *folder);

/* Does the folder hold one, or a part of one? */
bool local_ca_is_in(const char *folder);

/* Makes one for these names, in a folder that is made if it is missing (mode 0755; "private" 0700).
 * One that is there already is an error, or is replaced. So is a folder that somebody else could
 * change. */
enum status local_ca_make(const char *folder, char *const *names, size_t count, bool replace,
                          struct diag *why) MUST_CHECK;

/* ST_MISMATCH: its files do not belong together (yet). */
enum status local_ca_load(const char *folder, struct local_ca **out, struct diag *why) MUST_CHECK;
struct local_ca *local_ca_ref(struct local_ca *ca);
void local_ca_unref(struct local_ca *ca); /* NULL is allowed */

const struct credential *local_ca_root(const struct local_ca *ca); /* without its key */
int64_t local_ca_not_after(const struct local_ca *ca);             /* of the signer */

/* The host names that it may vouch for, in lower case. */
size_t local_ca_name_count(const struct local_ca *ca);
const char *local_ca_name(const struct local_ca *ca, size_t i);
bool local_ca_permits(const struct local_ca *ca, const char *host);

/* ---- leaves: what callers are shown, made when they are asked for ---- */

/* Those of one thread. There are never more than the CA has names. */
struct local_leaves;

struct local_leaves *local_leaves_new(struct local_ca *ca);
void local_leaves_free(struct local_leaves *l); /* NULL is allowed */

/* The server side for a host (in lower case), of which the caller gets a reference. now: seconds
 * since 1970. ST_BAD_INPUT: the CA may not vouch for it, or not any more. */
enum status local_leaves_take(struct local_leaves *l, const char *host, int64_t now, SSL_CTX **out,
                              struct diag *why) MUST_CHECK;

#endif
