/* Loads a credential from its files: passphrase, certificates and key, which have to fit
 * together. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tls/credential_parts.h"
#include "tls/key_memory.h"

/* ---- reading ---- */

/* Removes a byte order mark, which some text editors add. */
static void cut_mark(struct buf *text)
{
    struct slice rest = buf_slice(text);

    utf8_skip_mark(&rest);
    if (rest.n < text->n)
        memmove(text->p, rest.p, rest.n);
    text->n = rest.n;
}

static void cut_line_end(struct buf *text)
{
    if (text->n == 0 || text->p[text->n - 1] != '\n')
        return;
    text->n--;
    if (text->n > 0 && text->p[text->n - 1] == '\r')
        text->n--;
}

static enum status systemd_credential(const char *name, struct buf *out, struct diag *why)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    if (folder == NULL) {
        diag_set(why,
                 "passphrase-credential is for a service of systemd, which sets "
                 "$CREDENTIALS_DIRECTORY; put LoadCredential=%s:/path into its unit",
                 name);
        return ST_BAD_INPUT;
    }
    char *path = mem_format("%s/%s", folder, name);
    enum status st = file_read(path, out, why);
    free(path);
    return st;
}

static enum status from_environment(const char *name, struct buf *out, struct diag *why)
{
    const char *value = getenv(name);

    if (value == NULL) {
        diag_set(why, "the environment variable %s is not set; set it to the key's passphrase",
                 name);
        return ST_BAD_INPUT;
    }
    buf_add_string(out, value);
    return ST_OK;
}

/* An empty passphrase is a passphrase; out->p NULL means that there is none. */
static enum status read_passphrase(const struct credential_files *files, struct buf *out,
                                   enum credential_source *source, struct diag *why)
{
    const char *name = files->passphrase_file;
    enum status st = ST_OK;

    if (name != NULL) {
        *source = CREDENTIAL_PASSPHRASE_FILE;
        st = file_read(name, out, why);
    } else if (files->passphrase_credential != NULL) {
        *source = CREDENTIAL_PASSPHRASE_CREDENTIAL;
        name = files->passphrase_credential;
        st = systemd_credential(name, out, why);
    } else if (files->passphrase_env != NULL) {
        *source = CREDENTIAL_PASSPHRASE_ENV;
        return from_environment(files->passphrase_env, out, why);
    }
    if (st != ST_OK || out->p == NULL)
        return st;
    if (utf8_is_16(buf_slice(out))) {
        diag_at(why, name, "is UTF-16 text; save it as ASCII or UTF-8");
        return ST_BAD_INPUT;
    }
    cut_mark(out);
    cut_line_end(out);
    return ST_OK;
}

/* Refuses a key that all users may read. Links are followed. A group may read the key, because
 * services share keys that way. */
static enum status check_mode(const char *path, bool allowed, struct credential *c,
                              struct diag *why)
{
    struct stat st;

    if (stat(path, &st) != 0 || (st.st_mode & S_IROTH) == 0)
        return ST_OK;
    if (allowed) {
        credential_find(
            c, FINDING_WARNING,
            mem_format("every user of this machine may read the private key; chmod o-r %s", path));
        return ST_OK;
    }
    diag_at(why, path,
            "every user of this machine may read the private key in it; chmod o-r %s (in "
            "Kubernetes defaultMode: 0440)",
            path);
    return ST_BAD_INPUT;
}

static bool has_key(const struct credential_parts *parts)
{
    return parts->nkeys > 0 || parts->key_locked;
}

/* If these bytes were read before, the key is known. The certificates are read again, unless only
 * the key is wanted. */
static enum status read_bytes(const struct credential_reading *r, struct slice bytes, bool key_only,
                              struct diag *why)
{
    struct credential_reading rest = *r;
    EVP_PKEY *known = NULL;
    enum status st = ST_OK;

    if (r->wish == KEY_REQUIRED) {
        credential_keys_mac(bytes, &r->opener->passphrase, r->opener->mac);
        known = credential_keys_find(r->opener->mac);
    }
    if (known != NULL)
        rest.wish = KEY_UNWANTED;
    if (known == NULL || !key_only)
        st = credential_read(&rest, bytes, why);
    if (known != NULL)
        credential_take_key(known, r->parts);
    return st;
}

static enum status read_file(const struct credential_reading *r, bool key_only, bool allow_mode,
                             struct credential *c, struct diag *why)
{
    struct buf text = {0};
    enum status st = file_read(r->path, &text, why);
    bool had_key = has_key(r->parts);

    if (st != ST_OK)
        return st;
    st = read_bytes(r, buf_slice(&text), key_only, why);
    file_wipe(&text);
    if (st == ST_OK && !had_key && has_key(r->parts))
        st = check_mode(r->path, allow_mode, c, why);
    return st;
}

/* ---- assembling ---- */

static enum status check_certificates(const char *path, const struct credential_parts *parts,
                                      struct diag *why)
{
    if (sk_X509_num(parts->certificates) > 0)
        return ST_OK;
    diag_at(why, path,
            "holds no PEM certificate; name the file that begins with "
            "-----BEGIN CERTIFICATE-----");
    return ST_BAD_INPUT;
}

static enum status assemble(const struct credential_files *files, struct credential_parts *parts,
                            struct credential *c, enum credential_source *source, struct diag *why)
{
    const char *key_path = files->private_key == NULL ? files->certificate : files->private_key;
    int64_t now = clock_wall_s();

    *source = CREDENTIAL_CERTIFICATE;
    enum status st = check_certificates(files->certificate, parts, why);
    if (st != ST_OK)
        return st;
    if (files->private_key != NULL)
        *source = CREDENTIAL_PRIVATE_KEY;
    if (parts->nkeys == 0) {
        diag_at(
            why, key_path, "%s",
            files->private_key == NULL
                ? "holds no private key; name the key's file with private-key"
                : "holds no PEM private key; name the file with -----BEGIN ... PRIVATE KEY-----");
        return ST_BAD_INPUT;
    }
    st = credential_choose_key(c, key_path, parts, now, why);
    if (st != ST_OK)
        return st;
    if (!credential_take_leaf(c, parts->certificates, now)) {
        diag_at(why, key_path,
                "the private key does not belong to the certificate in %s; use the two "
                "files that were made together",
                files->certificate);
        return ST_MISMATCH;
    }
    return ST_OK;
}

static void complete(struct credential *c, struct credential_parts *parts)
{
    int64_t now = clock_wall_s();

    credential_take_chain(c, parts->certificates, now);
    credential_note_facts(c);
    credential_judge(c, now);
}

static enum status finish(struct credential *c, enum status st, struct credential_parts *parts,
                          struct key_opener *opener, struct credential **out)
{
    if (st == ST_OK)
        complete(c, parts);
    credential_parts_free(parts);
    file_wipe(&opener->passphrase);
    key_memory_end_reading();
    if (st == ST_OK)
        *out = c;
    else
        credential_unref(c);
    return st;
}

enum status credential_load(const struct credential_files *files, struct credential **out,
                            enum credential_source *source, struct diag *why)
{
    struct credential_parts parts = {.certificates = sk_X509_new_null()};
    struct key_opener opener = {.files = files};
    struct credential *c = credential_new();
    bool apart = files->private_key != NULL, allow = files->allow_readable_key;

    key_memory_begin_reading();
    enum status st = read_passphrase(files, &opener.passphrase, source, why);
    if (st == ST_OK) {
        *source = CREDENTIAL_CERTIFICATE;
        st = read_file(&(struct credential_reading){files->certificate,
                                                    apart ? KEY_UNWANTED : KEY_REQUIRED, &opener,
                                                    &parts},
                       false, allow, c, why);
    }
    if (st == ST_OK && apart) {
        struct credential_parts key = {.certificates = sk_X509_new_null()};
        *source = CREDENTIAL_PRIVATE_KEY;
        st =
            read_file(&(struct credential_reading){files->private_key, KEY_REQUIRED, &opener, &key},
                      true, allow, c, why);
        for (size_t i = 0; i < key.nkeys; i++)
            credential_take_key(key.keys[i], &parts);
        key.nkeys = 0;
        credential_parts_free(&key);
    }
    bool only_one = parts.nkeys == 1; /* if there are several, the next load may choose another */
    if (st == ST_OK)
        st = assemble(files, &parts, c, source, why);
    if (key_memory_is_used_up(why))
        st = ST_BAD_INPUT;
    if (st == ST_OK && only_one) {
        credential_keys_hold(c->key, opener.mac);
        c->holds_key = true;
    }
    return finish(c, st, &parts, &opener, out);
}

enum status credential_inspect(const struct credential_files *files, struct credential **out,
                               struct diag *why)
{
    struct credential_parts parts = {.certificates = sk_X509_new_null()};
    struct key_opener opener = {.files = files};
    struct credential *c = credential_new();
    int64_t now = clock_wall_s();
    enum credential_source source;

    key_memory_begin_reading();
    enum status st = read_passphrase(files, &opener.passphrase, &source, why);
    if (st == ST_OK)
        st = read_file(
            &(struct credential_reading){files->certificate, KEY_IF_OPEN, &opener, &parts}, false,
            true, c, why);
    if (st == ST_OK)
        st = check_certificates(files->certificate, &parts, why);
    if (st == ST_OK)
        st = credential_choose_key(c, files->certificate, &parts, now, why);
    if (st == ST_OK) {
        c->key_locked = parts.key_locked;
        if (c->key == NULL || !credential_take_leaf(c, parts.certificates, now)) {
            if (c->key != NULL)
                credential_find(
                    c, FINDING_ERROR,
                    mem_format("the private key in the file does not belong to any "
                               "certificate in it; use the two that were made together"));
            credential_take_lowest(c, parts.certificates, now);
        }
    }
    return finish(c, st, &parts, &opener, out);
}
