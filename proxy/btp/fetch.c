#include "btp/fetch.h"

#include <poll.h>
#include <stdlib.h>

#include <openssl/x509.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "btp/answer.h"
#include "tls/credential.h"

enum {
    MAX_TOKEN_ANSWER = 64 * 1024,
    MAX_CERTIFICATE_ANSWER = 1024 * 1024,
    MAX_LIST = 16 * 1024 * 1024,
    PATIENCE_S = 30, /* the user of fetch decides about a longer pause */
};

struct fetch {
    const struct service_key *key;
    struct web *web;
    const struct web_proxy *proxy;
    int tries;
    struct buf token;
};

void fetch_fail(struct fetch_failure *f, enum cause_id id, const char *format, ...)
{
    va_list args;

    f->cause = cause_of(id);
    va_start(args, format);
    diag_vset(&f->why, format, args);
    va_end(args);
}

/* ---- one call, repeated if that may help ---- */

static bool may_pass(const struct web_answer *a)
{
    return a->flaw == WEB_UNREACHABLE || a->flaw == WEB_CUT ||
           (a->flaw == WEB_PROXY && (a->proxy_status == 0 || a->proxy_status >= 500)) ||
           (a->flaw == WEB_FINE && (a->status == 429 || a->status >= 500));
}

/* Up to half a second is added, so that many machines do not ask at the same time. */
static void pause_for(int64_t ms)
{
    (void)poll(NULL, 0, (int)(ms + clock_monotonic_us() % 500));
}

/* once: repeats only a call that BTP has surely not carried out. */
static void call(const struct fetch *f, const struct web_request *r, bool once,
                 struct web_answer *out)
{
    int64_t pause = 500;

    for (int i = 1;; i++, pause *= 2) {
        web_call(f->web, r, out);
        bool again = once ? out->flaw == WEB_FINE && out->status == 429 : may_pass(out);
        if (i >= f->tries || !again || out->retry_after > PATIENCE_S)
            return;
        int64_t asked = out->retry_after * 1000;
        file_wipe(&out->body);
        pause_for(asked > pause ? asked : pause);
    }
}

/* ---- failures ---- */

static void fail_proxy(const struct web_proxy *p, const struct web_answer *a, const char *who,
                       struct fetch_failure *why)
{
    if (a->proxy_status == 0)
        fetch_fail(why, CAUSE_BTP_PROXY_UNREACHABLE,
                   "%s cannot be reached, because %s made no connection (%s)", who, p->text,
                   a->why.text);
    else if (a->proxy_status != 407)
        fetch_fail(why, CAUSE_BTP_PROXY_REFUSED,
                   "%s cannot be reached, because %s answered CONNECT with %d", who, p->text,
                   a->proxy_status);
    else if (p->user != NULL)
        fetch_fail(why, CAUSE_BTP_PROXY_AUTH,
                   "%s cannot be reached, because %s refused the user %s (407)", who, p->text,
                   p->user);
    else
        fetch_fail(why, CAUSE_BTP_PROXY_AUTH,
                   "%s cannot be reached, because %s refused who calls (407), and "
                   "parent-proxy-user is not set",
                   who, p->text);
}

static void fail_flaw(const struct fetch *f, const struct web_answer *a, const char *who,
                      struct fetch_failure *why)
{
    static const enum cause_id causes[] = {[WEB_FINE] = CAUSE_BTP_ANSWER,
                                           [WEB_UNREACHABLE] = CAUSE_BTP_UNREACHABLE,
                                           [WEB_TLS] = CAUSE_BTP_TLS,
                                           [WEB_IDENTITY] = CAUSE_BTP_SERVICE_KEY,
                                           [WEB_CUT] = CAUSE_BTP_ANSWER};
    static const char *const verbs[] = {
        [WEB_FINE] = "cannot be called",
        [WEB_UNREACHABLE] = "cannot be reached",
        [WEB_TLS] = "cannot be called, because the TLS handshake failed",
        [WEB_IDENTITY] = "cannot be called with the certificate and the key in the service key",
        [WEB_CUT] = "sent an answer that is cut off"};

    if (a->flaw == WEB_PROXY) {
        fail_proxy(f->proxy, a, who, why);
        return;
    }
    fetch_fail(why, causes[a->flaw], "%s %s (%s)", who, verbs[a->flaw], a->why.text);
}

/* True if the status is none of those that mean the same in both services. */
static bool is_common(const struct fetch *f, const struct web_answer *a, const char *who,
                      struct fetch_failure *why)
{
    why->retry_after = a->retry_after;
    if (a->flaw != WEB_FINE) {
        fail_flaw(f, a, who, why);
    } else if (a->status == 429) {
        fetch_fail(why, CAUSE_BTP_TOO_MANY_REQUESTS,
                   "%s answered 429; it asks to wait %lld seconds", who, (long long)a->retry_after);
    } else if (a->status >= 500) {
        fetch_fail(why, CAUSE_BTP_UNAVAILABLE, "%s answered %d", who, a->status);
    } else {
        return false;
    }
    return true;
}

/* ---- the token ---- */

static const char xsuaa[] = "XSUAA (the token's server)", service[] = "the Destination service";

/* The end of the X.509 certificate in the service key; 0: there is none, or it cannot be read. */
static int64_t end_of(const struct service_key *k)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    struct diag ignored;
    struct tm tm;
    int64_t end = 0;

    if (k->certificate != NULL &&
        credential_read_public("certificate", slice_of(k->certificate), certificates, NULL,
                               &ignored) == ST_OK &&
        sk_X509_num(certificates) > 0 &&
        ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(certificates, 0)), &tm) == 1)
        end = (int64_t)timegm(&tm);
    sk_X509_pop_free(certificates, X509_free);
    return end;
}

static bool binding_is_over(const struct service_key *k, struct fetch_failure *why)
{
    int64_t end = end_of(k);
    char date[CLOCK_TEXT_SIZE];

    if (end == 0 || end > clock_wall_s())
        return false;
    clock_text_s(end, date);
    fetch_fail(why, CAUSE_BTP_BINDING_EXPIRED,
               "the X.509 certificate in the service key has expired on %.10s", date);
    return true;
}

static bool judge_token(struct fetch *f, const struct web_answer *a, struct fetch_failure *why)
{
    if (is_common(f, a, xsuaa, why))
        return false;
    if (a->status == 200 && answer_read_token(buf_slice(&a->body), &f->token))
        return true;
    if (a->status == 400 || a->status == 401 || a->status == 403)
        fetch_fail(why, CAUSE_BTP_TOKEN_REFUSED, "%s refused the service key with %d", xsuaa,
                   a->status);
    else
        fetch_fail(why, CAUSE_BTP_ANSWER,
                   a->status == 200 ? "%s answered %d without a token" : "%s answered %d", xsuaa,
                   a->status);
    return false;
}

bool fetch_token(struct fetch *f, struct fetch_failure *why)
{
    struct buf url = {0}, form = {0};
    struct web_answer a;

    why->at_token = true;
    if (binding_is_over(f->key, why))
        return false;
    ask_token_url(&url, f->key);
    ask_token_form(&form, f->key);
    buf_add(&url, "", 1);
    const struct web_request r = {.url = url.p,
                                  .body = buf_slice(&form),
                                  .content_type = "application/x-www-form-urlencoded",
                                  .certificate = f->key->certificate,
                                  .key = f->key->key,
                                  .max = MAX_TOKEN_ANSWER};
    f->token.n = 0;
    buf_reserve(&f->token, MAX_TOKEN_ANSWER);
    call(f, &r, false, &a);
    bool got = judge_token(f, &a, why);
    buf_add(&f->token, "", 1);
    file_wipe(&a.body);
    file_wipe(&form);
    buf_free(&url);
    why->at_token = !got;
    return got;
}

static bool has_token(struct fetch *f, struct fetch_failure *why)
{
    return f->token.n > 1 || fetch_token(f, why);
}

/* ---- the certificate ---- */

static void call_service(const struct fetch *f, enum btp_level l, const char *name,
                         struct slice body, size_t max, struct web_answer *out)
{
    struct buf url = {0};

    ask_certificate_url(&url, f->key, l, name);
    buf_add(&url, "", 1);
    call(f,
         &(struct web_request){.url = url.p,
                               .body = body,
                               .content_type = "application/json",
                               .token = f->token.p,
                               .max = max},
         body.p != NULL, out);
    buf_free(&url);
}

static void fail_unknown(const struct fetch *f, enum btp_level l, const char *name,
                         struct fetch_failure *why)
{
    struct web_answer list;
    struct buf near = {0};

    call_service(f, l, NULL, (struct slice){0}, MAX_LIST, &list);
    if (list.flaw == WEB_FINE && list.status == 200)
        answer_write_nearest(buf_slice(&list.body), name, &near);
    fetch_fail(why, CAUSE_BTP_CERTIFICATE_UNKNOWN, "%s has no certificate %s at the level %s%s%.*s",
               service, name, btp_level_name(l), near.n == 0 ? "" : "; it has ", (int)near.n,
               near.n == 0 ? "" : near.p);
    file_wipe(&list.body);
    buf_free(&near);
}

/* Of either call: true if it says that it did not work. */
static bool is_refused(const struct fetch *f, const struct web_answer *a, struct fetch_failure *why)
{
    if (is_common(f, a, service, why))
        return true;
    if (a->status == 401 || a->status == 403)
        fetch_fail(why, CAUSE_BTP_NOT_PERMITTED, "%s answered %d", service, a->status);
    else if (a->status < 200 || a->status > 299)
        fetch_fail(why, CAUSE_BTP_ANSWER, "%s answered %d", service, a->status);
    else
        return false;
    return true;
}

static bool judge_certificate(const struct fetch *f, enum btp_level l, const char *name,
                              const struct web_answer *a, struct buf *out,
                              struct fetch_failure *why)
{
    if (a->flaw == WEB_FINE && a->status == 404) {
        fail_unknown(f, l, name, why);
        return false;
    }
    if (is_refused(f, a, why))
        return false;
    if (!answer_read_certificate(buf_slice(&a->body), name, out)) {
        fetch_fail(why, CAUSE_BTP_ANSWER, "the answer of %s holds no certificate %s", service,
                   name);
        return false;
    }
    if (answer_is_java_store(buf_slice(out))) {
        fetch_fail(why, CAUSE_BTP_KEY_STORE, "%s in BTP is a Java key store (JKS)", name);
        return false;
    }
    return true;
}

bool fetch_certificate(struct fetch *f, enum btp_level l, const char *name, struct buf *out,
                       struct fetch_failure *why)
{
    struct web_answer a;

    if (!has_token(f, why))
        return false;
    call_service(f, l, name, (struct slice){0}, MAX_CERTIFICATE_ANSWER, &a);
    bool got = judge_certificate(f, l, name, &a, out, why);
    if (!got)
        file_wipe(out);
    file_wipe(&a.body);
    return got;
}

bool fetch_order(struct fetch *f, enum btp_level l, const struct certificate_wish *w,
                 struct fetch_failure *why)
{
    struct buf body = {0};
    struct web_answer a;

    if (!has_token(f, why))
        return false;
    ask_certificate(&body, w);
    call_service(f, l, NULL, buf_slice(&body), MAX_CERTIFICATE_ANSWER, &a);
    bool refused = is_refused(f, &a, why);
    why->is_open = (a.flaw != WEB_FINE && a.flaw != WEB_PROXY) || a.status >= 500;
    file_wipe(&a.body);
    buf_free(&body);
    return !refused;
}

/* ---- life ---- */

bool fetch_new(const struct service_key *key, const char *ca_file, const struct web_proxy *proxy,
               int tries, struct fetch **out, struct fetch_failure *why)
{
    struct fetch *f = NEW(struct fetch);

    *why = (struct fetch_failure){.cause = NULL};
    f->key = key;
    f->proxy = proxy;
    f->tries = tries;
    if (web_new(ca_file, proxy, &f->web, &why->why) == ST_OK) {
        *out = f;
        return true;
    }
    why->cause = cause_of(CAUSE_BTP_HELPER);
    free(f);
    return false;
}

void fetch_free(struct fetch *f)
{
    if (f == NULL)
        return;
    web_free(f->web);
    file_wipe(&f->token);
    free(f);
}
