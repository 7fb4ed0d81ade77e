#include "ops/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

/* Some 60 RSA keys of 4096 bits, or a thousand P-256 ones. OpenSSL keeps numbers of private keys
 * in it, and what it decodes them from. */
enum { SECURE_HEAP_BYTES = 512 * 1024, SECURE_HEAP_SMALLEST = 32 };

static bool is_locked;

void harden_again(void)
{
#ifndef __SANITIZE_ADDRESS__ /* LeakSanitizer is a debugger */
    (void)prctl(PR_SET_DUMPABLE, 0);
#else
    (void)prctl(PR_SET_DUMPABLE, 1);
#endif
}

void harden_process(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    harden_again();
    /* 2: it is there, but not locked */
    is_locked = CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_HEAP_SMALLEST) == 1;
}

bool harden_is_locked(void)
{
    return is_locked;
}
