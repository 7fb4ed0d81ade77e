/*
 * init_answers: what `sfmtls init` has to know, from its options or from a person.
 */
#ifndef CLI_INIT_ANSWERS_H
#define CLI_INIT_ANSWERS_H

#include "base/diag.h"
#include "tls/credential.h"

/* All are the caller's to free with answers_free(). */
struct answers {
    char *server, *company_id, *certificate, *private_key;
    char *passphrase_file, *ca_file, *listen;
    struct credential
        *credential; /* what is in certificate; of a key that is elsewhere without it */
};

/* Completes what is missing: asks, if somebody can be asked, as often as an answer is wrong.
 * Returns EXIT_DONE, or what the command returns after a sentence. */
int answers_complete(struct answers *a);

void answers_free(struct answers *a);

#endif
