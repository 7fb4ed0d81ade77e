#include "tls/key_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* An RSA key of 4096 bits takes about 2.5 KiB, a P-256 key a tenth of that. UNLOCKED: the size if
 * not even LEAST may be locked. */
enum {
    LARGEST = 16 * 1024 * 1024,
    LEAST = 512 * 1024,
    UNLOCKED = 4 * 1024 * 1024,
    SMALLEST_PIECE = 32,
    RESERVE = 32 * 1024, /* for random numbers and handshakes, which use it too */
};

static size_t size;
static bool is_locked;

/* ---- OpenSSL's ordinary heap ---- */

static _Thread_local bool wipes;

static void *take(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(n);
}

static void give(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p != NULL && wipes)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

/* When a block moves, the old memory is wiped. */
static void *change(void *p, size_t n, const char *file, int line)
{
    if (!wipes || p == NULL)
        return realloc(p, n);
    if (n == 0) {
        give(p, file, line);
        return NULL;
    }
    size_t before = malloc_usable_size(p);
    void *moved = malloc(n);
    if (moved == NULL)
        return NULL;
    memcpy(moved, p, before < n ? before : n);
    give(p, file, line);
    return moved;
}

void key_memory_begin_reading(void)
{
    wipes = true;
}

void key_memory_end_reading(void)
{
    wipes = false;
}

/* ---- the locked heap ---- */

void key_memory_init(void)
{
    (void)CRYPTO_set_mem_functions(take, change, give);
    for (size = LARGEST; size >= LEAST; size /= 2) {
        int result = CRYPTO_secure_malloc_init(size, SMALLEST_PIECE);
        is_locked = result == 1;
        if (is_locked)
            return;
        if (result == 2) /* it exists, but it is not locked */
            (void)CRYPTO_secure_malloc_done();
    }
    size = UNLOCKED;
    (void)CRYPTO_secure_malloc_init(size, SMALLEST_PIECE);
}

bool key_memory_is_locked(void)
{
    return is_locked;
}

bool key_memory_is_used_up(struct diag *why)
{
    void *reserve = OPENSSL_secure_malloc(RESERVE);

    OPENSSL_secure_free(reserve);
    if (reserve != NULL || CRYPTO_secure_malloc_initialized() == 0)
        return false;
    diag_set(why,
             "the %zu KiB that are set aside as memory for private keys are used up; raise the "
             "limit of locked memory (LimitMEMLOCK=, ulimit -l), which holds for the old keys and "
             "the new ones together, and restart sfmtls",
             size / 1024);
    return true;
}
