#include "btp/ask.h"

#include <openssl/evp.h>

#include "base/json.h"

enum { MAX_NAME = 255 };

const char *btp_level_name(enum btp_level l)
{
    return l == LEVEL_INSTANCE ? "instance" : "subaccount";
}

bool ask_parse_span(const char *text, struct validity_span *out)
{
    static const uint64_t most[] = {[SPAN_DAYS] = 3650, [SPAN_MONTHS] = 120, [SPAN_YEARS] = 10};
    static const char units[] = "dmy";
    size_t n = strlen(text);
    const char *unit = n < 2 ? NULL : strchr(units, text[n - 1]);
    uint64_t value;

    if (unit == NULL || !slice_to_u64((struct slice){text, n - 1}, most[unit - units], &value) ||
        value == 0)
        return false;
    *out = (struct validity_span){(enum span_unit)(unit - units), (int)value};
    return true;
}

bool ask_is_name(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > MAX_NAME || name[0] == '.')
        return false;
    for (const char *p = name; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '/' || *p == '\\')
            return false;
    return true;
}

/* Percent-encodes all characters except the unreserved ones (RFC 3986, 2.3). */
static void add_encoded(struct buf *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c) != NULL;
        if (plain)
            buf_add(out, p, 1);
        else
            buf_addf(out, "%%%02X", c);
    }
}

void ask_token_url(struct buf *out, const struct service_key *k)
{
    buf_addf(out, "%s/oauth/token", k->token_url);
}

void ask_token_form(struct buf *out, const struct service_key *k)
{
    buf_reserve(out, 256 * 1024); /* secrets are not moved in memory */
    buf_add_string(out, "grant_type=client_credentials&client_id=");
    add_encoded(out, k->client_id);
    if (k->client_secret == NULL)
        return;
    buf_add_string(out, "&client_secret=");
    add_encoded(out, k->client_secret);
}

void ask_certificate_url(struct buf *out, const struct service_key *k, enum btp_level l,
                         const char *name)
{
    buf_addf(out, "%s/destination-configuration/v1/%sCertificates", k->service_url,
             btp_level_name(l));
    if (name == NULL)
        return;
    buf_add_string(out, "/");
    add_encoded(out, name);
}

static void add_base64(struct buf *out, struct slice bytes)
{
    buf_reserve(out, (bytes.n / 3 + 1) * 4 + 1);
    out->n += (size_t)EVP_EncodeBlock((unsigned char *)out->p + out->n,
                                      (const unsigned char *)bytes.p, (int)bytes.n);
}

void ask_certificate(struct buf *out, const struct certificate_wish *w)
{
    static const char *const units[] = {
        [SPAN_DAYS] = "DAYS", [SPAN_MONTHS] = "MONTHS", [SPAN_YEARS] = "YEARS"};

    buf_add_string(out, "{");
    json_add_member(out, "Name", slice_of(w->name));
    buf_add_string(out, ",\"Attributes\":{");
    json_add_member(out, "CN", slice_of(w->common_name));
    buf_addf(out,
             ",\"Validity\":{\"TimeUnit\":\"%s\",\"Value\":%d},\"AutomaticRenew\":%s,\"CSR\":\"",
             units[w->span.unit], w->span.value, w->renews ? "true" : "false");
    add_base64(out, w->request);
    buf_add_string(out, "\"}}");
}
