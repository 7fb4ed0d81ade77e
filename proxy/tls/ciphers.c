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

/* Lists the ciphers of TLS 1.3, or those of earlier versions: OpenSSL has a list for each. */
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
    buf_add(&names, "", 1);
    return names;
}

/* The ciphers that OpenSSL offers if openssl.cnf does not set them. */
static bool is_default(const SSL_CTX *context)
{
    SSL_CTX *other = SSL_CTX_new(TLS_client_method());
    bool same = other != NULL && SSL_CTX_set_cipher_list(other, OSSL_default_cipher_list()) == 1 &&
                SSL_CTX_set_ciphersuites(other, OSSL_default_ciphersuites()) == 1;
    const STACK_OF(SSL_CIPHER) *offered = SSL_CTX_get_ciphers(context);
    const STACK_OF(SSL_CIPHER) *usual = same ? SSL_CTX_get_ciphers(other) : NULL;
    same = same && sk_SSL_CIPHER_num(offered) == sk_SSL_CIPHER_num(usual);
    for (int i = 0; same && i < sk_SSL_CIPHER_num(offered); i++)
        same = sk_SSL_CIPHER_value(offered, i) == sk_SSL_CIPHER_value(usual, i);
    SSL_CTX_free(other);
    return same;
}

void ciphers_order(SSL_CTX *context)
{
    if (!is_default(context))
        return;
    struct buf before = name_in_order(context, false), tls13 = name_in_order(context, true);
    (void)SSL_CTX_set_cipher_list(context, before.p);
    (void)SSL_CTX_set_ciphersuites(context, tls13.p);
    buf_free(&before);
    buf_free(&tls13);
}
