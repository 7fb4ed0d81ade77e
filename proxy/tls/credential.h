/*
 * credential: a client (or server) certificate with its chain and private key.
 *
 * Only credential*.c touch a private key: no other file gets a pointer to one.
 * Immutable once loaded, reference-counted, shared by all threads.
 */
#ifndef TLS_CREDENTIAL_H
#define TLS_CREDENTIAL_H

#include <stdint.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/diag.h"

struct credential;

/* Where a credential comes from. Paths are complete. */
struct credential_files {
    const char *certificate;           /* leaf and chain in any order, the key inside or not */
    const char *private_key;           /* NULL: it is in certificate */
    const char *passphrase_file;       /* one final line end is cut; NULL: none */
    const char *passphrase_env;        /* name of an environment variable; NULL: none */
    const char *passphrase_credential; /* name of a systemd credential; NULL: none */
    bool allow_readable_key;           /* by every user of the machine */
    /* Asks a person for the passphrase of a file; leaves *out alone if there is none to ask.
     * NULL: nobody is asked. */
    void (*ask)(void *ctx, const char *path, struct buf *out);
    void *ask_ctx;
};

/* What to report about a credential that could be loaded: a sentence with the cure. */
enum finding_level { FINDING_NOTE, FINDING_WARNING, FINDING_ERROR };
enum finding_about { ABOUT_OTHER, ABOUT_DATES, ABOUT_USAGE, ABOUT_CHAIN };
struct finding {
    enum finding_level level;
    enum finding_about about;
    char *sentence;
    bool
        about_issuer; /* of the last certificate that is sent: nothing is missing if it is a root */
};

/* Which of the files is at fault. */
enum credential_source {
    CREDENTIAL_CERTIFICATE,
    CREDENTIAL_PRIVATE_KEY,
    CREDENTIAL_PASSPHRASE_FILE,
    CREDENTIAL_PASSPHRASE_ENV,
    CREDENTIAL_PASSPHRASE_CREDENTIAL,
};

/* Reads, decrypts and checks, whatever the form: PEM, base64 of PEM, PKCS#12, DER. The key must
 * belong to one of the certificates, which then is the leaf. On failure *out is untouched, *source
 * is set, and the sentence names the file and the cure; ST_LOCKED: it is about the passphrase,
 * ST_MISMATCH: the key belongs to another certificate. */
enum status credential_load(const struct credential_files *files, struct credential **out,
                            enum credential_source *source, struct diag *why) MUST_CHECK;

/* The same for looking at it: a key is not needed, and need not fit. It cannot be applied. */
enum status credential_inspect(const struct credential_files *files, struct credential **out,
                               struct diag *why) MUST_CHECK;

/* Adds the certificates in these bytes to one stack, the revocation lists to the other; in any of
 * the forms above, keys are passed over. path: for sentences. */
enum status credential_read_public(const char *path, struct slice bytes,
                                   STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * crls,
                                   struct diag *why) MUST_CHECK;

/* Loads the code that only old forms of keys need, for a process that cannot load any later on. */
void credential_prepare(void);

struct credential *credential_ref(struct credential *c);
void credential_unref(struct credential *c); /* NULL is allowed */

/* Makes a context present this credential. */
enum status credential_apply(const struct credential *c, SSL_CTX *context,
                             struct diag *why) MUST_CHECK;

enum { CREDENTIAL_FINGERPRINT_SIZE = 32 };
const unsigned char *credential_fingerprint(const struct credential *c); /* SHA-256 of the leaf */
const char *credential_subject(const struct credential *c);              /* RFC 2253 */
char *credential_common_name(const struct credential *c);  /* the last CN of the subject, UTF-8, or
                                                              ""; the caller frees it */
int64_t credential_not_before(const struct credential *c); /* seconds since 1970 */
int64_t credential_not_after(const struct credential *c);
/* When another certificate, which is in the file beside the leaf, becomes valid; 0: there is none.
 */
int64_t credential_look_again(const struct credential *c);
bool credential_is_valid(const struct credential *c, int64_t now); /* by its dates */
const X509 *credential_leaf(const struct credential *c);           /* borrowed */
const X509 *credential_top(const struct credential *c);            /* the last that is sent */
int credential_chain_length(const struct credential *c);           /* what is sent after the leaf */
char *credential_chain_subject(const struct credential *c, int i); /* the caller frees it */
/* Who issued the last certificate that is sent; to be freed. */
char *credential_chain_issuer(const struct credential *c);
const struct finding *credential_findings(const struct credential *c, size_t *count);

char *credential_issuer(const struct credential *c);   /* RFC 2253; the caller frees it */
char *credential_key_type(const struct credential *c); /* "RSA 4096"; the caller frees it */
char *credential_public_key_type(const X509_PUBKEY *public_key); /* the same of any */

enum credential_key { CREDENTIAL_KEY_ABSENT, CREDENTIAL_KEY_LOCKED, CREDENTIAL_KEY_OPEN };
enum credential_key credential_key_state(const struct credential *c);

/* Appends bytes that are the same for two credentials only if they present the same. */
void credential_digest(const struct credential *c, struct buf *out);

/* Appends leaf and chain as PEM; never a key. */
void credential_write_public(const struct credential *c, struct buf *out);

/* A new key without a certificate: see issue.h. */
enum key_type { KEY_EC, KEY_RSA_2048, KEY_RSA_3072 };
enum status credential_new_key(enum key_type type, struct credential **out,
                               struct diag *why) MUST_CHECK;

/* Signs a request for a certificate with c's key and appends it as PEM; request has its names. */
enum status credential_request(const struct credential *c, X509_REQ *request, struct buf *out,
                               struct diag *why) MUST_CHECK;

/* Another credential with c's key, and no certificate yet. */
struct credential *credential_share_key(const struct credential *c);

/* Puts c's public key into a certificate that is being made; extensions may be named by it. */
bool credential_put_public_key(const struct credential *c, X509 *certificate) MUST_CHECK;

/* Signs certificate, which has c's public key, with signer's key (c's own for a self-signed one)
 * and makes it c's leaf, with signer's chain after it. Takes certificate in every case. */
enum status credential_certify(struct credential *c, const struct credential *signer,
                               X509 *certificate, struct diag *why) MUST_CHECK;

/* Creates two files, mode 0600: leaf and chain, and the key (PKCS#8). key_path may be NULL. */
enum status credential_save_key(const struct credential *c, const char *path,
                                struct diag *why) MUST_CHECK;
enum status credential_save(const struct credential *c, const char *certificate_path,
                            const char *key_path, struct diag *why) MUST_CHECK;

#endif
