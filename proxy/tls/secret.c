#include "tls/secret.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/mem.h"

void secret_make_key(unsigned char out[SECRET_KEY_SIZE])
{
    if (RAND_bytes(out, SECRET_KEY_SIZE) != 1)
        abort();
}

/* Writes the length and the bytes of each part into room. */
static void join(const struct slice *parts, size_t count, unsigned char *room)
{
    for (size_t i = 0; i < count; i++) {
        memcpy(room, &parts[i].n, sizeof(parts[i].n));
        room += sizeof(parts[i].n);
        if (parts[i].n > 0)
            memcpy(room, parts[i].p, parts[i].n);
        room += parts[i].n;
    }
}

void secret_mac(const unsigned char key[SECRET_KEY_SIZE], const struct slice *parts, size_t count,
                unsigned char out[SECRET_MAC_SIZE])
{
    unsigned n = SECRET_MAC_SIZE;
    size_t size = count * sizeof(parts[0].n);

    for (size_t i = 0; i < count; i++)
        size += parts[i].n;
    unsigned char *room = mem_new(size);
    join(parts, count, room);
    if (HMAC(EVP_sha256(), key, SECRET_KEY_SIZE, room, size, out, &n) == NULL)
        abort(); /* cannot happen: SHA-256 and memory are always there */
    OPENSSL_cleanse(room, size);
    free(room);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void secret_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}
