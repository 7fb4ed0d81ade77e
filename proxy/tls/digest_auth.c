#include "tls/digest_auth.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/file.h"

enum { HEX_SIZE = 2 * EVP_MAX_MD_SIZE + 1, CNONCE_BYTES = 16 };

static const struct algorithm {
    const char *name, *hash;
    bool session;
    int strength;
} algorithms[] = {{"MD5", "MD5", false, 1},
                  {"MD5-sess", "MD5", true, 1},
                  {"SHA-256", "SHA256", false, 2},
                  {"SHA-256-sess", "SHA256", true, 2}};

static const struct algorithm *find(struct slice name)
{
    if (name.n == 0)
        return &algorithms[0];
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
        if (slice_eq_nocase(name, slice_of(algorithms[i].name)))
            return &algorithms[i];
    return NULL;
}

static void write_hex(const unsigned char *bytes, unsigned n, char *out)
{
    for (unsigned i = 0; i < n; i++) {
        *out++ = "0123456789abcdef"[bytes[i] >> 4];
        *out++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *out = '\0';
}

/* Hashes the parts, with a colon between them. */
static bool hash(const char *name, const struct slice *parts, size_t count, char out[HEX_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    bool done = md != NULL && ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    for (size_t i = 0; done && i < count; i++)
        done = (i == 0 || EVP_DigestUpdate(ctx, ":", 1) == 1) &&
               EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
    done = done && EVP_DigestFinal_ex(ctx, digest, &n) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
    ERR_clear_error();
    write_hex(digest, n, out);
    return done;
}

int digest_auth_strength(struct slice name)
{
    const struct algorithm *a = find(name);
    char probe[HEX_SIZE];

    return a != NULL && hash(a->hash, NULL, 0, probe) ? a->strength : 0;
}

static void make_cnonce(char out[2 * CNONCE_BYTES + 1])
{
    unsigned char bytes[CNONCE_BYTES];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        abort(); /* no randomness: see secret_make_key() */
    write_hex(bytes, sizeof(bytes), out);
}

/* The parts of the answer, as text. */
struct words {
    char a1[HEX_SIZE], a2[HEX_SIZE], response[HEX_SIZE], user[HEX_SIZE];
    char count[16];
    const char *cnonce;
};

/* Computes them (RFC 7616, 3.4.1 to 3.4.4). */
static bool make(const struct algorithm *a, const struct digest_challenge *c,
                 const struct digest_request *r, struct words *w)
{
    const struct slice user = slice_of(r->user), cnonce = slice_of(w->cnonce);
    const struct slice a1[] = {user, c->realm, r->password};
    const struct slice a2[] = {slice_of(r->method), slice_of(r->uri)};

    if (!hash(a->hash, a1, ARRAY_LEN(a1), w->a1) || !hash(a->hash, a2, ARRAY_LEN(a2), w->a2) ||
        !hash(a->hash, a1, 2, w->user))
        return false;
    if (a->session) {
        const struct slice session[] = {slice_of(w->a1), c->nonce, cnonce};
        char whole[HEX_SIZE];
        if (!hash(a->hash, session, ARRAY_LEN(session), whole))
            return false;
        memcpy(w->a1, whole, sizeof(whole));
    }
    const struct slice with_qop[] = {slice_of(w->a1),     c->nonce,      slice_of(w->count),
                                     slice_of(w->cnonce), SLICE("auth"), slice_of(w->a2)};
    const struct slice without[] = {slice_of(w->a1), c->nonce, slice_of(w->a2)};
    return hash(a->hash, c->has_qop ? with_qop : without,
                c->has_qop ? ARRAY_LEN(with_qop) : ARRAY_LEN(without), w->response);
}

static void add_quoted(struct buf *out, const char *name, struct slice value)
{
    buf_addf(out, "%s=\"", name);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_add(out, "\\", 1);
        buf_add(out, &value.p[i], 1);
    }
    buf_add_string(out, "\"");
}

bool digest_auth_write(struct buf *out, const struct digest_challenge *c,
                       const struct digest_request *r)
{
    const struct algorithm *a = find(c->algorithm);
    char cnonce[2 * CNONCE_BYTES + 1];
    struct words w = {.cnonce = r->cnonce};

    if (w.cnonce == NULL) {
        make_cnonce(cnonce);
        w.cnonce = cnonce;
    }
    for (unsigned i = 0; i < 8; i++)
        w.count[i] = "0123456789abcdef"[(r->count >> (28 - 4 * i)) & 15];
    if (a == NULL || !make(a, c, r, &w))
        return false;
    buf_add_string(out, "Digest ");
    add_quoted(out, "username", slice_of(c->wants_userhash ? w.user : r->user));
    add_quoted(out, ", realm", c->realm);
    add_quoted(out, ", nonce", c->nonce);
    add_quoted(out, ", uri", slice_of(r->uri));
    add_quoted(out, ", response", slice_of(w.response));
    if (c->algorithm.n > 0)
        buf_addf(out, ", algorithm=%s", a->name);
    if (c->has_opaque)
        add_quoted(out, ", opaque", c->opaque);
    if (c->has_qop || a->session)
        add_quoted(out, ", cnonce", slice_of(w.cnonce));
    if (c->has_qop)
        buf_addf(out, ", qop=auth, nc=%s", w.count);
    if (c->wants_userhash)
        buf_add_string(out, ", userhash=true");
    return true;
}
