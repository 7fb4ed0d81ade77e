#include "cli/demo_origin.h"

#include <stdlib.h>

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/demo_fault.h"

static const struct {
    const char *id, *first, *last, *title;
} users[] = {
    {"sfadmin", "Ada", "Admin", "API Administrator"},
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

/* Adds what the TLS handshake has shown about the caller. */
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

static void add_user(struct buf *b, struct slice host, size_t i)
{
    buf_addf(b,
             "{\"__metadata\":{\"uri\":\"https://%.*s/odata/v2/User('%s')\","
             "\"type\":\"SFOData.User\"}",
             (int)host.n, host.p, users[i].id);
    json_add_member(b, "userId", slice_of(users[i].id));
    json_add_member(b, "firstName", slice_of(users[i].first));
    json_add_member(b, "lastName", slice_of(users[i].last));
    json_add_member(b, "title", slice_of(users[i].title));
    json_add_member(b, "status", SLICE("t"));
    buf_add_string(b, "}");
}

/* The number of a query option, written "$top" or "%24top"; otherwise fallback. */
static size_t number_of(struct slice query, struct slice name, size_t fallback)
{
    uint64_t number;

    while (query.n > 0) {
        struct slice value = slice_split(&query, '&'), key = slice_split(&value, '=');
        if (slice_ends_nocase(key, name) && slice_to_u64(value, 1000000, &number))
            return (size_t)number;
    }
    return fallback;
}

static void answer_users(const struct local_request *r, struct slice query, struct buf *b)
{
    bool authorization = head_has(r->head, FIELD_AUTHORIZATION), first = true;
    size_t skip = number_of(query, SLICE("skip"), 0),
           top = number_of(query, SLICE("top"), ARRAY_LEN(users));

    buf_add_string(b, "{\"d\":{\"results\":[");
    for (size_t i = skip; i < ARRAY_LEN(users) && i - skip < top; i++, first = false) {
        buf_add_string(b, first ? "" : ",");
        add_user(b, head_value(r->head, FIELD_HOST), i);
    }
    buf_add_string(b, "]},\"seenByTheServer\":{");
    json_add_member(b, "companyId", slice_of(DEMO_COMPANY));
    buf_addf(
        b, ",\"authorizationHeader\":%s,\"clientCertificate\":", authorization ? "true" : "false");
    add_certificate(b, r->tls);
    buf_add_string(b, "}}\n");
}

/* Answers /odata/v2/User('ID'). */
static bool answer_user(const struct local_request *r, struct slice path, struct buf *b)
{
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        char *one = mem_format("/odata/v2/User('%s')", users[i].id);
        bool found = slice_eq(path, slice_of(one));
        free(one);
        if (!found)
            continue;
        buf_add_string(b, "{\"d\":");
        add_user(b, head_value(r->head, FIELD_HOST), i);
        buf_add_string(b, "}\n");
        return true;
    }
    return false;
}

/* ---- answers that are the same for all ---- */

#define SCIM_LIST "\"urn:ietf:params:scim:api:messages:2.0:ListResponse\""
#define JSON_TYPE "application/json;charset=utf-8"

static const struct {
    const char *path, *content_type, *body;
} fixed[] = {
    {"/odata/v2/", JSON_TYPE, "{\"d\":{\"EntitySets\":[\"User\"]}}\n"},
    {"/odata/v2/User/$count", "text/plain", "4"},
    {"/odata/v2/$metadata", "application/xml",
     "<?xml version=\"1.0\"?><edmx:Edmx Version=\"1.0\" "
     "xmlns:edmx=\"http://schemas.microsoft.com/ado/2007/06/edmx\"/>\n"},
    {"/odata/v2/$batch", "multipart/mixed; boundary=batch_demo",
     "--batch_demo\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n"
     "{\"d\":{\"results\":[]}}  \r\n--batch_demo--\r\n"},
    {"/odata/v2/upsert", JSON_TYPE,
     "{\"d\":[{\"key\":\"sfadmin\",\"status\":\"OK\",\"editStatus\":\"UPSERTED\",\"message\":null,"
     "\"index\":0,\"httpCode\":200,\"inlineResults\":null}]}\n"},
    {"/rest/iam/scim/v2/Users", "application/scim+json",
     "{\"schemas\":[" SCIM_LIST "],\"totalResults\":1,\"itemsPerPage\":100,\"startId\":\"initial\","
     "\"nextId\":\"end\",\"Resources\":[{\"id\":\"1\",\"userName\":\"sfadmin\"}]}\n"},
    {"/rest/iam/scim/v2/Groups", "application/scim+json",
     "{\"schemas\":[" SCIM_LIST "],\"totalResults\":0,\"Resources\":[]}\n"},
};

static bool answer_fixed(struct slice path, struct reply *out, struct buf *b)
{
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        if (!slice_eq(path, slice_of(fixed[i].path)))
            continue;
        out->content_type = fixed[i].content_type;
        buf_add_string(b, fixed[i].body);
        return true;
    }
    return false;
}

/* The answers of SuccessFactors (KBA 3333286, 2524436). */
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
                   "\"value\":\"[COE0018]The demo has nothing there.\"}}}\n");
    return 404;
}

static void answer(const struct local_request *r, struct reply *out, struct buf *b)
{
    struct slice rest = r->target.path, path = slice_split(&rest, '?');

    if (!slice_eq(head_value(r->head, FIELD_COMPANY_ID), SLICE(DEMO_COMPANY)))
        out->status = refuse_company(b);
    else if (slice_eq(path, SLICE("/odata/v2/User")))
        answer_users(r, rest, b);
    else if (!answer_user(r, path, b) && !answer_fixed(path, out, b))
        out->status = not_found(b);
}

void demo_origin_answer(void *ctx, const struct local_request *r, struct reply *out,
                        struct buf *body, struct buf *fields)
{
    const struct demo_fault *f = ctx;

    out->status = f->status != 0 ? f->status : 200;
    out->content_type = f->status != 0 ? f->content_type : JSON_TYPE;
    if (f->status != 0)
        buf_add_string(body, f->body);
    else
        answer(r, out, body);
    if (f->date_days != 0)
        out->date_us = clock_wall_us() + f->date_days * (int64_t)SECONDS_PER_DAY * 1000000;
    out->body = buf_slice(body);
    buf_add_string(fields, "DataServiceVersion: 1.0\r\n");
    buf_add(fields, "", 1);
    out->fields = fields->p;
}
