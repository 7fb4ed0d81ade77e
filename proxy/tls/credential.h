/*
 * credential: a client (or server) certificate with its chain and private key.
 *
 * The only file that touches a private key: no other gets a pointer to one.
 * Immutable once loaded, reference-counted, shared by all threads.
 */
#ifndef TLS_CREDENTIAL_H
#define TLS_CREDENTIAL_H

#include <stdint.h>

#include <openssl/ssl.h>

#include "base/diag.h"
#include "base/slice.h"

struct credential;

/* Where a credential comes from. Paths are complete. */
struct credential_files {
    const char *certificate;     /* PEM: leaf and chain in any order, the key inside or not */
    const char *private_key;     /* PEM; NULL: it is in certificate */
    const char *passphrase_file; /* one final line end is cut; NULL: none */
    const char *passphrase_env;  /* name of an environment variable; NULL: none */
};

/* Which of the files is at fault. */
enum credential_source {
    CREDENTIAL_CERTIFICATE,
    CREDENTIAL_PRIVATE_KEY,
    CREDENTIAL_PASSPHRASE_FILE,
    CREDENTIAL_PASSPHRASE_ENV,
};

/* Reads, decrypts and checks; the key must belong to one of the certificates, which then is the
 * leaf. On failure *out is untouched, *source is set, and the sentence names the file and the
 * cure. */
enum status credential_load(const struct credential_files *files, struct credential **out,
                            enum credential_source *source, struct diag *why) MUST_CHECK;

struct credential *credential_ref(struct credential *c);
void credential_unref(struct credential *c); /* NULL is no error */

/* Makes a context present this credential. */
enum status credential_apply(const struct credential *c, SSL_CTX *context,
                             struct diag *why) MUST_CHECK;

enum { CREDENTIAL_FINGERPRINT_SIZE = 32 };
const unsigned char *credential_fingerprint(const struct credential *c); /* SHA-256 of the leaf */
const char *credential_subject(const struct credential *c);              /* RFC 2253 */
int64_t credential_not_before(const struct credential *c);               /* seconds since 1970 */
int64_t credential_not_after(const struct credential *c);
const X509 *credential_leaf(const struct credential *c); /* borrowed */

/* A new P-256 key without a certificate: see issue.h. */
enum status credential_new_key(struct credential **out, struct diag *why) MUST_CHECK;

/* Puts c's public key into certificate, signs it with signer's key (c's own for a self-signed
 * one) and makes it c's leaf, with signer's chain behind it. Takes certificate in every case. */
enum status credential_certify(struct credential *c, const struct credential *signer,
                               X509 *certificate, struct diag *why) MUST_CHECK;

/* Creates two files, mode 0600: leaf and chain, and the key (PKCS#8). key_path may be NULL. */
enum status credential_save(const struct credential *c, const char *certificate_path,
                            const char *key_path, struct diag *why) MUST_CHECK;

#endif
