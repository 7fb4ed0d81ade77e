#include "tls/issue.h"

#include <string.h>

#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum { SERIAL_BITS = 127, SECONDS_PER_DAY = 86400, BACKDATED_SECONDS = 3600 };

static bool add_name(X509_NAME *name, const char *field, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) == 1;
}

static bool add_extension(X509 *x, const X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, (X509 *)(uintptr_t)issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = e != NULL && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return added;
}

static bool set_serial(X509 *x)
{
    BIGNUM *serial = BN_new();
    bool set = serial != NULL &&
               BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
               BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) != NULL;

    BN_free(serial);
    return set;
}

static bool add_extensions(X509 *x, const X509 *issuer, const struct issue_spec *s)
{
    if (s->is_ca)
        return add_extension(x, issuer, NID_basic_constraints, "critical,CA:TRUE") &&
               add_extension(x, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    return add_extension(x, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x, issuer, NID_ext_key_usage,
                         s->for_server ? "serverAuth" : "clientAuth") &&
           (s->alt_names == NULL || add_extension(x, issuer, NID_subject_alt_name, s->alt_names));
}

static bool fill(X509 *x, const struct issue_spec *s, const X509 *issuer)
{
    X509_NAME *subject = X509_get_subject_name(x);

    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -BACKDATED_SECONDS) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(x), (long)s->days * SECONDS_PER_DAY) != NULL &&
           add_name(subject, "O", s->organization) && add_name(subject, "CN", s->common_name) &&
           X509_set_issuer_name(x, X509_get_subject_name(issuer == NULL ? x : issuer)) == 1 &&
           add_extensions(x, issuer == NULL ? x : issuer, s);
}

enum status issue_credential(const struct issue_spec *spec, const struct credential *issuer,
                             struct credential **out, struct diag *why)
{
    struct credential *c;
    X509 *x = X509_new();
    enum status st = credential_new_key(KEY_EC, &c, why);

    if (st != ST_OK) {
        X509_free(x);
        return st;
    }
    if (!fill(x, spec, issuer == NULL ? NULL : credential_leaf(issuer))) {
        X509_free(x);
        credential_unref(c);
        diag_set(why, "cannot make a certificate for %s", spec->common_name);
        return ST_SYSTEM;
    }
    st = credential_certify(c, issuer == NULL ? c : issuer, x, why);
    if (st != ST_OK) {
        credential_unref(c);
        return st;
    }
    *out = c;
    return ST_OK;
}

enum status issue_request(const struct credential *c, const char *common_name,
                          const char *organization, struct buf *out, struct diag *why)
{
    X509_REQ *request = X509_REQ_new();
    X509_NAME *subject = X509_REQ_get_subject_name(request);
    enum status st = ST_BAD_INPUT;

    if ((organization == NULL || add_name(subject, "O", organization)) &&
        add_name(subject, "CN", common_name))
        st = credential_request(c, request, out, why);
    else
        diag_set(why, "`%s` is no name for a certificate; write 1 to 64 characters", common_name);
    X509_REQ_free(request);
    return st;
}
