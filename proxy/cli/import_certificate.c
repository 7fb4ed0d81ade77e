#include "cli/import_certificate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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
            "The certificate with its key is not in an export, and the cockpit shows the public "
            "part only. It is the key store %s of the Destination service, whose REST API gives "
            "it: Content, to be decoded by `base64 -d`, of GET "
            "{uri}/destination-configuration/v1/subaccountCertificates/%s (or "
            "instanceCertificates). Put it beside this file, mode 0600.",
            store, store);
}

static void explain_java_store(const struct section *s, const char *store, const char *file)
{
    import_text_comment(s->out,
                        "A Java key store is not read: make PKCS#12 of it with `keytool "
                        "-importkeystore -srckeystore %s -destkeystore %s -deststoretype pkcs12`.",
                        store, file);
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

static void write_certificate(const struct section *s)
{
    const struct property *p = import_take(s, "KeyStoreLocation");
    const char *store = p == NULL ? NULL : p->value;
    char *file = mem_format("%s.pem", s->name);

    if (store != NULL && is_file_name(store)) {
        bool java = ends(store, ".jks") || ends(store, ".keystore");
        int stem = (int)(extension_of(store) - store);
        free(file);
        file = mem_format("%.*s%s", stem, store, java ? ".p12" : extension_of(store));
        explain_source(s, store);
        if (java)
            explain_java_store(s, store, file);
    } else {
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

void import_certificate_write(const struct section *s)
{
    write_certificate(s);
    write_trust(s);
}
