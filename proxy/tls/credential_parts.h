/*
 * The inside of a credential. Private to tls/credential*.c, the only files that
 * use a private key.
 */
#ifndef TLS_CREDENTIAL_PARTS_H
#define TLS_CREDENTIAL_PARTS_H

#include <stdatomic.h>

#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "tls/credential.h"
#include "tls/secret.h"

struct credential {
    atomic_int refs;
    EVP_PKEY *key; /* NULL: not needed, or not decrypted */
    bool key_locked;
    bool holds_key; /* credential_keys_hold() was called */
    X509 *leaf;
    STACK_OF(X509) * chain;  /* from the leaf's issuer upwards, without a root */
    STACK_OF(X509) * unsent; /* other certificates of the file */
    unsigned char fingerprint[CREDENTIAL_FINGERPRINT_SIZE];
    char *subject;
    int64_t not_before, not_after;
    int64_t look_again; /* see credential_look_again() */
    struct finding *findings;
    size_t nfindings;
};

/* ---- the credential itself: credential.c ---- */

struct credential *credential_new(void);
void credential_note_facts(struct credential *c); /* from the leaf */
bool credential_is_self_issued(const X509 *x);

/* Adds a finding. Takes ownership of sentence. */
void credential_find(struct credential *c, enum finding_level level, char *sentence);

/* ---- the contents of files: credential_parts.c ---- */

struct credential_parts {
    STACK_OF(X509) * certificates;
    STACK_OF(X509_CRL) * crls; /* NULL: they are skipped */
    EVP_PKEY **keys;           /* without duplicates */
    size_t nkeys;
    bool key_locked;
};

void credential_parts_free(struct credential_parts *p);

/* Adds a key, unless it is there. Takes ownership of key. */
void credential_take_key(EVP_PKEY *key, struct credential_parts *parts);

/* ---- forms: credential_read.c ---- */

enum key_wish {
    KEY_UNWANTED, /* skip keys */
    /* Skip an encrypted key without a passphrase, and set key_locked. */
    KEY_IF_OPEN,
    KEY_REQUIRED, /* an encrypted key without a passphrase is an error */
};

/* The passphrase, which is read or asked for when it is needed. */
struct key_opener {
    const struct credential_files *files;
    struct buf passphrase;              /* p NULL: not known (yet) */
    unsigned char mac[SECRET_MAC_SIZE]; /* identifies the key: credential_keys_mac() */
    bool asked;
};

/* The reading of one file. */
struct credential_reading {
    const char *path;
    enum key_wish wish;
    struct key_opener *opener;
    struct credential_parts *parts; /* what is found is added to these */
};

/* Recognises the form by the content: PEM, PKCS#12, DER, or base64 of any of them. */
enum status credential_read(const struct credential_reading *r, struct slice bytes,
                            struct diag *why) MUST_CHECK;

/* ---- cleaning PEM: credential_text.c ---- */

/* Writes the text into *out (empty before; its memory does not move) in a form that OpenSSL reads.
 * RFC 7468, 2 allows to be so lax: no blanks around lines, no empty lines in a block, and line ends
 * that were written as \\n (as in JSON) become real ones. ST_BAD_INPUT: even then no block begins
 * at the start of a line. */
enum status credential_clean_text(const char *path, struct slice text, struct buf *out,
                                  struct diag *why) MUST_CHECK;

/* Does the first character show that it is JSON? */
bool credential_is_json(struct slice text);
enum status credential_refuse_json(const char *path, struct diag *why);

/* ---- private keys: credential_key.c ---- */

/* Has the user given a passphrase? Asks for it at the terminal, once, if somebody can be asked. */
bool credential_has_passphrase(struct key_opener *o, const char *path);
enum status credential_lacks_passphrase(const char *path, const char *what, struct diag *why);

/* What is suspicious about a passphrase that does not fit, as the end of a sentence; empty:
 * nothing. */
const char *credential_passphrase_flaw(const struct buf *passphrase);

/* The errors that OpenSSL has reported since the last call. Empties OpenSSL's queue. */
struct key_errors {
    bool unsupported; /* an algorithm is missing */
    bool too_dear;    /* it needs more memory than OpenSSL allows */
    const char *text; /* text of the first error */
};
struct key_errors credential_take_errors(void);

/* Loads old algorithms. Call it after the first error with `unsupported`. False: they are
 * missing. */
bool credential_use_legacy(void);

/* A block of PEM, decoded. */
struct pem_block {
    const char *name, *header; /* RFC 1421 */
    unsigned char *der;        /* reading a key may overwrite it */
    long n;
};

enum status credential_read_key(const struct credential_reading *r, const struct pem_block *b,
                                struct diag *why) MUST_CHECK;

/* ---- PKCS#12: credential_pkcs12.c ---- */

enum status credential_read_pkcs12(const struct credential_reading *r, PKCS12 *p12,
                                   struct diag *why) MUST_CHECK;

/* ---- choosing: credential_choose.c ---- */

/* Moves the best certificate of c's key from `all` to c's leaf. False: there is none. */
bool credential_take_leaf(struct credential *c, STACK_OF(X509) * all, int64_t now);

/* The same without a key: moves a certificate that has issued none of the others. */
void credential_take_lowest(struct credential *c, STACK_OF(X509) * all, int64_t now);

/* Moves c's chain out of `all`, and the other certificates to c->unsent. */
void credential_take_chain(struct credential *c, STACK_OF(X509) * all, int64_t now);

/* Gives c a key of parts: the only key; or, if there are several and all have a certificate, the
 * only one whose certificate is valid. c->key stays NULL if there is no key. */
enum status credential_choose_key(struct credential *c, const char *path,
                                  struct credential_parts *parts, int64_t now,
                                  struct diag *why) MUST_CHECK;
/* ---- loaded keys: credential_keys.c ---- */

/* Makes a hash of a file's bytes and of the passphrase, if it is known before reading. */
void credential_keys_mac(struct slice file, const struct buf *passphrase,
                         unsigned char out[SECRET_MAC_SIZE]);

/* The loaded key with that hash, with a reference for the user; NULL: no credential holds it. */
EVP_PKEY *credential_keys_find(const unsigned char mac[SECRET_MAC_SIZE]);

/* Note that a credential begins to use the key with that hash, and that it ends. */
void credential_keys_hold(EVP_PKEY *key, const unsigned char mac[SECRET_MAC_SIZE]);
void credential_keys_release(const EVP_PKEY *key);

/* ---- judging: credential_judge.c ---- */

/* Adds all findings about c itself. now: seconds since 1970. */
void credential_judge(struct credential *c, int64_t now);

#endif
