#include "tls/names.h"

#include <arpa/inet.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "base/mem.h"

char *names_text(const X509_NAME *name)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *p;

    (void)X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    long n = BIO_get_mem_data(text, &p);
    char *copy = mem_copy_bytes(p, (size_t)n);
    BIO_free(text);
    return copy;
}

static void add_dns(struct buf *out, const ASN1_STRING *name)
{
    const unsigned char *p = ASN1_STRING_get0_data(name);

    for (int i = 0; i < ASN1_STRING_length(name); i++)
        buf_addf(out, "%c", p[i] > ' ' && p[i] < 0x7f ? p[i] : '?');
}

static void add_address(struct buf *out, const ASN1_OCTET_STRING *address)
{
    char text[INET6_ADDRSTRLEN] = "?";
    int n = ASN1_STRING_length(address);

    if (n == 4 || n == 16)
        (void)inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text,
                        sizeof(text));
    buf_add_string(out, text);
}

char *names_alternative(const X509 *x)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    struct buf out = {0};

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD)
            continue;
        buf_add_string(&out, out.n == 0 ? "" : ", ");
        if (name->type == GEN_DNS)
            add_dns(&out, name->d.dNSName);
        else
            add_address(&out, name->d.iPAddress);
    }
    GENERAL_NAMES_free(names);
    char *text = mem_copy_bytes(out.n == 0 ? "" : out.p, out.n);
    buf_free(&out);
    return text;
}

int64_t names_seconds(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

void names_add_serial(struct buf *out, const ASN1_INTEGER *number)
{
    BIGNUM *value = ASN1_INTEGER_to_BN(number, NULL);
    char *hex = value == NULL ? NULL : BN_bn2hex(value);

    buf_add_string(out, hex == NULL ? "?" : hex);
    OPENSSL_free(hex);
    BN_free(value);
}
