/* What was found in files, before a credential is made of it. */
#include <stdlib.h>

#include <openssl/err.h>

#include "base/mem.h"
#include "tls/credential_parts.h"

void credential_parts_free(struct credential_parts *p)
{
    for (size_t i = 0; i < p->nkeys; i++)
        EVP_PKEY_free(p->keys[i]);
    free(p->keys);
    sk_X509_pop_free(p->certificates, X509_free);
}

void credential_take_key(EVP_PKEY *key, struct credential_parts *parts)
{
    bool known = false;

    (void)ERR_set_mark();
    for (size_t i = 0; i < parts->nkeys; i++)
        known = known || EVP_PKEY_eq(parts->keys[i], key) == 1;
    (void)ERR_pop_to_mark();
    if (known) {
        EVP_PKEY_free(key);
        return;
    }
    parts->keys = mem_grow(parts->keys, (parts->nkeys + 1) * sizeof(EVP_PKEY *));
    parts->keys[parts->nkeys++] = key;
}
