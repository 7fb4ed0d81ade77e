#include "cli/demo_origin.h"

#include <stdlib.h>

#include <openssl/x509v3.h>

#include "base/json.h"
#include "base/mem.h"

static const struct {
    const char *id, *first, *last, *title;
} users[] = {
    {"aaaker", "Alan", "Aaker", "Payroll Specialist"},
    {"bbrown", "Betty", "Brown", "HR Business Partner"},
    {"cgrant", "Carla", "Grant", "Vice President, Human Resources"},
};

static char *name_text(const X509_NAME *name)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *p;

    (void)X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253);
    long n = BIO_get_mem_data(out, &p);
    char *text = mem_copy_bytes(p, (size_t)n);
    BIO_free(out);
    return text;
}

/* What the TLS handshake told about the caller. */
static void add_certificate(struct buf *b, SSL *tls)
{
    X509 *x = tls == NULL ? NULL : SSL_get1_peer_certificate(tls);

    if (x == NULL) {
        buf_add_string(b, "null");
        return;
    }
    char *subject = name_text(X509_get_subject_name(x)),
         *issuer = name_text(X509_get_issuer_name(x));
    char *serial = i2s_ASN1_INTEGER(NULL, X509_get_serialNumber(x));
    buf_add_string(b, "{");
    json_add_member(b, "subject", slice_of(subject));
    json_add_member(b, "issuer", slice_of(issuer));
    json_add_member(b, "serial", slice_of(serial));
    json_add_member(b, "tls", slice_of(SSL_get_version(tls)));
    buf_add_string(b, "}");
    OPENSSL_free(serial);
    free(subject);
    free(issuer);
    X509_free(x);
}

static void add_users(struct buf *b, const struct local_request *r)
{
    struct slice host = head_value(r->head, FIELD_HOST);

    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        buf_addf(b,
                 "%s{\"__metadata\":{\"uri\":\"https://%.*s/odata/v2/User('%s')\","
                 "\"type\":\"SFOData.User\"}",
                 i == 0 ? "" : ",", (int)host.n, host.p, users[i].id);
        json_add_member(b, "userId", slice_of(users[i].id));
        json_add_member(b, "firstName", slice_of(users[i].first));
        json_add_member(b, "lastName", slice_of(users[i].last));
        json_add_member(b, "title", slice_of(users[i].title));
        buf_add_string(b, "}");
    }
}

static void answer_users(const struct local_request *r, struct buf *b)
{
    bool authorization = head_has(r->head, FIELD_AUTHORIZATION);

    buf_add_string(b, "{\"d\":{\"results\":[");
    add_users(b, r);
    buf_add_string(b, "]},\"seenByTheServer\":{");
    json_add_member(b, "companyId", slice_of(DEMO_COMPANY));
    buf_addf(
        b, ",\"authorizationHeader\":%s,\"clientCertificate\":", authorization ? "true" : "false");
    add_certificate(b, r->tls);
    buf_add_string(b, "}}\n");
}

/* The bodies that SF answers with (KBA 3333286, 2524436). */
static int refuse_company(struct buf *b)
{
    buf_add_string(b, "{\"error\":{\"code\":\"AuthenticationFailed\",\"message\":\"Authentication "
                      "service failed to return token.\",\"details\":\"[AUTH0032]Invalid client "
                      "certificate\"}}\n");
    return 401;
}

static int not_found(struct buf *b)
{
    buf_add_string(b,
                   "{\"error\":{\"code\":\"COE_GENERAL_NOT_FOUND\",\"message\":{\"lang\":\"en-US\","
                   "\"value\":\"[COE0018]The demo serves /odata/v2/User only.\"}}}\n");
    return 404;
}

void demo_origin_answer(void *ctx, const struct local_request *r, struct reply *out,
                        struct buf *body, struct buf *fields)
{
    struct slice rest = r->target.path, path = slice_split(&rest, '?');
    struct slice company = head_value(r->head, FIELD_COMPANY_ID);

    (void)ctx;
    out->status = 200;
    if (!slice_eq(company, SLICE(DEMO_COMPANY)))
        out->status = refuse_company(body);
    else if (slice_eq(path, SLICE("/odata/v2/User")))
        answer_users(r, body);
    else
        out->status = not_found(body);
    out->content_type = "application/json;charset=utf-8";
    out->body = buf_slice(body);
    buf_add_string(fields, "DataServiceVersion: 1.0\r\n");
    buf_add(fields, "", 1);
    out->fields = fields->p;
}
