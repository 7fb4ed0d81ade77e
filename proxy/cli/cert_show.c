#include "cli/cert_show.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "tls/facts.h"

/* ---- certificates ---- */

static const char *const key_states[] = {
    [CREDENTIAL_KEY_ABSENT] = "not in the file",
    [CREDENTIAL_KEY_LOCKED] = "in the file, encrypted (not opened: give --passphrase-file)",
    [CREDENTIAL_KEY_OPEN] = "in the file",
};
static const char *const key_words[] = {[CREDENTIAL_KEY_ABSENT] = "absent",
                                        [CREDENTIAL_KEY_LOCKED] = "encrypted",
                                        [CREDENTIAL_KEY_OPEN] = "present"};
static const char *const level_words[] = {
    [FINDING_NOTE] = "note", [FINDING_WARNING] = "warning", [FINDING_ERROR] = "error"};

/* The fields of Security Center > X.509 Public Certificate Mapping > Add, in its order (SAP's blog
 * on mTLS for SuccessFactors, KBA 3574501). */
struct form_field {
    const char *name, *json;
    char *value;
};
enum { FORM_FIELDS = 4 };

static void fill_form(const struct credential *c, const char *path, struct form_field out[])
{
    char *name = credential_common_name(c);
    const struct form_field fields[FORM_FIELDS] = {
        {"Configuration Name", "configuration_name",
         mem_format("sfmtls%s%s", *name == '\0' ? "" : " ", name)},
        {"Integration Name", "integration_name", mem_copy_string("Business Technology Platform")},
        {"Certificate File", "certificate_file",
         mem_format("sfmtls cert public %s -o FILE.pem", path)},
        {"Login Name", "login_name", mem_copy_string(name)},
    };

    for (size_t i = 0; i < FORM_FIELDS; i++)
        out[i] = fields[i];
    free(name);
}

static void show_form(const struct credential *c, const char *path, struct buf *out)
{
    static const char *const notes[FORM_FIELDS] = {
        "or any other name", "the choice for calls of your own",
        "makes the file to upload, without the key",
        "the technical user; empty: a user of SAP with fixed permissions"};
    struct form_field form[FORM_FIELDS];

    fill_form(c, path, form);
    buf_add_string(out, "\nTo map it: Security Center > X.509 Public Certificate Mapping > Add\n");
    for (size_t i = 0; i < FORM_FIELDS; i++) {
        char *visible = utf8_escape(form[i].value);
        buf_addf(out, "  %-20s %s  (%s)\n", form[i].name, visible, notes[i]);
        free(visible);
        free(form[i].value);
    }
    buf_add_string(
        out,
        "SuccessFactors knows a certificate by issuer and subject: a renewed one with the same "
        "two\nusually needs no new mapping, and each pair can be mapped only once.\n");
}

static void add_mapping(const struct credential *c, const char *path, struct buf *out)
{
    struct form_field form[FORM_FIELDS];

    fill_form(c, path, form);
    buf_add_string(out, ",\"mapping\":{");
    for (size_t i = 0; i < FORM_FIELDS; i++) {
        json_add_member(out, form[i].json, slice_of(form[i].value));
        free(form[i].value);
    }
    buf_add_string(out, "}");
}

static void show_text(const struct credential *c, const struct facts *f, const char *path,
                      struct buf *out)
{
    size_t count;
    const struct finding *findings = credential_findings(c, &count);

    cli_add_line(out, "subject", f->subject);
    cli_add_line(out, "issuer", f->issuer);
    buf_addf(out, "%-12s %.*s\n", "serial", (int)f->serial.n, f->serial.p);
    buf_addf(out, "%-12s %.10s to %.10s (%lld days left)\n", "valid", f->not_before, f->not_after,
             f->days_left);
    buf_addf(out, "%-12s %.*s\n", "SHA-256", (int)f->sha256.n, f->sha256.p);
    buf_addf(out, "%-12s %.*s\n", "SHA-1", (int)f->sha1.n, f->sha1.p);
    cli_add_line(out, "key", f->key_type);
    cli_add_line(out, "private key", key_states[credential_key_state(c)]);
    for (int i = 0; i < credential_chain_length(c); i++) {
        char *name = credential_chain_subject(c, i);
        cli_add_line(out, i == 0 ? "chain" : "", name);
        free(name);
    }
    if (credential_chain_length(c) == 0)
        cli_add_line(out, "chain", "none in the file");
    for (size_t i = 0; i < count; i++)
        cli_add_line(out, level_words[findings[i].level], findings[i].sentence);
    if (count == 0)
        cli_add_line(out, "findings", "none");
    show_form(c, path, out);
}

static void show_json(const struct credential *c, const struct facts *f, const char *path,
                      struct buf *out)
{
    size_t count;
    const struct finding *findings = credential_findings(c, &count);

    buf_add_string(out, "{");
    json_add_member(out, "subject", slice_of(f->subject));
    json_add_member(out, "issuer", slice_of(f->issuer));
    json_add_member(out, "serial", buf_slice(&f->serial));
    json_add_member(out, "not_before", slice_of(f->not_before));
    json_add_member(out, "not_after", slice_of(f->not_after));
    buf_addf(out, ",\"days_left\":%lld", f->days_left);
    json_add_member(out, "sha256", buf_slice(&f->sha256));
    json_add_member(out, "sha1", buf_slice(&f->sha1));
    json_add_member(out, "key_type", slice_of(f->key_type));
    json_add_member(out, "private_key", slice_of(key_words[credential_key_state(c)]));
    buf_add_string(out, ",\"chain\":[");
    for (int i = 0; i < credential_chain_length(c); i++) {
        char *name = credential_chain_subject(c, i);
        buf_addf(out, "%s\"", i == 0 ? "" : ",");
        json_add(out, slice_of(name));
        buf_add_string(out, "\"");
        free(name);
    }
    buf_add_string(out, "],\"findings\":[");
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "%s{\"level\":\"%s\"", i == 0 ? "" : ",", level_words[findings[i].level]);
        json_add_member(out, "sentence", slice_of(findings[i].sentence));
        buf_add_string(out, "}");
    }
    buf_add_string(out, "]");
    add_mapping(c, path, out);
    buf_add_string(out, "}\n");
}

/* True if no finding keeps it from being used. */
static bool is_usable(const struct credential *c)
{
    size_t count;
    const struct finding *findings = credential_findings(c, &count);

    for (size_t i = 0; i < count; i++)
        if (findings[i].level == FINDING_ERROR)
            return false;
    return true;
}

bool cert_show(const struct credential *c, const char *path, bool json, struct buf *out)
{
    struct facts facts;

    facts_collect(c, clock_wall_s(), &facts);
    (json ? show_json : show_text)(c, &facts, path, out);
    facts_free(&facts);
    return is_usable(c);
}

/* ---- requests ---- */

static const char *const request_lacks[] = {
    "its signature is not by its own key, so every CA refuses it; make it again",
    "it does not ask for clientAuth; the CA has to add that extended key usage",
    "it does not ask for digitalSignature; the CA has to add that key usage",
};

static bool lacks(const struct request_facts *f, size_t i)
{
    const bool there[ARRAY_LEN(request_lacks)] = {f->is_signed, f->wants_client_auth,
                                                  f->wants_key_usage};

    return !there[i];
}

static void show_request_json(const struct request_facts *f, struct buf *out)
{
    bool first = true;

    buf_add_string(out, "{");
    json_add_member(out, "kind", SLICE("request"));
    json_add_member(out, "subject", slice_of(f->subject));
    json_add_member(out, "key_type", slice_of(f->key_type));
    buf_add_string(out, ",\"findings\":[");
    for (size_t i = 0; i < ARRAY_LEN(request_lacks); i++) {
        if (!lacks(f, i))
            continue;
        buf_addf(out, "%s{\"level\":\"%s\"", first ? "" : ",", i == 0 ? "error" : "note");
        json_add_member(out, "sentence", slice_of(request_lacks[i]));
        buf_add_string(out, "}");
        first = false;
    }
    buf_add_string(out, "]}\n");
}

static void show_request_text(const struct request_facts *f, struct buf *out)
{
    cli_add_line(out, "kind",
                 "a certificate request (PKCS#10), which a CA turns into a certificate");
    cli_add_line(out, "subject", f->subject);
    cli_add_line(out, "key", f->key_type);
    for (size_t i = 0; i < ARRAY_LEN(request_lacks); i++)
        if (lacks(f, i))
            cli_add_line(out, i == 0 ? "error" : "note", request_lacks[i]);
}

bool cert_show_request(const struct request_facts *f, bool json, struct buf *out)
{
    (json ? show_request_json : show_request_text)(f, out);
    return f->is_signed;
}

void cert_say_next(const char *key, const char *request)
{
    cli_say("%s is the private key: keep it on this machine, nobody else needs it", key);
    cli_say("next, send %s to a CA that SuccessFactors accepts. SAP Cloud Root CA is one: use the "
            "Destination service of BTP (certificate from a CSR) or SAP for Me (SAP Note 3469904)",
            request == NULL ? "the request" : request);
    cli_say("the certificate needs the extended key usage clientAuth and the key usage "
            "digitalSignature; SAP's own have RSA keys and SHA-256 signatures, so try --key-type "
            "rsa-2048 if a CA refuses this key");
    cli_say("then put the certificate and the CAs above it into one file; `sfmtls cert show FILE` "
            "says what to enter in SuccessFactors");
}
