#include "upstream/parent_auth.h"

#include <openssl/evp.h>

#include "base/file.h"
#include "http/challenge.h"
#include "tls/digest_auth.h"
#include "upstream/gss_login.h"

enum {
    MAX_REPEATED = 2, /* times that Digest starts again with a new nonce (RFC 7616, 3.3: stale) */
    MAX_LEGS = 8,     /* messages of a login; Kerberos needs one or two, NTLM two */
    MAX_TOKEN = 64 * 1024,
    OFFER_SHOWN = 100, /* bytes after which the list of schemes in a sentence ends */
};

static const char *const schemes[] = {[AUTH_NONE] = "none",
                                      [AUTH_BASIC] = "Basic",
                                      [AUTH_DIGEST] = "Digest",
                                      [AUTH_NTLM] = "NTLM",
                                      [AUTH_NEGOTIATE] = "Negotiate"};

const char *parent_auth_name(const struct parent_auth *a)
{
    return schemes[a->way];
}

static bool is_login(enum auth_way way)
{
    return way == AUTH_NTLM || way == AUTH_NEGOTIATE;
}

bool parent_auth_needs_connection(const struct parent_auth *a)
{
    return is_login(a->way) && a->legs > 0 && !a->complete;
}

/* ---- what the parent proxy asks for ---- */

static bool is_wanted(const struct parent_auth *a, enum auth_way way)
{
    static const enum auth_way named[] = {[PARENT_BASIC] = AUTH_BASIC,
                                          [PARENT_DIGEST] = AUTH_DIGEST,
                                          [PARENT_NEGOTIATE] = AUTH_NEGOTIATE,
                                          [PARENT_NTLM] = AUTH_NTLM};
    bool possible = way == AUTH_NEGOTIATE ? gss_can(GSS_NEGOTIATE)
                    : way == AUTH_NTLM    ? gss_can(GSS_NTLM) && a->parent->user != NULL
                                          : a->parent->user != NULL;

    if ((a->excluded & BIT(way)) != 0 || !possible)
        return false;
    return a->parent->auth == PARENT_AUTO ? way != AUTH_BASIC : way == named[a->parent->auth];
}

static enum auth_way way_of(const struct challenge *c)
{
    for (int i = AUTH_BASIC; i < AUTH_WAYS; i++)
        if (challenge_is(c, schemes[i]))
            return (enum auth_way)i;
    return AUTH_NONE;
}

/* The strength of a Digest challenge that can be answered; 0: it cannot be answered. */
static int strength_of(const struct challenge *c)
{
    struct buf algorithm = {0}, qop = {0}, others = {0};
    bool is_whole = challenge_param(c, "realm", &others) && challenge_param(c, "nonce", &others);
    bool has_auth = !challenge_param(c, "qop", &qop);
    struct slice rest = buf_slice(&qop);

    (void)challenge_param(c, "algorithm", &algorithm);
    while (rest.n > 0)
        has_auth |= slice_eq_nocase(slice_trim(slice_split(&rest, ',')), SLICE("auth"));
    int strength = has_auth && is_whole ? digest_auth_strength(buf_slice(&algorithm)) : 0;
    buf_free(&others);
    buf_free(&algorithm);
    buf_free(&qop);
    return strength;
}

/* Finds the strongest challenge that is wanted. False: there is none. */
static bool choose(const struct parent_auth *a, struct challenge *best)
{
    struct slice rest = buf_slice(&a->asked);
    struct challenge c;
    int most = 0;

    while (challenge_next(&rest, &c)) {
        enum auth_way way = way_of(&c);
        if (way == AUTH_NONE || !is_wanted(a, way))
            continue;
        int strength = way == AUTH_DIGEST ? strength_of(&c) : 1;
        if (strength > 0 && (int)way * 8 + strength > most) {
            most = (int)way * 8 + strength;
            *best = c;
        }
    }
    return most > 0;
}

/* Finds the challenge of the way that is being used. */
static bool find_taken(const struct parent_auth *a, struct challenge *out)
{
    struct slice rest = buf_slice(&a->asked);

    while (challenge_next(&rest, out))
        if (way_of(out) == a->way)
            return true;
    return false;
}

static void note_asked(struct parent_auth *a, const struct head *answer)
{
    const struct field *f;
    size_t at = 0;

    a->asked.n = 0;
    while ((f = head_next_named(answer, SLICE("Proxy-Authenticate"), &at)) != NULL) {
        buf_add_slice(&a->asked, f->value);
        buf_add_string(&a->asked, ", ");
    }
}

/* ---- failures ---- */

static void add_offer(const struct parent_auth *a, struct buf *out)
{
    struct slice rest = buf_slice(&a->asked);
    struct challenge c;

    while (challenge_next(&rest, &c) && out->n < OFFER_SHOWN)
        buf_addf(out, "%s%.*s", out->n == 0 ? "" : ", ", (int)c.scheme.n, c.scheme.p);
    if (out->n == 0)
        buf_add_string(out, "nothing");
}

static enum auth_result fail_asked(const struct parent_auth *a, struct failure *why)
{
    const struct parent_proxy *p = a->parent;
    struct buf offer = {0};

    add_offer(a, &offer);
    if (a->obstacle.text[0] != '\0')
        failure_set(why, FAIL_PARENT_TICKET,
                    "The parent proxy %s (%s) asks who sfmtls is (it offers %.*s), and %s gave "
                    "nothing to say: %s.",
                    p->name, p->where, (int)offer.n, offer.p,
                    p->auth == PARENT_NTLM ? "NTLM" : "Kerberos", a->obstacle.text);
    else
        failure_set(why, FAIL_PARENT_ASKS,
                    "The parent proxy %s (%s) asks who sfmtls is (it offers %.*s), and %s.",
                    p->name, p->where, (int)offer.n, offer.p,
                    p->user == NULL
                        ? "no user is configured for it"
                        : "there is none among it that parent-proxy-auth allows and that works");
    buf_free(&offer);
    return AUTH_FAILS;
}

static enum auth_result fail_refused(const struct parent_auth *a, struct failure *why)
{
    const struct parent_proxy *p = a->parent;
    bool named = a->way != AUTH_NEGOTIATE;

    failure_set(why, FAIL_PARENT_AUTH, "The parent proxy %s (%s) refused the user %s%s (%s).",
                p->name, p->where, named ? p->user : "of the Kerberos ticket",
                named ? "" : " that it got", schemes[a->way]);
    return AUTH_FAILS;
}

/* ---- what sfmtls answers ---- */

static void begin_field(struct parent_auth *a)
{
    a->field.n = 0;
    buf_reserve(&a->field, MAX_TOKEN); /* the buffer is wiped later, so it must not move */
}

/* A text that is too long is cut; no proxy would accept it anyway. */
static void add_base64(struct buf *out, struct slice bytes)
{
    size_t room = (out->cap - out->n - 4) / 4 * 3;
    int n = (int)(bytes.n < room ? bytes.n : room);

    out->n += (size_t)EVP_EncodeBlock((unsigned char *)out->p + out->n,
                                      (const unsigned char *)bytes.p, n);
}

/* Basic credentials (RFC 7617). */
static enum auth_result say_basic(struct parent_auth *a)
{
    struct buf plain = {0};

    buf_reserve(&plain, strlen(a->parent->user) + a->parent->password.n + 1);
    buf_add_string(&plain, a->parent->user);
    buf_add_string(&plain, ":");
    buf_add_slice(&plain, buf_slice(&a->parent->password));
    begin_field(a);
    buf_add_string(&a->field, "Basic ");
    add_base64(&a->field, buf_slice(&plain));
    file_wipe(&plain);
    a->complete = true;
    return AUTH_READY;
}

static enum auth_result say_digest(struct parent_auth *a, const struct challenge *c,
                                   struct failure *why)
{
    struct buf realm = {0}, nonce = {0}, opaque = {0}, algorithm = {0}, other = {0};
    struct digest_challenge d = {0};

    (void)challenge_param(c, "realm", &realm);
    (void)challenge_param(c, "nonce", &nonce);
    (void)challenge_param(c, "algorithm", &algorithm);
    d.has_opaque = challenge_param(c, "opaque", &opaque);
    d.has_qop = challenge_param(c, "qop", &other);
    other.n = 0;
    d.wants_userhash =
        challenge_param(c, "userhash", &other) && slice_eq_nocase(buf_slice(&other), SLICE("true"));
    d.realm = buf_slice(&realm);
    d.nonce = buf_slice(&nonce);
    d.opaque = buf_slice(&opaque);
    d.algorithm = buf_slice(&algorithm);
    const struct digest_request r = {.method = "CONNECT",
                                     .uri = a->target,
                                     .user = a->parent->user,
                                     .password = buf_slice(&a->parent->password),
                                     .count = parent_proxy_count(a->parent, d.nonce)};
    begin_field(a);
    a->complete = digest_auth_write(&a->field, &d, &r);
    buf_free(&realm);
    buf_free(&nonce);
    buf_free(&opaque);
    buf_free(&algorithm);
    buf_free(&other);
    return a->complete ? AUTH_READY : fail_asked(a, why);
}

static bool is_stale(const struct challenge *c)
{
    struct buf value = {0};
    bool stale =
        challenge_param(c, "stale", &value) && slice_eq_nocase(buf_slice(&value), SLICE("true"));

    buf_free(&value);
    return stale;
}

/* ---- Kerberos and NTLM ---- */

static enum auth_result take_way(struct parent_auth *a, struct failure *why);

static void exclude(struct parent_auth *a)
{
    a->excluded |= BIT(a->way);
    gss_login_end(a->login);
    a->login = NULL;
    a->legs = 0;
}

static void on_login_failed(struct parent_auth *a, const struct diag *obstacle)
{
    struct failure why;

    if (a->legs > 0) {
        a->obstacle = *obstacle;
        (void)fail_asked(a, &why);
        a->done(a->ctx, &why);
        return;
    }
    if (a->obstacle.text[0] == '\0')
        a->obstacle = *obstacle;
    exclude(a); /* another way may work */
    enum auth_result next = take_way(a, &why);
    if (next != AUTH_WAITS)
        a->done(a->ctx, next == AUTH_FAILS ? &why : NULL);
}

static void on_login(void *ctx, enum gss_result result, struct slice token, const struct diag *why)
{
    struct parent_auth *a = ctx;

    if (result == GSS_FAILS) {
        on_login_failed(a, why);
        return;
    }
    a->legs++;
    a->complete = result == GSS_COMPLETE;
    begin_field(a);
    buf_addf(&a->field, "%s ", schemes[a->way]);
    add_base64(&a->field, token);
    a->done(a->ctx, NULL);
}

static enum auth_result step(struct parent_auth *a, struct slice answer, struct failure *why)
{
    if (gss_login_step(a->login, answer))
        return AUTH_WAITS;
    failure_set(why, FAIL_PARENT_BUSY,
                "Too many connections wait for %s, to say to the parent "
                "proxy %s (%s) who sfmtls is.",
                schemes[a->way], a->parent->name, a->parent->where);
    return AUTH_FAILS;
}

static enum auth_result begin_login(struct parent_auth *a, struct failure *why)
{
    gss_login_end(a->login);
    a->legs = 0;
    a->login = gss_login_new(a->loop, a->parent, a->way == AUTH_NTLM ? GSS_NTLM : GSS_NEGOTIATE,
                             on_login, a);
    return step(a, (struct slice){NULL, 0}, why);
}

/* Reads the length of one field of an NTLM message. Returns whether the field lies inside the
 * message. */
static bool has_ntlm_field(const struct buf *b, size_t at, unsigned *length)
{
    const unsigned char *p = (const unsigned char *)b->p + at;

    *length = p[0] | (unsigned)p[1] << 8;
    size_t offset = p[4] | (size_t)p[5] << 8 | (size_t)p[6] << 16 | (size_t)p[7] << 24;
    return offset + *length <= b->n;
}

/* Is it a CHALLENGE_MESSAGE (MS-NLMP, 2.2.1.2) with the fields that NTLMv2 needs? gss-ntlmssp 1.2
 * reads outside the memory of other messages. */
static bool is_ntlm_challenge(const struct buf *b)
{
    enum { TARGET = 12, TARGET_INFO = 40, HEAD = 48 };
    unsigned length = 0;

    return b->n >= HEAD && memcmp(b->p, "NTLMSSP\0\2\0\0\0", 12) == 0 &&
           has_ntlm_field(b, TARGET, &length) && has_ntlm_field(b, TARGET_INFO, &length) &&
           length > 0;
}

/* Makes the next token from the parent proxy's token. */
static enum auth_result go_on(struct parent_auth *a, struct failure *why)
{
    struct challenge c;
    struct buf answer = {0};

    if (!find_taken(a, &c) || c.token.n == 0 || a->legs >= MAX_LEGS)
        return fail_refused(a, why);
    buf_reserve(&answer, c.token.n + 4);
    int n = EVP_DecodeBlock((unsigned char *)answer.p, (const unsigned char *)c.token.p,
                            (int)c.token.n);
    for (size_t i = c.token.n; n > 0 && i > 0 && c.token.p[i - 1] == '='; i--)
        n--; /* EVP_DecodeBlock() counts the padding as bytes */
    answer.n = n > 0 ? (size_t)n : 0;
    bool sound = answer.n > 0 && (a->way != AUTH_NTLM || is_ntlm_challenge(&answer));
    enum auth_result result = sound ? step(a, buf_slice(&answer), why) : fail_refused(a, why);
    buf_free(&answer);
    return result;
}

/* ---- choosing a way ---- */

/* Uses the strongest way that the parent proxy offers and that is wanted. */
static enum auth_result take_way(struct parent_auth *a, struct failure *why)
{
    struct challenge c;

    if (!choose(a, &c))
        return fail_asked(a, why);
    a->way = way_of(&c);
    switch (a->way) {
    case AUTH_BASIC:
        return say_basic(a);
    case AUTH_DIGEST:
        return say_digest(a, &c, why);
    default:
        return begin_login(a, why);
    }
}

enum auth_result parent_auth_judge(struct parent_auth *a, const struct head *answer,
                                   struct failure *why)
{
    struct challenge c;

    note_asked(a, answer);
    if (parent_auth_needs_connection(a))
        return go_on(a, why);
    if (!a->complete)
        return take_way(a, why);
    if (a->way == AUTH_DIGEST && choose(a, &c) && is_stale(&c) && a->repeated++ < MAX_REPEATED)
        return say_digest(a, &c, why);
    return fail_refused(a, why);
}

void parent_auth_start(struct parent_auth *a, struct loop *l, struct parent_proxy *parent,
                       const char *target, parent_auth_done *done, void *ctx)
{
    *a = (struct parent_auth){
        .loop = l, .parent = parent, .target = target, .done = done, .ctx = ctx};
    if (parent->auth == PARENT_BASIC && parent->user != NULL) {
        a->way = AUTH_BASIC;
        (void)say_basic(a); /* the configuration names Basic, so no 407 is needed first */
    }
}

void parent_auth_stop(struct parent_auth *a)
{
    gss_login_end(a->login);
    a->login = NULL;
    file_wipe(&a->field);
    buf_free(&a->asked);
}
