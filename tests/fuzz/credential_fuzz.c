/*
 * Any bytes as a certificate file, with the key in it or behind a line of its own ("--"), and a
 * passphrase at hand. What loads has a leaf whose key it is; what does not is explained; either way
 * the public part that is written of it never holds a key. The same bytes as CA certificates and
 * revocation lists.
 */
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "memory_file.h"
#include "tls/credential.h"
#include "tls/trust.h"

static struct memory_file certificate_file, key_file, passphrase_file;

/* A salt and an iteration count of more than two bytes: deriving that key takes minutes, and only
 * time would be tested. */
static bool is_dear(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i + 4 < n; i++) {
        size_t salt = p[i + 1];
        if (p[i] == 4 && salt <= 127 && i + 4 + salt < n && p[i + 2 + salt] == 2 &&
            p[i + 3 + salt] >= 3)
            return true;
    }
    return false;
}

static int digit(unsigned char c)
{
    const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

/* The same for all that could be base64, once and twice: each run of its digits, in each phase. */
static bool is_dear_text(const unsigned char *p, size_t n, int depth)
{
    unsigned char *plain = mem_new(n + 1);
    unsigned bits = 0, value = 0;
    size_t out = 0;
    bool dear = is_dear(p, n);

    for (size_t i = 0; i < n && !dear; i++) {
        int d = digit(p[i]);
        if (d < 0 && p[i] != '\r' && p[i] != '\n') {
            dear = is_dear(plain, out) || (depth > 0 && is_dear_text(plain, out, depth - 1));
            bits = value = 0;
            out = 0;
        } else if (d >= 0) {
            value = value << 6 | (unsigned)d;
            bits += 6;
            if (bits >= 8) {
                bits -= 8;
                plain[out++] = (unsigned char)(value >> bits);
            }
        }
    }
    dear = dear || is_dear(plain, out) ||
           (depth > 0 && out > 0 && is_dear_text(plain, out, depth - 1));
    free(plain);
    return dear;
}

static void check_public(const struct credential *c)
{
    struct buf out = {0};

    credential_write_public(c, &out);
    if (memmem(out.p, out.n, " PRIVATE KEY", 12) != NULL)
        abort();
    buf_free(&out);
}

/* What is printed of one. */
static void look_at(const struct credential *c)
{
    size_t n;
    const struct finding *findings = credential_findings(c, &n);
    struct buf digest = {0};

    for (size_t i = 0; i < n; i++)
        if (findings[i].sentence[0] == '\0')
            abort();
    if (credential_leaf(c) == NULL || credential_subject(c) == NULL)
        abort();
    for (int i = 0; i < credential_chain_length(c); i++)
        free(credential_chain_subject(c, i));
    free(credential_issuer(c));
    free(credential_key_type(c));
    credential_digest(c, &digest);
    buf_free(&digest);
    (void)credential_not_before(c);
    (void)credential_not_after(c);
    check_public(c);
}

static void check_load(const struct credential_files *files)
{
    enum credential_source source = CREDENTIAL_CERTIFICATE;
    struct credential *c = NULL;
    struct diag why = {""};

    if (credential_load(files, &c, &source, &why) != ST_OK) {
        if (c != NULL || why.text[0] == '\0')
            abort();
        return;
    }
    if (credential_key_state(c) != CREDENTIAL_KEY_OPEN)
        abort();
    look_at(c);
    credential_unref(c);
}

static void check_inspect(const struct credential_files *files)
{
    struct credential *c = NULL;
    struct diag why = {""};

    if (credential_inspect(files, &c, &why) != ST_OK) {
        if (c != NULL || why.text[0] == '\0')
            abort();
        return;
    }
    look_at(c);
    credential_unref(c);
}

static void check_trust(const char *path)
{
    struct trust *t = NULL;
    struct diag why = {""};
    struct buf digest = {0};
    bool lists_at_fault;
    size_t n;

    if (trust_load(path, NULL, &t, &lists_at_fault, &why) != ST_OK) {
        if (t != NULL || why.text[0] == '\0')
            abort();
        return;
    }
    const struct finding *findings = trust_findings(t, &n);
    for (size_t i = 0; i < n; i++)
        if (findings[i].sentence[0] == '\0')
            abort();
    trust_digest(t, &digest);
    buf_free(&digest);
    trust_unref(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = {(const char *)data, size}, key = {NULL, 0};
    const char *line = memmem(all.p, all.n, "\n--\n", 4);
    struct credential_files files = {0};

    if (is_dear_text(data, size, 1))
        return 0;
    if (line != NULL) {
        key = (struct slice){line + 4, (size_t)(all.p + all.n - line - 4)};
        all.n = (size_t)(line - all.p);
    }
    files.certificate = memory_file_set(&certificate_file, all);
    files.passphrase_file = memory_file_set(&passphrase_file, SLICE("secret\n"));
    if (line != NULL)
        files.private_key = memory_file_set(&key_file, key);
    check_load(&files);
    check_inspect(&files);
    check_trust(files.certificate);
    return 0;
}
