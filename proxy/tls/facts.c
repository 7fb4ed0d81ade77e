#include "tls/facts.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "tls/names.h"

static void add_fingerprint(struct buf *out, const X509 *x, const EVP_MD *digest)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    (void)X509_digest(x, digest, bytes, &n);
    for (unsigned i = 0; i < n; i++)
        buf_addf(out, "%s%02X", i == 0 ? "" : ":", bytes[i]);
}

void facts_collect(const struct credential *c, int64_t now_s, struct facts *out)
{
    const X509 *x = credential_leaf(c);
    int64_t end = credential_not_after(c);

    *out = (struct facts){.subject = mem_copy_string(credential_subject(c)),
                          .issuer = credential_issuer(c),
                          .days_left =
                              (long long)(end - now_s) / SECONDS_PER_DAY - (end < now_s ? 1 : 0),
                          .key_type = credential_key_type(c)};
    clock_text_s(credential_not_before(c), out->not_before);
    clock_text_s(end, out->not_after);
    names_add_serial(&out->serial, X509_get0_serialNumber(x));
    add_fingerprint(&out->sha256, x, EVP_sha256());
    add_fingerprint(&out->sha1, x, EVP_sha1());
}

void facts_free(struct facts *f)
{
    free(f->subject);
    free(f->issuer);
    free(f->key_type);
    buf_free(&f->serial);
    buf_free(&f->sha256);
    buf_free(&f->sha1);
}
