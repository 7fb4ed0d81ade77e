/*
 * The inside of a credential: private to tls/credential*.c, the only files
 * that touch a private key.
 */
#ifndef TLS_CREDENTIAL_PARTS_H
#define TLS_CREDENTIAL_PARTS_H

#include <stdatomic.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "tls/credential.h"

struct credential {
    atomic_int refs;
    EVP_PKEY *key; /* NULL: looked at only, or not opened */
    bool key_locked;
    X509 *leaf;
    STACK_OF(X509) * chain;  /* from the leaf's issuer upward, without a root */
    STACK_OF(X509) * unsent; /* what else the file held */
    unsigned char fingerprint[CREDENTIAL_FINGERPRINT_SIZE];
    char *subject;
    int64_t not_before, not_after;
    struct finding *findings;
    size_t nfindings;
};

struct credential *credential_new(void);
void credential_note_facts(struct credential *c); /* out of the leaf */
bool credential_is_self_issued(const X509 *x);

/* ---- credential_read.c: what the bytes of a file hold ---- */

enum key_wish {
    KEY_UNWANTED, /* keys are passed over */
    KEY_IF_OPEN,  /* an encrypted one without a passphrase is passed over, and noted */
    KEY_REQUIRED, /* an encrypted one without a passphrase is an error */
};

struct credential_parts {
    STACK_OF(X509) * certificates;
    STACK_OF(X509_CRL) * crls; /* NULL: they are passed over */
    EVP_PKEY *key;
    bool key_locked;
};

/* Where the passphrase comes from when it is needed. */
struct key_opener {
    const struct credential_files *files;
    struct buf passphrase; /* p NULL: not known (yet) */
    bool asked;
};

void credential_parts_free(struct credential_parts *p);

/* Tells the form by the content: PEM, PKCS#12, DER, or the base64 of any of them. Adds what it
 * finds to *parts. */
enum status credential_read(const char *path, struct slice bytes, enum key_wish wish,
                            struct key_opener *opener, struct credential_parts *parts,
                            struct diag *why) MUST_CHECK;

/* ---- credential_judge.c ---- */

/* Takes the sentence. */
void credential_find(struct credential *c, enum finding_level level, char *sentence);

/* Everything that can be said about the credential itself. now: seconds since 1970. */
void credential_judge(struct credential *c, int64_t now);

#endif
