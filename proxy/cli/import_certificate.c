#include "cli/import_certificate.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "btp/answer.h"
#include "http/chars.h"

static bool ends(const char *name, const char *tail)
{
    return slice_ends_nocase(slice_of(name), slice_of(tail));
}

static const char *extension_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot == NULL || dot == name ? name + strlen(name) : dot;
}

static bool is_file_name(const char *name)
{
    return strlen(name) < 200 && strpbrk(name, "/\\") == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0 && import_text_flaw("certificate", name) == NULL;
}

/* A command that is shown has a name in it only if no shell reads it otherwise. */
static const char *word_of(const char *name, const char *otherwise)
{
    return chars_are(slice_of(name), CHAR_HOST) && *name != '-' ? name : otherwise;
}

static void explain_source(const struct section *s, const char *store)
{
    if (import_says(s, "KeyStore.Source", "ClientProvided"))
        import_text_comment(s->out, "The key store is the app's own (KeyStore.Source is "
                                    "ClientProvided): take the client certificate with its key "
                                    "from there. Put it beside this file, mode 0600.");
    else if (store == NULL)
        import_text_comment(s->out, "The export names no key store. Put the client certificate "
                                    "with its key into this file, mode 0600.");
    else
        import_text_comment(
            s->out,
            "The certificate with its key is not in an export. It is the key store %s of the "
            "Destination service: `sfmtls cert fetch --service-key KEY.json --name %s` writes it "
            "into a file, mode 0600; `certificate-source = destination-service` in place of "
            "`certificate` keeps it renewed (man sfmtls.ini).",
            store, word_of(store, "NAME"));
}

static void explain_java_store(const struct section *s, const char *store, const char *file)
{
    import_text_comment(s->out,
                        "A Java key store is not read: make PKCS#12 of it with `keytool "
                        "-importkeystore -srckeystore %s -destkeystore %s -deststoretype pkcs12`.",
                        word_of(store, "FILE.jks"), word_of(file, "FILE.p12"));
}

static void write_passphrase(const struct section *s)
{
    (void)import_take(s, "KeyStorePassword");
    if (destination_find(s->from, "KeyStorePassword") == NULL) {
        import_text_comment(s->out, "If the key has a passphrase: write it into a file, mode 0600, "
                                    "and take the `;` away.");
        buf_addf(s->out, ";passphrase-file = %s.pass\n", s->name);
        return;
    }
    import_text_comment(s->out, "The key store has a password, which is not repeated here: write "
                                "it into this file, mode 0600.");
    buf_addf(s->out, "passphrase-file = %s.pass\n", s->name);
}

/* ---- a certificate in the export ---- */

/* Does the file exist with that content? Two destinations may have the same certificate. */
static bool is_there(const char *path, struct slice bytes)
{
    struct buf held = {0};
    struct diag ignored; /* writing the file reports it */
    bool same = file_read(path, &held, &ignored) == ST_OK && slice_eq(buf_slice(&held), bytes);

    file_wipe(&held);
    return same;
}

static enum status save(const struct section *s, const char *path, struct slice base64)
{
    struct buf bytes = {0};
    enum status st = ST_OK;

    buf_reserve(&bytes, base64.n); /* secrets are not moved in memory */
    if (!answer_decode(base64, &bytes)) {
        diag_at(s->why, s->file,
                "the Content of a certificate in it is not base64; export it again");
        st = ST_BAD_INPUT;
    } else if (!is_there(path, buf_slice(&bytes))) {
        st = file_write_new(path, buf_slice(&bytes), 0600, s->why);
    }
    file_wipe(&bytes);
    if (st == ST_OK)
        buf_addf(s->notes, "the certificate of tenant %s is in %s\n", s->name, path);
    return st;
}

static char *path_in(const struct section *s, const char *name)
{
    char *folder = realpath(s->certificates, NULL),
         *path = mem_format("%s/%s", folder == NULL ? s->certificates : folder, name);

    free(folder);
    return path;
}

/* *file: the name for the section; becomes the path of the new file. */
static enum status take_from_export(const struct section *s, const char *store, struct slice base64,
                                    char **file)
{
    char *path = path_in(s, store), *named = path_in(s, *file);
    const char *flaw = import_text_flaw("certificate", named);
    enum status st = ST_BAD_INPUT;

    if (flaw != NULL)
        diag_at(s->why, s->certificates,
                "a configuration cannot name a file there: %s; name another "
                "folder",
                flaw);
    else
        st = save(s, path, base64);
    free(path);
    free(*file);
    *file = named;
    return st;
}

/* ---- lines of the section ---- */

static bool is_java(const char *store)
{
    return ends(store, ".jks") || ends(store, ".keystore");
}

/* The name of the file in a form that sfmtls can read. */
static char *readable_name(const char *store)
{
    int stem = (int)(extension_of(store) - store);

    return mem_format("%.*s%s", stem, store, is_java(store) ? ".p12" : extension_of(store));
}

static enum status write_store(const struct section *s, const char *store, char **file)
{
    struct slice content = destination_certificate(s->from, store);
    enum status st = ST_OK;

    if (content.p == NULL)
        explain_source(s, store);
    else if (s->certificates == NULL)
        import_text_comment(s->out,
                            "The certificate %s with its key is in this export, and is not "
                            "repeated here: `sfmtls import --certificates FOLDER` writes it into a "
                            "file, mode 0600.",
                            store);
    else
        st = take_from_export(s, store, content, file);
    if (is_java(store))
        explain_java_store(s, store, *file);
    return st;
}

static enum status write_certificate(const struct section *s)
{
    const struct property *p = import_take(s, "KeyStoreLocation");
    const char *store = p == NULL ? NULL : p->value;
    enum status st = ST_OK;
    char *file;

    if (store != NULL && is_file_name(store)) {
        file = readable_name(store);
        st = write_store(s, store, &file);
    } else {
        file = mem_format("%s.pem", s->name);
        if (store != NULL)
            import_text_comment(s->out,
                                "KeyStoreLocation is not the plain name of a file, so this line "
                                "has another one.");
        explain_source(s, NULL);
    }
    import_line(s, "certificate", file);
    if (ends(file, ".cer") || ends(file, ".crt") || ends(file, ".der")) {
        import_text_comment(s->out, "Such a file holds no key as a rule. If so: name the key's "
                                    "file, mode 0600, and take the `;` away.");
        buf_addf(s->out, ";private-key = %s.key\n", s->name);
    }
    free(file);
    write_passphrase(s);
    return st;
}

static void write_trust(const struct section *s)
{
    bool all = import_says(s, "TrustAll", "true");

    (void)import_take(s, "TrustStorePassword");
    if (import_take(s, "TrustStoreLocation") == NULL && !all)
        return;
    import_text_comment(s->out, "%s%s: name the server's CA (PEM) here, and take the `;` away.",
                        all ? "TrustAll is not taken over, for the server is always verified"
                            : "The destination has a trust store of its own",
                        all ? "; if its CA is a private one" : "; if it is not a public CA");
    buf_addf(s->out, ";ca-file = %s-ca.pem\n", s->name);
}

enum status import_certificate_write(const struct section *s)
{
    enum status st = write_certificate(s);

    write_trust(s);
    return st;
}
