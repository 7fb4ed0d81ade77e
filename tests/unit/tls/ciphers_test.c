#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "tls/ciphers.h"

enum { MAX = 128 };

struct offer {
    const char *names[MAX];
    int n;
};

static struct offer offered(const SSL_CTX *context)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(context);
    struct offer o = {.n = sk_SSL_CIPHER_num(ciphers)};

    CHECK(o.n < MAX);
    for (int i = 0; i < o.n; i++)
        o.names[i] = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i));
    return o;
}

static int place(const struct offer *o, const char *name)
{
    for (int i = 0; i < o->n; i++)
        if (strcmp(o->names[i], name) == 0)
            return i;
    return MAX;
}

/* The same ciphers before and after. */
static struct offer order(SSL_CTX *context)
{
    struct offer before = offered(context);

    ciphers_order(context);
    struct offer after = offered(context);
    CHECK_INT(after.n, before.n, "ciphers");
    for (int i = 0; i < before.n; i++)
        CHECK_MSG(place(&after, before.names[i]) < MAX, "%s is lost", before.names[i]);
    return after;
}

TEST(aes_128_is_offered_first_in_both_versions)
{
    static const char *const pairs[][2] = {
        {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"},
        {"TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
        {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"},
        {"ECDHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256"},
        {"ECDHE-RSA-AES256-GCM-SHA384", "AES128-GCM-SHA256"}};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    struct offer o = order(context);

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        CHECK_MSG(place(&o, pairs[i][0]) < place(&o, pairs[i][1]), "%s stands behind %s",
                  pairs[i][0], pairs[i][1]);
    SSL_CTX_free(context);
}

/* In openssl.cnf. */
TEST(what_the_administrator_orders_stays_ordered)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_cipher_list(context, "ECDHE+AES256:!SHA1");
    struct offer o = order(context);
    CHECK_INT(place(&o, "TLS_AES_128_GCM_SHA256"), MAX, "AES-128");
    CHECK_INT(place(&o, "TLS_AES_256_GCM_SHA384"), 0, "AES-256");
    SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
    o = order(context);
    CHECK_INT(place(&o, "TLS_AES_256_GCM_SHA384"), 0, "AES-256");
    CHECK_INT(place(&o, "TLS_AES_128_GCM_SHA256"), 1, "AES-128");
    SSL_CTX_set_ciphersuites(context, "");
    o = order(context);
    CHECK_INT(place(&o, "TLS_AES_256_GCM_SHA384"), MAX, "TLS 1.3");
    SSL_CTX_free(context);
}
