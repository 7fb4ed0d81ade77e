#include "cli/import_section.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/import_certificate.h"
#include "cli/import_parts.h"
#include "config/load.h"
#include "config/option.h"
#include "http/chars.h"

static enum status refuse(const struct section *s, int line, const char *sentence)
{
    diag_set(s->why, "[tenant %s] %s", s->name, sentence);
    if (line > 0)
        diag_place_line(s->why, s->file, line);
    else
        diag_place(s->why, s->file);
    return ST_BAD_INPUT;
}

/* ---- lines ---- */

/* Why the configuration would refuse the line; NULL: it would not. The reason does not hold the
 * value. */
static const char *flaw_of(const struct section *s, const char *key, const char *value)
{
    const struct option *o = option_find(SECTION_TENANT, key);
    const struct setting setting = {key, value, "an earlier line", ""};
    const char *flaw = import_text_flaw(key, value);

    if (flaw != NULL || o->set(o, s->scratch->tenants[0], &setting, s->flaw) == ST_OK)
        return flaw;
    char *cure = strrchr(s->flaw->text, ';');
    if (cure != NULL)
        *cure = '\0';
    return s->flaw->text;
}

/* ---- company ---- */

/* Is it URL.headers.successfactors-companyid or similar, with any separator that occurs in
 * practice? */
static bool names_company(const char *key)
{
    static const char *const known[] = {"urlheaderssuccessfactorscompanyid",
                                        "successfactorscompanyid", "sfcompanyid", "companyid"};
    char plain[48];
    size_t n = 0;

    for (; *key != '\0' && n < sizeof(plain); key++)
        if (strchr("._-", *key) == NULL)
            plain[n++] = *key;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (slice_eq_nocase((struct slice){plain, n}, slice_of(known[i])))
            return true;
    return false;
}

/* Finds the company ID. Several properties may name it if they agree. */
static enum status find_company(const struct section *s, const struct property **found)
{
    *found = NULL;
    for (size_t i = 0; i < s->from->count; i++) {
        struct property *p = &s->from->properties[i];
        if (!names_company(p->key))
            continue;
        p->used = true;
        if (p->value == NULL || *p->value == '\0')
            continue;
        if (*found != NULL && strcmp((*found)->value, p->value) != 0)
            return refuse(s, p->line, "two properties name different company IDs; keep one");
        *found = p;
    }
    return ST_OK;
}

/* The company in an old Basic user, USER@COMPANY. With a dot after the @ it is a mail address. */
static const char *company_of_user(const struct section *s)
{
    const struct property *user = import_says(s, "Authentication", "BasicAuthentication")
                                      ? destination_find(s->from, "User")
                                      : NULL;
    const char *at = user == NULL || user->value == NULL ? NULL : strrchr(user->value, '@');

    if (at == NULL || at[1] == '\0' || strchr(at, '.') != NULL)
        return NULL;
    (void)import_take(s, "User");
    return at + 1;
}

static enum status write_company(const struct section *s)
{
    const struct property *p;
    enum status st = find_company(s, &p);

    if (st != ST_OK)
        return st;
    const char *id = p != NULL ? p->value : company_of_user(s);
    const char *flaw = id == NULL ? NULL : flaw_of(s, "company-id", id);
    if (id != NULL && flaw == NULL) {
        if (p == NULL)
            import_text_comment(s->out, "The company ID is what follows the @ of User.");
        import_line(s, "company-id", id);
        return ST_OK;
    }
    import_text_comment(s->out, "The export %s: write it here, as Admin Center shows it.",
                        id == NULL ? "names no company ID" : "has a company ID that cannot be one");
    buf_add_string(s->out, ";company-id = \n");
    buf_addf(s->notes, "[tenant %s] lacks its company-id: the export names none that can be used\n",
             s->name);
    return ST_OK;
}

/* ---- server ---- */

struct url {
    bool plain; /* http:// */
    bool user;  /* it contains a user or password */
    struct slice authority, path;
    bool query;
};

static bool split_url(struct slice s, struct url *out)
{
    static const struct slice https = {"https://", 8}, http = {"http://", 7};

    *out = (struct url){0};
    if (s.n > 8 && slice_eq_nocase((struct slice){s.p, 8}, https)) {
        s = (struct slice){s.p + 8, s.n - 8};
    } else if (s.n > 7 && slice_eq_nocase((struct slice){s.p, 7}, http)) {
        s = (struct slice){s.p + 7, s.n - 7};
        out->plain = true;
    }
    out->authority = (struct slice){s.p, 0};
    while (out->authority.n < s.n && strchr("/?#", s.p[out->authority.n]) == NULL)
        out->authority.n++;
    out->path = (struct slice){s.p + out->authority.n, s.n - out->authority.n};
    struct slice whole = out->path;
    out->path = slice_split(&whole, '#');
    whole = out->path;
    out->path = slice_split(&whole, '?');
    out->query = whole.n > 0;
    while (out->authority.n > 0 && memchr(out->authority.p, '@', out->authority.n) != NULL) {
        (void)slice_split(&out->authority, '@');
        out->user = true;
    }
    /* In https://user:pass/word@host it is unclear where the host begins. */
    bool unclear = out->path.n > 0 && memchr(out->path.p, '@', out->path.n) != NULL;
    return out->authority.n > 0 && !unclear;
}

/* The query is not shown, because it may hold a secret. */
static bool may_be_shown(struct slice path)
{
    return memchr(path.p, ';', path.n) == NULL && memchr(path.p, '=', path.n) == NULL;
}

static void write_url_remarks(const struct section *s, const struct url *url)
{
    if (url->plain)
        import_text_comment(s->out, "The URL begins with http://; sfmtls always calls with TLS.");
    if (url->user)
        import_text_comment(s->out, "User and password in the URL are left out.");
    if (url->path.n > 1)
        import_text_comment(s->out,
                            "The URL goes on with %s%.*s: callers write it themselves, after "
                            "http://localhost:8080.",
                            may_be_shown(url->path) ? "the path " : "a path",
                            may_be_shown(url->path) ? (int)url->path.n : 0, url->path.p);
    if (url->query)
        import_text_comment(s->out, "The query of the URL is left out: callers write it.");
}

static enum status write_server(const struct section *s)
{
    const struct property *p = import_take(s, "URL");
    struct url url;
    struct authority a;

    if (p == NULL)
        return refuse(s, s->from->line, "has no URL; export a destination of type HTTP");
    if (!split_url(slice_trim(slice_of(p->value)), &url) || !authority_parse(url.authority, &a))
        return refuse(s, p->line, "has a URL without a sound host; write it as https://HOST");
    if (url.plain && a.port == 80)
        a.port = 0;
    struct buf text = {0};
    authority_write(&text, &a, 443);
    char *server = mem_copy_bytes(text.p, text.n);
    buf_free(&text);
    const char *flaw = flaw_of(s, "server", server);
    if (flaw == NULL) {
        write_url_remarks(s, &url);
        import_line(s, "server", server);
    }
    free(server);
    return flaw == NULL ? ST_OK
                        : refuse(s, p->line, "has a URL without a sound host; write https://HOST");
}

/* ---- header fields ---- */

static const char header_prefix[] = "URL.headers.";

static bool has_prefix(const char *key, const char *prefix)
{
    size_t n = strlen(prefix);

    return strlen(key) > n && slice_eq_nocase((struct slice){key, n}, slice_of(prefix));
}

static void write_header(const struct section *s, const struct property *p)
{
    char *key = mem_format("header.%s", p->key + strlen(header_prefix));

    if (p->secret) {
        import_text_comment(s->out,
                            "%s may be a secret and is not repeated here. If the server needs it "
                            "beside the certificate, write `%s = VALUE`.",
                            p->key, key);
    } else {
        const char *flaw = p->value == NULL ? "is not a single text" : flaw_of(s, key, p->value);
        if (flaw == NULL)
            import_line(s, key, p->value);
        else
            import_text_comment(s->out, "%s is left out: it %s.", p->key,
                                strncmp(flaw, "the header `", 12) == 0 ? strrchr(flaw, '`') + 2
                                                                       : flaw);
    }
    free(key);
}

static void write_headers(const struct section *s)
{
    for (size_t i = 0; i < s->from->count; i++) {
        struct property *p = &s->from->properties[i];
        if (p->used || !has_prefix(p->key, header_prefix))
            continue;
        p->used = true;
        write_header(s, p);
    }
}

/* ---- what else it says ---- */

/* Comments on properties that sfmtls does not have. value "": the property is missing; NULL: it has
 * any other value. */
static const struct remark {
    const char *key, *value, *sentence;
} remarks[] = {
    {"Authentication", "ClientCertificateAuthentication", NULL},
    {"Authentication", "",
     "The destination names no authentication; sfmtls presents the client certificate."},
    {"Authentication", "NoAuthentication",
     "The destination sent no credentials; sfmtls presents the client certificate."},
    {"Authentication", "BasicAuthentication",
     "BasicAuthentication is over: the client certificate takes its place, and User and Password "
     "are not used. Map the certificate to that user in SuccessFactors, Security Center > X.509 "
     "Public Certificate Mapping."},
    {"Authentication", "PrincipalPropagation",
     "PrincipalPropagation went through the Cloud Connector as the user of the app; now all "
     "callers "
     "are the one user that the certificate is mapped to."},
    {"Authentication", "OAuth2SAMLBearerAssertion",
     "OAuth2SAMLBearerAssertion called as the user of the app, with a token; now there is no "
     "token, "
     "and all callers are the one user that the certificate is mapped to."},
    {"Authentication", "OAuth2UserTokenExchange",
     "OAuth2UserTokenExchange called as the user of the app, with a token; now there is no token, "
     "and all callers are the one user that the certificate is mapped to."},
    {"Authentication", "OAuth2JWTBearer",
     "OAuth2JWTBearer called as the user of the app, with a token; now there is no token, and all "
     "callers are the one user that the certificate is mapped to."},
    {"Authentication", "OAuth2ClientCredentials",
     "OAuth2ClientCredentials fetched a token; now there is none: the client certificate takes its "
     "place. Map it to a user in SuccessFactors."},
    {"Authentication", NULL,
     "The destination's authentication is not used; sfmtls presents the client certificate. Map it "
     "to a user in SuccessFactors."},
    {"ProxyType", "Internet", NULL},
    {"ProxyType", "", NULL},
    {"ProxyType", "OnPremise",
     "ProxyType is OnPremise: BTP went through the Cloud Connector, where the URL is a virtual "
     "name. sfmtls calls the server itself, so write the real host."},
    {"ProxyType", "PrivateLink",
     "ProxyType is PrivateLink, which BTP alone can use. sfmtls calls the server itself."},
    {"ProxyType", NULL, "The destination's ProxyType is not used: sfmtls calls the server itself."},
};

static bool fits(const struct remark *r, const char *value)
{
    return r->value == NULL || slice_eq_nocase(slice_of(value), slice_of(r->value));
}

/* Writes the first remark that fits. */
static void write_remark(const struct section *s, const char *key)
{
    const struct property *p = import_take(s, key);
    const char *value = p == NULL ? "" : p->value;

    for (size_t i = 0; i < ARRAY_LEN(remarks); i++) {
        if (strcmp(remarks[i].key, key) != 0 || !fits(&remarks[i], value))
            continue;
        if (remarks[i].sentence != NULL)
            import_text_comment(s->out, "%s", remarks[i].sentence);
        return;
    }
}

/* Lists the names of all wanted properties. False: there are none. */
static bool list_keys(const struct section *s, bool (*wanted)(const struct property *p),
                      struct buf *out)
{
    for (size_t i = 0; i < s->from->count; i++) {
        struct property *p = &s->from->properties[i];
        if (p->used || !wanted(p))
            continue;
        p->used = true;
        buf_addf(out, "%s%s", out->n == 0 ? "" : ", ", p->key);
    }
    return out->n > 0;
}

static bool is_query(const struct property *p)
{
    return has_prefix(p->key, "URL.queries.");
}

static bool is_any(const struct property *p)
{
    (void)p;
    return true;
}

static void write_rest(const struct section *s)
{
    struct buf list = {0};

    if (list_keys(s, is_query, &list))
        import_text_comment(s->out, "Queries are the callers' own; let them add %.*s.", (int)list.n,
                            list.p);
    list.n = 0;
    if (list_keys(s, is_any, &list))
        import_text_comment(s->out, "Not used: %.*s.", (int)list.n, list.p);
    buf_free(&list);
}

static void warn_of_secrets(const struct section *s)
{
    for (size_t i = 0; i < s->from->count; i++) {
        const struct property *p = &s->from->properties[i];
        if (!p->secret || !p->given)
            continue;
        import_text_comment(s->out,
                            "The export seems to hold secrets (%s): keep it as one, or "
                            "delete it.",
                            p->key);
        return;
    }
}

/* ---- sections ---- */

static struct config *scratch_new(void)
{
    struct config *c = config_new();

    c->tenants = mem_new(sizeof(c->tenants[0]));
    c->tenants[c->ntenants++] = NEW(struct tenant);
    return c;
}

static enum status write_section(struct section *s)
{
    write_remark(s, "Authentication");
    write_remark(s, "ProxyType");
    warn_of_secrets(s);
    buf_addf(s->out, "[tenant %s]\n", s->name);
    enum status st = write_company(s);
    if (st == ST_OK)
        st = write_server(s);
    if (st != ST_OK)
        return st;
    st = import_certificate_write(s);
    if (st != ST_OK)
        return st;
    write_headers(s);
    write_rest(s);
    return ST_OK;
}

static bool is_taken(char (*names)[IMPORT_NAME_SIZE], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void choose_name(struct section *s, const char *wanted, char (*names)[IMPORT_NAME_SIZE],
                        size_t count)
{
    unsigned number = 1;

    do
        import_text_name(wanted, number++, s->name);
    while (is_taken(names, count, s->name));
    memcpy(names[count], s->name, sizeof(s->name));
}

static const char *title_of(const struct section *s)
{
    const struct property *p = import_take(s, "Name");

    return p == NULL ? "without a name" : p->value;
}

static void write_title(struct section *s, char (*names)[IMPORT_NAME_SIZE], size_t count)
{
    const struct property *p = import_take(s, "Name");

    choose_name(s, p == NULL ? NULL : p->value, names, count);
    buf_add_string(s->out, "\n"); /* the file before may not end with an empty line */
    import_text_comment(s->out, "Made by `sfmtls import` of the destination %s.", title_of(s));
}

/* There are destinations for mail, RFC and others too. */
static bool is_http(const struct section *s)
{
    return import_take(s, "Type") == NULL || import_says(s, "Type", "HTTP");
}

enum status import_section_write(const char *name, const struct destinations *from,
                                 const char *certificates, struct buf *out, struct buf *notes,
                                 struct diag *why)
{
    struct diag flaw;
    struct section s = {.file = name,
                        .certificates = certificates,
                        .out = out,
                        .notes = notes,
                        .why = why,
                        .flaw = &flaw};
    char(*names)[IMPORT_NAME_SIZE] = mem_new((from->count + 1) * IMPORT_NAME_SIZE);
    size_t count = 0;
    enum status st = ST_OK;

    for (size_t i = 0; i < from->count && st == ST_OK; i++) {
        s.from = &from->all[i];
        if (!is_http(&s)) {
            import_text_comment(out, "Left out, for it is not of type HTTP: the destination %s.",
                                title_of(&s));
            continue;
        }
        write_title(&s, names, count++);
        s.scratch = scratch_new();
        st = write_section(&s);
        config_unref(s.scratch);
    }
    free(names);
    if (st == ST_OK && count == 0) {
        diag_at(why, name, "it holds no destination of type HTTP; export one that has a URL");
        return ST_BAD_INPUT;
    }
    return st;
}
