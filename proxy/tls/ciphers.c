#include "tls/ciphers.h"

#include <stdbool.h>

#include "base/buf.h"

static bool is_of_tls13(const SSL_CIPHER *cipher)
{
    return SSL_CIPHER_get_kx_nid(cipher) == NID_kx_any;
}

static bool comes_first(const SSL_CIPHER *cipher)
{
    return SSL_CIPHER_get_cipher_nid(cipher) == NID_aes_128_gcm &&
           (is_of_tls13(cipher) || SSL_CIPHER_get_kx_nid(cipher) == NID_kx_ecdhe);
}

/* Those of TLS 1.3, or those of the versions before: OpenSSL takes them apart. */
static struct buf name_in_order(const SSL_CTX *context, bool of_tls13)
{
    STACK_OF(SSL_CIPHER) *offered = SSL_CTX_get_ciphers(context);
    struct buf names = {0};

    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < sk_SSL_CIPHER_num(offered); i++) {
            const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(offered, i);
            if (is_of_tls13(cipher) == of_tls13 && comes_first(cipher) == (turn == 0))
                buf_addf(&names, "%s%s", names.n > 0 ? ":" : "", SSL_CIPHER_get_name(cipher));
        }
    if (names.n > 0)
        buf_add(&names, "", 1);
    return names;
}

void ciphers_order(SSL_CTX *context)
{
    struct buf before = name_in_order(context, false), tls13 = name_in_order(context, true);

    if (before.n > 0)
        (void)SSL_CTX_set_cipher_list(context, before.p);
    if (tls13.n > 0)
        (void)SSL_CTX_set_ciphersuites(context, tls13.p);
    buf_free(&before);
    buf_free(&tls13);
}
