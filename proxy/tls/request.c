#include "tls/request.h"

#include <stdlib.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls/credential.h"
#include "tls/error.h"
#include "tls/names.h"

static const char begin[] = "-----BEGIN ", kind[] = "CERTIFICATE REQUEST-----";

static X509_REQ *read_pem(struct slice bytes)
{
    BIO *in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    X509_REQ *request = PEM_read_bio_X509_REQ(in, NULL, NULL, NULL);

    BIO_free(in);
    return request;
}

static X509_REQ *read_any(struct slice bytes)
{
    const unsigned char *der = (const unsigned char *)bytes.p;
    X509_REQ *request = bytes.n == 0 ? NULL : d2i_X509_REQ(NULL, &der, (long)bytes.n);

    return request != NULL || bytes.n == 0 ? request : read_pem(bytes);
}

bool request_is(struct slice bytes)
{
    if (bytes.n > 0 && memmem(bytes.p, bytes.n, begin, sizeof(begin) - 1) != NULL)
        return memmem(bytes.p, bytes.n, kind, sizeof(kind) - 1) != NULL;
    X509_REQ *request = read_any(bytes);
    X509_REQ_free(request);
    ERR_clear_error();
    return request != NULL;
}

static bool asks_for_client_auth(STACK_OF(X509_EXTENSION) * extensions)
{
    EXTENDED_KEY_USAGE *usage = X509V3_get_d2i(extensions, NID_ext_key_usage, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_ASN1_OBJECT_num(usage); i++)
        found |= OBJ_obj2nid(sk_ASN1_OBJECT_value(usage, i)) == NID_client_auth;
    EXTENDED_KEY_USAGE_free(usage);
    return found;
}

enum status request_read(const char *path, struct slice bytes, struct request_facts *out,
                         struct diag *why)
{
    X509_REQ *request = read_any(bytes);

    if (request == NULL) {
        diag_set(why, "%s: the certificate request in it is damaged (%s); make it again", path,
                 tls_error_text());
        return ST_BAD_INPUT;
    }
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    *out = (struct request_facts){
        .subject = names_text(X509_REQ_get_subject_name(request)),
        .key_type = credential_public_key_type(X509_REQ_get_X509_PUBKEY(request)),
        .is_signed = X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) == 1,
        .wants_client_auth = asks_for_client_auth(extensions),
        .wants_key_usage = X509v3_get_ext_by_NID(extensions, NID_key_usage, -1) >= 0};
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(request);
    ERR_clear_error();
    return ST_OK;
}

void request_facts_free(struct request_facts *f)
{
    free(f->subject);
    free(f->key_type);
}
