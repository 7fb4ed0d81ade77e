#include "upstream/gss_login.h"

#include <dlfcn.h>
#include <iconv.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

#include "base/file.h"
#include "base/mem.h"
#include "net/helpers.h"
#include "tls/credential.h"

/* ---- the library ---- */

#define LIBRARY "libgssapi_krb5.so.2"

#define FUNCTIONS(DO)                                                                              \
    DO(gss_import_name)                                                                            \
    DO(gss_release_name)                                                                           \
    DO(gss_acquire_cred_from)                                                                      \
    DO(gss_acquire_cred_with_password)                                                             \
    DO(gss_set_neg_mechs)                                                                          \
    DO(gss_release_cred)                                                                           \
    DO(gss_init_sec_context)                                                                       \
    DO(gss_delete_sec_context)                                                                     \
    DO(gss_release_buffer)                                                                         \
    DO(gss_display_status)                                                                         \
    DO(gss_inquire_names_for_mech)                                                                 \
    DO(gss_release_oid_set)

/* All NULL: the library was not loaded. */
#define DECLARE(name) __typeof__(name) *name##_;
static struct {
    FUNCTIONS(DECLARE)
    atomic_bool is_there, has_ntlm; /* are set last */
} library;
#undef DECLARE

/* Object identifiers in DER. */
/* clang-format off */
#define OID(...) {sizeof((unsigned char[]){__VA_ARGS__}), (unsigned char[]){__VA_ARGS__}}
/* clang-format on */
static gss_OID_desc krb5 = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02),
                    spnego = OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x02),
                    ntlm = OID(0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a),
                    host_based = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04),
                    user_name = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x01);

static bool find_functions(void *handle)
{
    bool all = true;

#define FIND(name)                                                                                 \
    *(void **)(void *)&library.name##_ = dlsym(handle, #name);                                     \
    all = all && library.name##_ != NULL;
    FUNCTIONS(FIND)
#undef FIND
    return all;
}

/* Loads the library of a mechanism: any question to the mechanism does that. Not every mechanism
 * can answer this question, so its other errors are ignored. */
static bool loads(gss_OID mech)
{
    gss_OID_set names = GSS_C_NO_OID_SET;
    OM_uint32 minor;
    OM_uint32 major = library.gss_inquire_names_for_mech_(&minor, mech, &names);

    (void)library.gss_release_oid_set_(&minor, &names);
    return GSS_ROUTINE_ERROR(major) != GSS_S_BAD_MECH;
}

/* NTLM uses UTF-16. The C library loads a module for it and keeps the module while these are
 * open. */
static void load_utf16(void)
{
    static iconv_t there, back;

    there = iconv_open("UTF-16LE", "UTF-8");
    back = iconv_open("UTF-8", "UTF-16LE");
    (void)there;
    (void)back;
}

static bool is_needed(const struct config *c)
{
    for (size_t i = 0; i < c->ntenants; i++)
        if (parent_proxy_may_need_gss(c->tenants[i]->parent))
            return true;
    for (size_t i = 0; i < c->nconnect_allow; i++)
        if (parent_proxy_may_need_gss(config_parent_of(c, &c->connect_allow[i])))
            return true;
    return false;
}

void gss_load(const struct config *c)
{
    if (atomic_load(&library.is_there) || !is_needed(c))
        return;
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL || !find_functions(handle))
        return;
    (void)loads(&krb5);
    (void)loads(&spnego);
    atomic_store(&library.has_ntlm, loads(&ntlm));
    if (atomic_load(&library.has_ntlm)) {
        load_utf16();
        credential_prepare(); /* NTLM needs MD4 and RC4, which are in the same OpenSSL provider */
    }
    atomic_store(&library.is_there, true);
}

bool gss_can(enum gss_kind kind)
{
    return atomic_load(&library.is_there) &&
           (kind == GSS_NEGOTIATE || atomic_load(&library.has_ntlm));
}

static enum status check_one(const struct parent_proxy *p, struct diag *why)
{
    if (p == NULL || (p->auth != PARENT_NEGOTIATE && p->auth != PARENT_NTLM) ||
        gss_can(p->auth == PARENT_NTLM ? GSS_NTLM : GSS_NEGOTIATE))
        return ST_OK;
    diag_at(why, p->where,
            "the parent proxy is to be spoken to by %s, for which %s is missing; install it, then "
            "start sfmtls anew",
            p->auth == PARENT_NTLM ? "NTLM" : "Negotiate",
            p->auth == PARENT_NTLM ? "the package gss-ntlmssp" : LIBRARY);
    return ST_BAD_INPUT;
}

enum status gss_check(const struct config *c, struct diag *why)
{
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && i < c->ntenants; i++)
        st = check_one(c->tenants[i]->parent, why);
    for (size_t i = 0; st == ST_OK && i < c->nconnect_allow; i++)
        st = check_one(config_parent_of(c, &c->connect_allow[i]), why);
    return st;
}

/* ---- one login ---- */

/* Belongs to the loop's thread. While a step runs, the step's fields belong to the helper's
 * thread. */
struct gss_login {
    struct helper_job job;
    atomic_int refs;          /* one for the owner, one for a running step */
    atomic_bool is_abandoned; /* the owner has ended it */
    gss_login_done *done;
    void *ctx;
    enum gss_kind kind;
    char *host, *user, *ccache, *keytab;
    struct buf password;

    /* for the step */
    gss_cred_id_t credential;
    gss_ctx_id_t context;
    struct buf answer, token;
    enum gss_result result;
    struct diag why;
};

static void unref(struct gss_login *g)
{
    OM_uint32 minor;

    if (atomic_fetch_sub(&g->refs, 1) > 1)
        return;
    if (g->context != GSS_C_NO_CONTEXT)
        (void)library.gss_delete_sec_context_(&minor, &g->context, GSS_C_NO_BUFFER);
    if (g->credential != GSS_C_NO_CREDENTIAL)
        (void)library.gss_release_cred_(&minor, &g->credential);
    free(g->host);
    free(g->user);
    free(g->ccache);
    free(g->keytab);
    file_wipe(&g->password);
    file_wipe(&g->answer);
    file_wipe(&g->token);
    free(g);
}

static gss_OID mech_of(const struct gss_login *g)
{
    return g->kind == GSS_NTLM ? &ntlm : &spnego;
}

/* ---- in the helper's thread ---- */

static void add_message(struct buf *out, OM_uint32 status, int type, gss_OID mech)
{
    OM_uint32 minor, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;

    if (library.gss_display_status_(&minor, status, type, mech, &more, &text) == GSS_S_COMPLETE)
        buf_addf(out, "%s%.*s", out->n == 0 ? "" : "; ", (int)text.length,
                 text.length == 0 ? "" : (const char *)text.value);
    (void)library.gss_release_buffer_(&minor, &text);
}

static void explain(struct gss_login *g, OM_uint32 major, OM_uint32 minor, gss_OID mech)
{
    struct buf text = {0};

    if (minor != 0)
        add_message(&text, minor, GSS_C_MECH_CODE, mech);
    if (text.n == 0)
        add_message(&text, major, GSS_C_GSS_CODE, GSS_C_NO_OID);
    diag_set(&g->why, "%.*s", (int)text.n, text.n == 0 ? "" : text.p);
    buf_free(&text);
    g->result = GSS_FAILS;
}

static bool import(struct gss_login *g, const char *text, gss_OID type, gss_name_t *out)
{
    gss_buffer_desc name = {strlen(text), (void *)(uintptr_t)text};
    OM_uint32 minor, major = library.gss_import_name_(&minor, &name, type, out);

    if (major != GSS_S_COMPLETE)
        explain(g, major, minor, mech_of(g));
    return major == GSS_S_COMPLETE;
}

static OM_uint32 acquire(struct gss_login *g, gss_OID mech, OM_uint32 *minor)
{
    gss_key_value_element_desc places[] = {{"ccache", g->ccache}, {"client_keytab", g->keytab}};
    const gss_key_value_set_desc store = {g->keytab == NULL ? 1 : 2, places};
    gss_OID_set_desc mechs = {1, mech};

    return library.gss_acquire_cred_from_(minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs,
                                          GSS_C_INITIATE, &store, &g->credential, NULL, NULL);
}

/* Acquires Kerberos credentials for SPNEGO. Otherwise SPNEGO would offer other mechanisms too. If
 * there are no tickets, SPNEGO does not say why, so Kerberos itself is asked for the reason. */
static bool open_tickets(struct gss_login *g)
{
    gss_OID_set_desc kerberos = {1, &krb5};
    OM_uint32 minor, ignored, major = acquire(g, &spnego, &minor);

    if (major == GSS_S_COMPLETE)
        major = library.gss_set_neg_mechs_(&minor, g->credential, &kerberos);
    if (major == GSS_S_COMPLETE)
        return true;
    (void)library.gss_release_cred_(&ignored, &g->credential);
    OM_uint32 minor_of_kerberos, again = acquire(g, &krb5, &minor_of_kerberos);
    if (again == GSS_S_COMPLETE)
        explain(g, major, minor, &spnego);
    else
        explain(g, again, minor_of_kerberos, &krb5);
    diag_place(&g->why, g->keytab != NULL ? g->keytab : g->ccache);
    return false;
}

static bool use_password(struct gss_login *g)
{
    gss_OID_set_desc ntlms = {1, &ntlm};
    gss_buffer_desc password = {g->password.n, g->password.p};
    gss_name_t user = GSS_C_NO_NAME;
    OM_uint32 minor, ignored;

    if (!import(g, g->user, &user_name, &user))
        return false;
    OM_uint32 major =
        library.gss_acquire_cred_with_password_(&minor, user, &password, GSS_C_INDEFINITE, &ntlms,
                                                GSS_C_INITIATE, &g->credential, NULL, NULL);
    (void)library.gss_release_name_(&ignored, &user);
    if (major != GSS_S_COMPLETE)
        explain(g, major, minor, mech_of(g));
    return major == GSS_S_COMPLETE;
}

static void say(struct gss_login *g)
{
    gss_buffer_desc in = {g->answer.n, g->answer.p}, out = GSS_C_EMPTY_BUFFER;
    gss_name_t target = GSS_C_NO_NAME;
    char *service = mem_format("HTTP@%s", g->host);
    OM_uint32 minor, ignored;
    bool known = import(g, service, &host_based, &target);

    free(service);
    if (!known)
        return;
    OM_uint32 major = library.gss_init_sec_context_(
        &minor, g->credential, &g->context, target, mech_of(g), 0, 0, GSS_C_NO_CHANNEL_BINDINGS,
        g->answer.n == 0 ? GSS_C_NO_BUFFER : &in, NULL, &out, NULL, NULL);
    g->token.n = 0;
    buf_add(&g->token, out.value, out.length);
    g->result = major == GSS_S_COMPLETE ? GSS_COMPLETE : GSS_GOES_ON;
    if (GSS_ERROR(major))
        explain(g, major, minor, mech_of(g));
    (void)library.gss_release_buffer_(&ignored, &out);
    (void)library.gss_release_name_(&ignored, &target);
}

static struct gss_login *login_of(struct helper_job *j)
{
    return list_entry(j, struct gss_login, job);
}

static void work(struct helper_job *j)
{
    struct gss_login *g = login_of(j);

    if (atomic_load(&g->is_abandoned))
        return;
    bool ready = g->credential != GSS_C_NO_CREDENTIAL ||
                 (g->kind == GSS_NTLM ? use_password(g) : open_tickets(g));
    if (ready)
        say(g);
}

/* ---- in the loop's thread ---- */

static void on_done(struct helper_job *j)
{
    struct gss_login *g = login_of(j);

    if (!atomic_load(&g->is_abandoned))
        g->done(g->ctx, g->result, buf_slice(&g->token), &g->why);
    unref(g);
}

static void drop(struct helper_job *j)
{
    unref(login_of(j));
}

struct gss_login *gss_login_new(struct loop *l, const struct parent_proxy *p, enum gss_kind kind,
                                gss_login_done *done, void *ctx)
{
    struct gss_login *g = NEW(struct gss_login);

    atomic_init(&g->refs, 1);
    atomic_init(&g->is_abandoned, false);
    g->job = (struct helper_job){.loop = l, .work = work, .done = on_done, .drop = drop};
    g->done = done;
    g->ctx = ctx;
    g->kind = kind;
    g->host = mem_copy_string(p->at.host);
    g->user = mem_copy_string(p->user);
    g->ccache = parent_proxy_ccache(p);
    g->keytab = p->keytab == NULL ? NULL : mem_format("FILE:%s", p->keytab);
    buf_reserve(&g->password, p->password.n + 1);
    buf_add_slice(&g->password, buf_slice(&p->password));
    g->password.p[g->password.n] = '\0'; /* gss-ntlmssp reads it as a string */
    return g;
}

bool gss_login_step(struct gss_login *g, struct slice answer)
{
    g->answer.n = 0;
    buf_add_slice(&g->answer, answer);
    (void)atomic_fetch_add(&g->refs, 1);
    if (helpers_submit(HELPERS_LOGINS, &g->job))
        return true;
    unref(g);
    return false;
}

void gss_login_end(struct gss_login *g)
{
    if (g == NULL)
        return;
    atomic_store(&g->is_abandoned, true);
    unref(g);
}
