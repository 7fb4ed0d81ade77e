#include "btp/web.h"

#include <dlfcn.h>
#include <stdlib.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "base/mem.h"

enum { CONNECT_MS = 10 * 1000, WHOLE_MS = 30 * 1000 };

/* The functions of the library, as its header declares them. */
struct library {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) easy_init;
    __typeof__(&curl_easy_setopt) set;
    __typeof__(&curl_easy_perform) perform;
    __typeof__(&curl_easy_getinfo) get;
    __typeof__(&curl_easy_cleanup) cleanup;
    __typeof__(&curl_easy_reset) reset;
    __typeof__(&curl_easy_strerror) text_of;
    __typeof__(&curl_slist_append) append;
    __typeof__(&curl_slist_free_all) free_all;
};

struct web {
    CURL *easy;
    char *ca_file; /* NULL: the library's own, and those of the system's folder */
    const struct web_proxy *proxy;
    char error[CURL_ERROR_SIZE];
};

static struct library curl;

/* ---- the library ---- */

static bool find(void *library, const char *name, void *out)
{
    void *symbol = dlsym(library, name);

    memcpy(out, &symbol, sizeof(symbol));
    return symbol != NULL;
}

static bool find_all(void *l)
{
    return find(l, "curl_global_init", &curl.global_init) &&
           find(l, "curl_easy_init", &curl.easy_init) && find(l, "curl_easy_setopt", &curl.set) &&
           find(l, "curl_easy_perform", &curl.perform) && find(l, "curl_easy_getinfo", &curl.get) &&
           find(l, "curl_easy_cleanup", &curl.cleanup) && find(l, "curl_easy_reset", &curl.reset) &&
           find(l, "curl_easy_strerror", &curl.text_of) &&
           find(l, "curl_slist_append", &curl.append) &&
           find(l, "curl_slist_free_all", &curl.free_all) &&
           curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* Loads the library, which stays in memory until the process ends. */
static bool load(void)
{
    static void *library;

    if (library == NULL) {
        library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
        if (library != NULL && !find_all(library)) {
            (void)dlclose(library);
            library = NULL;
        }
    }
    return library != NULL;
}

void web_prepare(void)
{
    (void)load();
}

enum status web_new(const char *ca_file, const struct web_proxy *proxy, struct web **out,
                    struct diag *why)
{
    const char *named = getenv(X509_get_default_cert_file_env());

    if (!load()) {
        diag_set(why, "libcurl.so.4 cannot be loaded, without which BTP cannot be called; install "
                      "it (Debian: libcurl4)");
        return ST_SYSTEM;
    }
    struct web *w = NEW(struct web);
    w->easy = curl.easy_init();
    w->proxy = proxy;
    w->ca_file = mem_copy_string(ca_file != NULL ? ca_file : named);
    *out = w;
    return ST_OK;
}

void web_free(struct web *w)
{
    if (w == NULL)
        return;
    curl.cleanup(w->easy);
    free(w->ca_file);
    free(w);
}

/* ---- the proxy ---- */

static void set_ways(const struct web *w, unsigned ways)
{
    static const struct {
        unsigned way;
        unsigned long name;
    } rows[] = {{WEB_BASIC, CURLAUTH_BASIC},
                {WEB_DIGEST, CURLAUTH_DIGEST},
                {WEB_NEGOTIATE, CURLAUTH_NEGOTIATE},
                {WEB_NTLM, CURLAUTH_NTLM}};
    unsigned long names = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((ways & rows[i].way) != 0)
            names |= rows[i].name;
    (void)curl.set(w->easy, CURLOPT_PROXYAUTH, names);
}

/* An empty user lets the library use a ticket. An empty list of exceptions keeps it from reading
 * that of the environment. */
static void set_proxy(const struct web *w)
{
    const struct web_proxy *p = w->proxy;

    if (p->way != WEB_BY_ENVIRONMENT) {
        (void)curl.set(w->easy, CURLOPT_PROXY, p->way == WEB_DIRECT ? "" : p->url);
        (void)curl.set(w->easy, CURLOPT_NOPROXY, "");
    }
    if (p->ways == 0)
        return;
    (void)curl.set(w->easy, CURLOPT_PROXYUSERNAME, p->user == NULL ? "" : p->user);
    (void)curl.set(w->easy, CURLOPT_PROXYPASSWORD, p->password == NULL ? "" : p->password);
    set_ways(w, p->ways);
}

/* Of an https:// URL. */
static char *host_of(const char *url)
{
    const char *host = url + strlen("https://");

    return *host == '[' ? mem_copy_bytes(host + 1, strcspn(host + 1, "]"))
                        : mem_copy_bytes(host, strcspn(host, ":/"));
}

static bool uses_proxy(const struct web *w, const char *url)
{
    if (w->proxy->way != WEB_BY_ENVIRONMENT)
        return w->proxy->way == WEB_BY_PROXY;
    char *host = host_of(url);
    bool uses = w->proxy->is_for(host);
    free(host);
    return uses;
}

/* Did no connection through the proxy come about? One that is used again did: its request was
 * about to be sent. */
static bool is_of_proxy(const struct web *w, const char *url, const struct web_answer *a)
{
    curl_off_t sent = 0;

    (void)curl.get(w->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
    return (a->flaw == WEB_UNREACHABLE || a->flaw == WEB_CUT) && a->proxy_status / 100 != 2 &&
           sent == 0 && uses_proxy(w, url);
}

/* The Kerberos library reads these variables, and libcurl has no options for what they say. */
static const char *const tickets[] = {"KRB5CCNAME", "KRB5_CLIENT_KTNAME"};

static void set_variable(const char *name, const char *value)
{
    if (value == NULL)
        (void)unsetenv(name);
    else
        (void)setenv(name, value, 1);
}

static CURLcode perform_with_tickets(const struct web *w)
{
    const char *const now[] = {w->proxy->ccache, w->proxy->keytab};
    char *before[ARRAY_LEN(tickets)];

    for (size_t i = 0; i < ARRAY_LEN(tickets); i++) {
        before[i] = mem_copy_string(getenv(tickets[i]));
        if (now[i] != NULL)
            set_variable(tickets[i], now[i]);
    }
    CURLcode code = curl.perform(w->easy);
    for (size_t i = 0; i < ARRAY_LEN(tickets); i++) {
        set_variable(tickets[i], before[i]);
        free(before[i]);
    }
    return code;
}

/* The library takes Negotiate if it is offered, and goes no other way if there is no ticket. */
static CURLcode perform(const struct web *w)
{
    const struct web_proxy *p = w->proxy;
    unsigned others = p->ways & ~(unsigned)WEB_NEGOTIATE;
    CURLcode code = perform_with_tickets(w);
    long status = 0;

    (void)curl.get(w->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status != 407 || p->user == NULL || others == 0 || others == p->ways)
        return code;
    set_ways(w, others);
    return curl.perform(w->easy);
}

/* ---- one call ---- */

struct receiver {
    struct buf *body;
    size_t max;
    bool overflows;
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *ctx)
{
    struct receiver *r = ctx;
    size_t n = size * count;

    if (n > r->max - r->body->n) {
        r->overflows = true;
        return 0;
    }
    buf_add(r->body, bytes, n);
    return n;
}

static struct curl_blob blob_of(const char *text)
{
    return (struct curl_blob){(void *)(uintptr_t)text, strlen(text), CURL_BLOB_NOCOPY};
}

static void set_identity(const struct web *w, const struct web_request *r)
{
    struct curl_blob certificate, key;

    if (r->certificate == NULL)
        return;
    certificate = blob_of(r->certificate);
    key = blob_of(r->key);
    certificate.flags = key.flags = CURL_BLOB_COPY;
    (void)curl.set(w->easy, CURLOPT_SSLCERTTYPE, "PEM");
    (void)curl.set(w->easy, CURLOPT_SSLCERT_BLOB, &certificate);
    (void)curl.set(w->easy, CURLOPT_SSLKEYTYPE, "PEM");
    (void)curl.set(w->easy, CURLOPT_SSLKEY_BLOB, &key);
}

static void set_trust(const struct web *w)
{
    (void)curl.set(w->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl.set(w->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl.set(w->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (w->ca_file == NULL)
        return;
    (void)curl.set(w->easy, CURLOPT_CAINFO, w->ca_file);
    (void)curl.set(w->easy, CURLOPT_CAPATH, NULL);
}

static void set_up(struct web *w, const struct web_request *r, struct receiver *receiver)
{
    curl.reset(w->easy);
    w->error[0] = '\0';
    (void)curl.set(w->easy, CURLOPT_ERRORBUFFER, w->error);
    (void)curl.set(w->easy, CURLOPT_URL, r->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    (void)curl.set(w->easy, CURLOPT_PROTOCOLS_STR, "https");
#endif
    (void)curl.set(w->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl.set(w->easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl.set(w->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl.set(w->easy, CURLOPT_USERAGENT, "sfmtls/" SFMTLS_VERSION);
    (void)curl.set(w->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl.set(w->easy, CURLOPT_TIMEOUT_MS, (long)WHOLE_MS);
    (void)curl.set(w->easy, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl.set(w->easy, CURLOPT_WRITEDATA, receiver);
    if (r->body.p != NULL) {
        (void)curl.set(w->easy, CURLOPT_POSTFIELDSIZE, (long)r->body.n);
        (void)curl.set(w->easy, CURLOPT_POSTFIELDS, r->body.p);
    }
    set_trust(w);
    set_proxy(w);
    set_identity(w, r);
}

static struct curl_slist *fields_of(const struct web_request *r, struct buf *authorization)
{
    struct curl_slist *fields = curl.append(NULL, "Accept: application/json");

    if (r->body.p != NULL) {
        char *type = mem_format("Content-Type: %s", r->content_type);
        fields = curl.append(fields, type);
        free(type);
        fields = curl.append(fields, "Expect:");
    }
    if (r->token != NULL) {
        buf_addf(authorization, "Authorization: Bearer %s", r->token);
        fields = curl.append(fields, authorization->p);
    }
    return fields;
}

static enum web_flaw flaw_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return WEB_FINE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return WEB_TLS;
    case CURLE_SSL_CERTPROBLEM:
        return WEB_IDENTITY;
    case CURLE_PARTIAL_FILE:
    case CURLE_WRITE_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return WEB_CUT;
    default:
        return WEB_UNREACHABLE;
    }
}

/* False if the message may hold a password: the library repeats the URL of a proxy that it cannot
 * use. */
static bool is_harmless(const char *error)
{
    return error[0] != '\0' && strchr(error, '@') == NULL;
}

static void judge(const struct web *w, CURLcode code, const struct receiver *r, const char *url,
                  struct web_answer *out)
{
    long status = 0, proxy_status = 0;
    curl_off_t wait = 0;

    out->flaw = flaw_of(code);
    if (r->overflows)
        diag_set(&out->why, "the answer is larger than %zu KiB", r->max >> 10);
    else
        diag_set(&out->why, "%s", is_harmless(w->error) ? w->error : curl.text_of(code));
    (void)curl.get(w->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl.get(w->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    (void)curl.get(w->easy, CURLINFO_RETRY_AFTER, &wait);
    out->status = (int)status;
    out->proxy_status = (int)proxy_status;
    if (is_of_proxy(w, url, out))
        out->flaw = WEB_PROXY;
    out->retry_after = wait < 0 ? 0 : (int64_t)wait;
}

void web_call(struct web *w, const struct web_request *r, struct web_answer *out)
{
    struct receiver receiver = {.body = &out->body, .max = r->max};
    struct buf authorization = {0};

    *out = (struct web_answer){.flaw = WEB_FINE};
    set_up(w, r, &receiver);
    struct curl_slist *fields = fields_of(r, &authorization);
    (void)curl.set(w->easy, CURLOPT_HTTPHEADER, fields);
    CURLcode code = perform(w);
    judge(w, code, &receiver, r->url, out);
    curl.free_all(fields);
    file_wipe(&authorization);
}
