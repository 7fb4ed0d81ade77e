/*
 * local_ca: the certificate authority of this machine. It makes the
 * certificates that callers see inside an intercepted CONNECT.
 *
 * It is a folder with three files. Callers have to trust the root, so all users
 * may read it; its key was never written to a file. Below the root is the
 * signer, an intermediate CA. The signer's key is in the folder "private",
 * which others cannot open. Both CAs are limited to the names of the configured
 * servers (RFC 5280, 4.2.1.10), so a stolen key is useless for all other names.
 * There are two CAs because Java ignores the constraints of a root that it
 * trusts.
 *
 * A loaded CA is immutable, reference-counted and shared by all threads.
 */
#ifndef TLS_LOCAL_CA_H
#define TLS_LOCAL_CA_H

#include "tls/credential.h"

struct local_ca;

enum local_ca_file { LOCAL_CA_ROOT, LOCAL_CA_SIGNER, LOCAL_CA_KEY, LOCAL_CA_FILES };

/* The path of a file of the CA in that folder. An older version put the key beside the
 * certificates, not into "private"; such a key is found too. The user frees the path. */
char *local_ca_path(const char *folder, enum local_ca_file which);

/* The path at which a new file is made. The user frees it. */
char *local_ca_new_path(const char *folder, enum local_ca_file which);

/* Removes a key that an older version put beside the certificates. */
void local_ca_remove_old_key(const char *folder);

/* Has the folder a CA, or a part of one? */
bool local_ca_is_in(const char *folder);

/* Makes a CA for these names in the folder, and the folder if it is missing (mode 0755; "private"
 * 0700). If there is a CA already, it is replaced (replace), or that is an error. A folder that
 * another user could change is an error. ST_BAD_INPUT or ST_SYSTEM: *why. */
enum status local_ca_make(const char *folder, char *const *names, size_t count, bool replace,
                          struct diag *why) MUST_CHECK;

/* Loads the CA. ST_MISMATCH: its files do not belong together, perhaps because they are being
 * replaced. */
enum status local_ca_load(const char *folder, struct local_ca **out, struct diag *why) MUST_CHECK;
void local_ca_unref(struct local_ca *ca); /* NULL is allowed */

const struct credential *local_ca_root(const struct local_ca *ca); /* without its key */
int64_t local_ca_not_after(const struct local_ca *ca);             /* the end of the signer */

/* The host names that the CA is limited to, in lower case. */
size_t local_ca_name_count(const struct local_ca *ca);
const char *local_ca_name(const struct local_ca *ca, size_t i);
bool local_ca_permits(const struct local_ca *ca, const char *host);

/* ---- leaves: the certificates for callers, made when they are needed ---- */

/* The leaves of one thread, at most one for each name of the CA. */
struct local_leaves;

struct local_leaves *local_leaves_new(struct local_ca *ca);
void local_leaves_free(struct local_leaves *l); /* NULL is allowed */

/* *out: the TLS server side for a host (in lower case), with a reference for the user. now: seconds
 * since 1970. ST_BAD_INPUT: the CA was not made for that host, or has expired. */
enum status local_leaves_take(struct local_leaves *l, const char *host, int64_t now, SSL_CTX **out,
                              struct diag *why) MUST_CHECK;

#endif
