/*
 * init_answers: the values that `sfmtls init` needs, from its options or from a
 * person.
 */
#ifndef CLI_INIT_ANSWERS_H
#define CLI_INIT_ANSWERS_H

#include "base/diag.h"
#include "tls/credential.h"

/* Free all of it with answers_free(). */
struct answers {
    char *server, *company_id, *certificate, *private_key;
    char *passphrase_file, *ca_file, *listen;
    /* What is in the file `certificate`; without a key that is in another file. */
    struct credential *credential;
};

/* Completes the values that are missing: asks for them at the terminal, if there is one, until each
 * answer is right. Returns EXIT_DONE, or the command's exit code after an error message. */
int answers_complete(struct answers *a);

void answers_free(struct answers *a);

#endif
