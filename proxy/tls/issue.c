#include "tls/issue.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"

enum { SERIAL_BITS = 127, BACKDATED_SECONDS = SECONDS_PER_HOUR };

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

static bool add_ca_extensions(X509 *x, const X509 *issuer, const struct issue_spec *s)
{
    const char *constraints =
        s->issues_leaves_only ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE";
    char *names =
        s->name_constraints == NULL ? NULL : mem_format("critical,%s", s->name_constraints);
    bool added = add_extension(x, issuer, NID_basic_constraints, constraints) &&
                 add_extension(x, issuer, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                 (names == NULL || add_extension(x, issuer, NID_name_constraints, names)) &&
                 (!s->for_server || add_extension(x, issuer, NID_ext_key_usage, "serverAuth"));

    free(names);
    return added;
}

static bool add_leaf_extensions(X509 *x, const X509 *issuer, const struct issue_spec *s)
{
    return add_extension(x, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x, issuer, NID_ext_key_usage,
                         s->for_server ? "serverAuth" : "clientAuth") &&
           (s->alt_names == NULL || add_extension(x, issuer, NID_subject_alt_name, s->alt_names));
}

/* Strict verifiers (Python's since 3.13) require these to find the issuer. */
static bool add_key_identifiers(X509 *x, const X509 *issuer)
{
    return add_extension(x, issuer, NID_subject_key_identifier, "hash") &&
           (issuer == x || add_extension(x, issuer, NID_authority_key_identifier, "keyid"));
}

static bool set_dates(X509 *x, const struct issue_spec *s)
{
    int64_t now = clock_wall_s(), end = now + (int64_t)s->days * SECONDS_PER_DAY;

    if (s->latest > 0 && s->latest < end)
        end = s->latest;
    int64_t begin = now - BACKDATED_SECONDS + (int64_t)s->begins_days * SECONDS_PER_DAY;
    return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)begin) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x), (time_t)end) != NULL;
}

static bool fill(X509 *x, const struct issue_spec *s, const X509 *issuer)
{
    X509_NAME *subject = X509_get_subject_name(x);

    if (issuer == NULL)
        issuer = x;
    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) && set_dates(x, s) &&
           add_name(subject, "O", s->organization) && add_name(subject, "CN", s->common_name) &&
           X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 &&
           add_key_identifiers(x, issuer) &&
           (s->is_ca ? add_ca_extensions : add_leaf_extensions)(x, issuer, s);
}

enum status issue_certificate(const struct issue_spec *spec, const struct credential *issuer,
                              struct credential *c, struct diag *why)
{
    X509 *x = X509_new();

    if (credential_put_public_key(c, x) &&
        fill(x, spec, issuer == NULL ? NULL : credential_leaf(issuer)))
        return credential_certify(c, issuer == NULL ? c : issuer, x, why);
    X509_free(x);
    diag_set(why, "cannot make a certificate for %s", spec->common_name);
    return ST_SYSTEM;
}

enum status issue_credential(const struct issue_spec *spec, const struct credential *issuer,
                             struct credential **out, struct diag *why)
{
    struct credential *c;
    enum status st = credential_new_key(KEY_EC, &c, why);

    if (st != ST_OK)
        return st;
    st = issue_certificate(spec, issuer, c, why);
    if (st == ST_OK)
        *out = c;
    else
        credential_unref(c);
    return st;
}

static bool push_extension(STACK_OF(X509_EXTENSION) * to, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    if (e != NULL && sk_X509_EXTENSION_push(to, e) > 0)
        return true;
    X509_EXTENSION_free(e);
    return false;
}

/* Adds the extensions that a client certificate needs, for CAs that copy them from the request. */
static bool add_wishes(X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *wishes = sk_X509_EXTENSION_new_null();
    bool added = push_extension(wishes, NID_key_usage, "critical,digitalSignature") &&
                 push_extension(wishes, NID_ext_key_usage, "clientAuth") &&
                 X509_REQ_add_extensions(request, wishes) == 1;

    sk_X509_EXTENSION_pop_free(wishes, X509_EXTENSION_free);
    return added;
}

enum status issue_request(const struct credential *c, const char *common_name,
                          const char *organization, struct buf *out, struct diag *why)
{
    X509_REQ *request = X509_REQ_new();
    X509_NAME *subject = X509_REQ_get_subject_name(request);
    enum status st = ST_BAD_INPUT;

    if ((organization == NULL || add_name(subject, "O", organization)) &&
        add_name(subject, "CN", common_name) && add_wishes(request))
        st = credential_request(c, request, out, why);
    else
        diag_set(why, "`%s` is not a name for a certificate; write 1 to 64 characters",
                 common_name);
    X509_REQ_free(request);
    return st;
}
