#include "tls/presented.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Has the server named the CA that issued this certificate? */
static bool is_named(const STACK_OF(X509_NAME) * named, const X509 *issued)
{
    for (int i = 0; i < sk_X509_NAME_num(named); i++)
        if (X509_NAME_cmp(sk_X509_NAME_value(named, i), X509_get_issuer_name(issued)) == 0)
            return true;
    return false;
}

static bool is_same_part(const X509_NAME *a, const X509_NAME *b, int nid)
{
    int i = X509_NAME_get_index_by_NID(a, nid, -1), j = X509_NAME_get_index_by_NID(b, nid, -1);

    return i >= 0 && j >= 0 &&
           ASN1_STRING_cmp(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(a, i)),
                           X509_NAME_ENTRY_get_data(X509_NAME_get_entry(b, j))) == 0;
}

static bool may_be_below(const STACK_OF(X509_NAME) * named, const X509 *issued)
{
    if (sk_X509_NAME_num(named) <= 0)
        return true;
    for (int i = 0; i < sk_X509_NAME_num(named); i++)
        if (is_same_part(sk_X509_NAME_value(named, i), X509_get_issuer_name(issued),
                         NID_organizationName))
            return true;
    return false;
}

static const STACK_OF(X509) * chain_of(const SSL *ssl)
{
    STACK_OF(X509) *chain = NULL;

    /* the function does not change ssl */
    (void)SSL_get0_chain_certs((SSL *)(uintptr_t)ssl, &chain);
    return chain;
}

bool presented_is_of_another_ca(const SSL *ssl)
{
    const STACK_OF(X509_NAME) *named = SSL_get0_peer_CA_list(ssl);
    const STACK_OF(X509) *chain = chain_of(ssl);
    const X509 *leaf = SSL_get_certificate(ssl);

    if (leaf == NULL || sk_X509_NAME_num(named) <= 0 || is_named(named, leaf))
        return false;
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (is_named(named, sk_X509_value(chain, i)))
            return false;
    return true;
}

bool presented_is_alone(const SSL *ssl)
{
    const STACK_OF(X509_NAME) *named = SSL_get0_peer_CA_list(ssl);
    const X509 *leaf = SSL_get_certificate(ssl);

    return leaf != NULL && sk_X509_num(chain_of(ssl)) <= 0 &&
           X509_NAME_cmp(X509_get_subject_name(leaf), X509_get_issuer_name(leaf)) != 0 &&
           !is_named(named, leaf) && may_be_below(named, leaf);
}

bool presented_is_not_for_clients(const SSL *ssl)
{
    X509 *own = SSL_get_certificate(ssl);

    return own != NULL && (X509_get_extension_flags(own) & EXFLAG_XKUSAGE) != 0 &&
           (X509_get_extended_key_usage(own) & (XKU_SSL_CLIENT | XKU_ANYEKU)) == 0;
}
