/*
 * credential: a client (or server) certificate with its chain and private key.
 *
 * Only credential*.c use a private key; no other file gets a pointer to one. A
 * credential is immutable after it is loaded, reference-counted, and shared by
 * all threads.
 */
#ifndef TLS_CREDENTIAL_H
#define TLS_CREDENTIAL_H

#include <stdint.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/diag.h"

struct credential;

/* The files of a credential. Paths are complete. */
struct credential_files {
    const char *certificate;           /* leaf and chain in any order, with or without the key */
    const char *private_key;           /* NULL: the key is in certificate */
    const char *passphrase_file;       /* its last line end does not count; NULL: none */
    const char *passphrase_env;        /* name of an environment variable; NULL: none */
    const char *passphrase_credential; /* name of a systemd credential; NULL: none */
    bool allow_readable_key;           /* the key may be readable by every user of the machine */
    /* Asks a person for the passphrase of a file; leaves *out unchanged if nobody can be asked.
     * NULL: nobody is asked. */
    void (*ask)(void *ctx, const char *path, struct buf *out);
    void *ask_ctx;
};

/* A problem of a credential that could be loaded: a sentence with the cure. */
enum finding_level { FINDING_NOTE, FINDING_WARNING, FINDING_ERROR };
enum finding_about { ABOUT_OTHER, ABOUT_DATES, ABOUT_USAGE, ABOUT_CHAIN };
struct finding {
    enum finding_level level;
    enum finding_about about;
    char *sentence;
    /* About the issuer of the last certificate that is sent: if that issuer is a root, nothing is
     * missing. */
    bool about_issuer;
};

/* The file that is at fault. */
enum credential_source {
    CREDENTIAL_CERTIFICATE,
    CREDENTIAL_PRIVATE_KEY,
    CREDENTIAL_PASSPHRASE_FILE,
    CREDENTIAL_PASSPHRASE_ENV,
    CREDENTIAL_PASSPHRASE_CREDENTIAL,
};

/* Reads, decrypts and checks the files, in any form: PEM, base64 of PEM, PKCS#12, DER. The key has
 * to belong to one of the certificates, which becomes the leaf. On failure *out is unchanged,
 * *source is set, and *why names the file and the cure. ST_LOCKED: the passphrase is missing or
 * wrong. ST_MISMATCH: the key belongs to another certificate. */
enum status credential_load(const struct credential_files *files, struct credential **out,
                            enum credential_source *source, struct diag *why) MUST_CHECK;

/* The same for a look at it: a key is not needed, and need not fit. The result cannot be used for
 * TLS. */
enum status credential_inspect(const struct credential_files *files, struct credential **out,
                               struct diag *why) MUST_CHECK;

/* Adds the certificates in these bytes to one stack, and the revocation lists to the other. The
 * form may be any of the above; keys are skipped. path: the name in sentences. */
enum status credential_read_public(const char *path, struct slice bytes,
                                   STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * crls,
                                   struct diag *why) MUST_CHECK;

/* Loads the code that only old forms of keys need. For a process that cannot load code later. */
void credential_prepare(void);

struct credential *credential_ref(struct credential *c);
void credential_unref(struct credential *c); /* NULL is allowed */

/* Makes the context present c. */
enum status credential_apply(const struct credential *c, SSL_CTX *context,
                             struct diag *why) MUST_CHECK;

enum { CREDENTIAL_FINGERPRINT_SIZE = 32 };
const unsigned char *credential_fingerprint(const struct credential *c); /* SHA-256 of the leaf */
const char *credential_subject(const struct credential *c);              /* RFC 2253 */
/* The last CN of the subject, in UTF-8; empty: none. The user frees it. */
char *credential_common_name(const struct credential *c);
int64_t credential_not_before(const struct credential *c); /* seconds since 1970 */
int64_t credential_not_after(const struct credential *c);
/* When another certificate of the key, which is in the file too, becomes valid (seconds since
 * 1970); 0: there is none. */
int64_t credential_look_again(const struct credential *c);
bool credential_is_valid(const struct credential *c, int64_t now); /* by its dates */
const X509 *credential_leaf(const struct credential *c);           /* belongs to c */
/* the last certificate that is sent */
const X509 *credential_top(const struct credential *c);
/* number of certificates after the leaf */
int credential_chain_length(const struct credential *c);
char *credential_chain_subject(const struct credential *c, int i); /* the user frees it */
/* The issuer of the last certificate that is sent (RFC 2253); the user frees it. */
char *credential_chain_issuer(const struct credential *c);
const struct finding *credential_findings(const struct credential *c, size_t *count);

char *credential_issuer(const struct credential *c); /* RFC 2253; the user frees it */
/* for example "RSA 4096"; the user frees it */
char *credential_key_type(const struct credential *c);
char *credential_public_key_type(const X509_PUBKEY *public_key); /* the same for any key */

enum credential_key { CREDENTIAL_KEY_ABSENT, CREDENTIAL_KEY_LOCKED, CREDENTIAL_KEY_OPEN };
enum credential_key credential_key_state(const struct credential *c);

/* Appends bytes that differ for credentials that present different certificates. */
void credential_digest(const struct credential *c, struct buf *out);

/* Appends leaf and chain as PEM, without the key. */
void credential_write_public(const struct credential *c, struct buf *out);

/* Makes a key without a certificate: see issue.h. */
enum key_type { KEY_EC, KEY_RSA_2048, KEY_RSA_3072 };
enum status credential_new_key(enum key_type type, struct credential **out,
                               struct diag *why) MUST_CHECK;

/* Signs a certificate request with c's key, and appends it as PEM. request: has its names
 * already. */
enum status credential_request(const struct credential *c, X509_REQ *request, struct buf *out,
                               struct diag *why) MUST_CHECK;

/* Makes another credential with c's key, still without a certificate. */
struct credential *credential_share_key(const struct credential *c);

/* Puts c's public key into a certificate that is being made. Key identifiers can be made only
 * afterwards. */
bool credential_put_public_key(const struct credential *c, X509 *certificate) MUST_CHECK;

/* Signs certificate, which has c's public key, with signer's key (c's own for a self-signed one).
 * Makes it c's leaf, with signer's certificates as its chain. Takes ownership of certificate in any
 * case. */
enum status credential_certify(struct credential *c, const struct credential *signer,
                               X509 *certificate, struct diag *why) MUST_CHECK;

/* Create new files, mode 0600: for leaf and chain, and for the key (PKCS#8). key_path NULL: the key
 * is not saved. */
enum status credential_save_key(const struct credential *c, const char *path,
                                struct diag *why) MUST_CHECK;
enum status credential_save(const struct credential *c, const char *certificate_path,
                            const char *key_path, struct diag *why) MUST_CHECK;

#endif
