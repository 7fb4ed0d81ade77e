/*
 * The inside of a credential: private to tls/credential*.c, the only files
 * that touch a private key.
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
    EVP_PKEY *key; /* NULL: looked at only, or not opened */
    bool key_locked;
    bool holds_key; /* credential_keys_hold() */
    X509 *leaf;
    STACK_OF(X509) * chain;  /* from the leaf's issuer upward, without a root */
    STACK_OF(X509) * unsent; /* what else the file held */
    unsigned char fingerprint[CREDENTIAL_FINGERPRINT_SIZE];
    char *subject;
    int64_t not_before, not_after;
    int64_t look_again; /* see credential_look_again() */
    struct finding *findings;
    size_t nfindings;
};

/* ---- the credential itself: credential.c ---- */

struct credential *credential_new(void);
void credential_note_facts(struct credential *c); /* out of the leaf */
bool credential_is_self_issued(const X509 *x);

/* Takes the sentence. */
void credential_find(struct credential *c, enum finding_level level, char *sentence);

/* ---- what the bytes of files hold: credential_parts.c ---- */

struct credential_parts {
    STACK_OF(X509) * certificates;
    STACK_OF(X509_CRL) * crls; /* NULL: they are passed over */
    EVP_PKEY **keys;           /* no two alike */
    size_t nkeys;
    bool key_locked;
};

void credential_parts_free(struct credential_parts *p);

/* Takes key. */
void credential_take_key(EVP_PKEY *key, struct credential_parts *parts);

/* ---- which form they have: credential_read.c ---- */

enum key_wish {
    KEY_UNWANTED, /* keys are passed over */
    KEY_IF_OPEN,  /* an encrypted one without a passphrase is passed over, and noted */
    KEY_REQUIRED, /* an encrypted one without a passphrase is an error */
};

/* Where the passphrase comes from when it is needed. */
struct key_opener {
    const struct credential_files *files;
    struct buf passphrase;              /* p NULL: not known (yet) */
    unsigned char mac[SECRET_MAC_SIZE]; /* of where the key is read from, and how it is opened */
    bool asked;
};

/* Tells the form by the content: PEM, PKCS#12, DER, or the base64 of any of them. Adds what it
 * finds to *parts. */
enum status credential_read(const char *path, struct slice bytes, enum key_wish wish,
                            struct key_opener *opener, struct credential_parts *parts,
                            struct diag *why) MUST_CHECK;

/* ---- PEM as people pass it on: credential_text.c ---- */

/* Writes the text into *out (empty before, never moved) so that OpenSSL reads it (RFC 7468, 2, is
 * as lax): no blanks around a line, no empty lines within a block, line ends that were written out
 * (\\n, as in JSON) as such. ST_BAD_INPUT: no block begins at the start of a line even so. */
enum status credential_clean_text(const char *path, struct slice text, struct buf *out,
                                  struct diag *why) MUST_CHECK;

/* Is it JSON, as far as its first character tells? */
bool credential_is_json(struct slice text);
enum status credential_refuse_json(const char *path, struct diag *why);

/* ---- private keys: credential_key.c ---- */

/* Asks at the terminal, once, if there is somebody to ask. */
bool credential_has_passphrase(struct key_opener *o, const char *path);
enum status credential_lacks_passphrase(const char *path, const char *what, struct diag *why);

/* What looks wrong with the passphrase that does not fit, as the end of a sentence; "": nothing. */
const char *credential_passphrase_flaw(const struct buf *passphrase);

/* What OpenSSL reported since it was asked last; its queue is empty then. */
struct key_errors {
    bool unsupported; /* an algorithm that is not there */
    bool too_dear;    /* it would cost more memory than OpenSSL grants */
    const char *text; /* of the first error */
};
struct key_errors credential_take_errors(void);

/* Makes old algorithms known, after the first error that was `unsupported`. False: they are not to
 * be had. */
bool credential_use_legacy(void);

/* A PEM block of that name, with its header (RFC 1421). der may be written into. */
enum status credential_read_key(const char *path, const char *name, const char *header,
                                unsigned char *der, long n, enum key_wish wish,
                                struct key_opener *opener, struct credential_parts *parts,
                                struct diag *why) MUST_CHECK;

/* ---- credential_pkcs12.c ---- */

enum status credential_read_pkcs12(const char *path, PKCS12 *p12, enum key_wish wish,
                                   struct key_opener *opener, struct credential_parts *parts,
                                   struct diag *why) MUST_CHECK;

/* ---- which of them: credential_choose.c ---- */

/* Is a better than b, now? Valid before not yet valid before expired; of valid ones and of expired
 * ones the later end, of the others the earlier beginning. */
bool credential_is_better(const X509 *a, const X509 *b, int64_t now);

/* Moves the certificate of c's key out of all, the best of several. False: there is none. */
bool credential_take_leaf(struct credential *c, STACK_OF(X509) * all, int64_t now);

/* The same without a key: one that issued none of the others. */
void credential_take_lowest(struct credential *c, STACK_OF(X509) * all, int64_t now);

/* Moves c's chain out of all, which is empty then: what else was in it is not sent. */
void credential_take_chain(struct credential *c, STACK_OF(X509) * all, int64_t now);

/* Gives c the key of parts: the only one, or of several that all have a certificate the only one
 * whose certificate is valid. c->key stays NULL if there is none. */
enum status credential_choose_key(struct credential *c, const char *path,
                                  struct credential_parts *parts, int64_t now,
                                  struct diag *why) MUST_CHECK;
/* ---- credential_keys.c: the keys that are loaded ---- */

/* What is the same only for the same bytes of a file that are opened with the same passphrase, or
 * with none that was known beforehand. */
void credential_keys_mac(struct slice file, const struct buf *passphrase,
                         unsigned char out[SECRET_MAC_SIZE]);

/* The key that was read from there, if a credential still holds it, with a reference for the
 * caller; NULL: there is none. */
EVP_PKEY *credential_keys_find(const unsigned char mac[SECRET_MAC_SIZE]);

/* A credential has this key, which was read from there; and has it no longer. */
void credential_keys_hold(EVP_PKEY *key, const unsigned char mac[SECRET_MAC_SIZE]);
void credential_keys_release(const EVP_PKEY *key);

/* ---- credential_judge.c ---- */

/* Everything that can be said about the credential itself. now: seconds since 1970. */
void credential_judge(struct credential *c, int64_t now);

#endif
