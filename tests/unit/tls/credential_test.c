#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "test.h"
#include "tls/credential.h"
#include "tls/issue.h"
#include "tls/session.h"
#include "tls/trust.h"

static const char *pki(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", test_environment("SFMTLS_TEST_PKI"), name);
    return path;
}

/* Certificate file, key file and the sentence, NULL if it loads. */
static const struct {
    const char *certificate, *key, *passphrase, *sentence;
} cases[] = {
    {"acme-all.pem", NULL, NULL, NULL},
    {"acme-chain.pem", "acme.key", NULL, NULL},
    {"acme-chain.pem", "acme-sec1.key", NULL, NULL},
    {"acme-chain.pem", "acme-encrypted.key", "acme.pass", NULL},
    {"acme-chain.pem", "acme-3des.key", "acme.pass", NULL},
    {"acme-chain.pem", "acme-sec1-encrypted.key", "acme.pass", NULL},
    {"rsa-chain.pem", "rsa.key", NULL, NULL},
    {"acme-chain.pem", "acme-encrypted.key", NULL,
     "is encrypted; set passphrase-file or passphrase-env"},
    {"acme-chain.pem", "acme-sec1-encrypted.key", NULL, "is encrypted; set passphrase-file"},
    {"acme-chain.pem", "acme-encrypted.key", "acme.pem", "cannot be decrypted"},
    {"acme-chain.pem", "globex.key", NULL, "does not belong to the certificate in"},
    {"acme-chain.pem", NULL, NULL, "holds no private key; name the key's file with private-key"},
    {"acme-chain.pem", "acme.pem", NULL, "holds no PEM private key"},
    {"acme.key", NULL, NULL, "holds no PEM certificate"},
    {"none.pem", NULL, NULL, "No such file"},
    {"acme-chain.pem", "none.key", NULL, "No such file"},
    {"acme-chain.pem", "acme.key", "none.pass", "No such file"},
};

TEST(files_are_loaded_or_explained)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *certificate = mem_copy_string(pki(cases[i].certificate));
        char *key = cases[i].key == NULL ? NULL : mem_copy_string(pki(cases[i].key));
        char *passphrase =
            cases[i].passphrase == NULL ? NULL : mem_copy_string(pki(cases[i].passphrase));
        struct credential_files files = {
            .certificate = certificate, .private_key = key, .passphrase_file = passphrase};
        struct credential *c = NULL;
        enum credential_source source = CREDENTIAL_CERTIFICATE;
        struct diag why = {""};
        bool ok = credential_load(&files, &c, &source, &why) == ST_OK;
        CHECK_MSG(ok == (cases[i].sentence == NULL), "%s, %s: %s", certificate, key, why.text);
        if (ok)
            CHECK_CONTAINS(credential_subject(c), "CN=");
        else
            CHECK_CONTAINS(why.text, cases[i].sentence);
        credential_unref(c);
        free(certificate);
        free(key);
        free(passphrase);
    }
}

TEST(a_passphrase_from_the_environment)
{
    char *certificate = mem_copy_string(pki("acme-chain.pem")),
         *key = mem_copy_string(pki("acme-encrypted.key"));
    struct credential_files files = {
        .certificate = certificate, .private_key = key, .passphrase_env = "SFMTLS_UNIT_PASSPHRASE"};
    enum credential_source source = CREDENTIAL_CERTIFICATE;
    struct credential *c = NULL;
    struct diag why;

    (void)unsetenv("SFMTLS_UNIT_PASSPHRASE");
    CHECK_INT(credential_load(&files, &c, &source, &why), ST_BAD_INPUT, "not set");
    CHECK_CONTAINS(why.text, "SFMTLS_UNIT_PASSPHRASE is not set");
    CHECK(source == CREDENTIAL_PASSPHRASE_ENV);
    (void)setenv("SFMTLS_UNIT_PASSPHRASE", "correct horse", 1);
    CHECK_MSG(credential_load(&files, &c, &source, &why) == ST_OK, "%s", why.text);
    credential_unref(c);
    free(certificate);
    free(key);
}

static struct credential *issue(const char *name, bool ca, const struct credential *by)
{
    struct issue_spec spec = {.common_name = name, .organization = "unit", .is_ca = ca, .days = 1};
    struct credential *c = NULL;
    struct diag why;

    CHECK_MSG(issue_credential(&spec, by, &c, &why) == ST_OK, "%s", why.text);
    return c;
}

TEST(what_is_issued_ends_in_time)
{
    enum { DAY = 86400, SLACK = 60 };
    const int64_t now = clock_wall_s();
    static const struct {
        const char *name;
        int64_t latest, end; /* from now */
    } ends[] = {
        {"no latest end", 0, 10 * DAY},
        {"an earlier one", DAY, DAY},
        {"a later one", 20 * DAY, 10 * DAY},
    };

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct issue_spec spec = {.common_name = "leaf", .organization = "unit", .days = 10};
        struct credential *c = NULL;
        struct diag why;
        spec.latest = ends[i].latest == 0 ? 0 : now + ends[i].latest;
        CHECK_MSG(issue_credential(&spec, NULL, &c, &why) == ST_OK, "%s", why.text);
        int64_t last = credential_not_after(c) - now;
        CHECK_MSG(last >= ends[i].end && last < ends[i].end + SLACK, "%s", ends[i].name);
        credential_unref(c);
    }
}

TEST(what_is_issued_can_be_saved_and_loaded)
{
    struct credential *root = issue("root", true, NULL), *sub = issue("sub", true, root),
                      *leaf = issue("leaf", false, sub), *again = NULL;
    char *certificate = mem_format("%s/c.pem", test_folder()),
         *key = mem_format("%s/k.pem", test_folder());
    struct credential_files files = {.certificate = certificate, .private_key = key};
    enum credential_source source = CREDENTIAL_CERTIFICATE;
    struct diag why;
    struct stat st;

    CHECK_MSG(credential_save(leaf, certificate, key, &why) == ST_OK, "%s", why.text);
    CHECK(stat(key, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK_INT(credential_save(leaf, certificate, key, &why), ST_BAD_INPUT, "never overwritten");
    CHECK_MSG(credential_load(&files, &again, &source, &why) == ST_OK, "%s", why.text);
    CHECK_TEXT(credential_subject(again), "CN=leaf,O=unit", "subject");
    CHECK(memcmp(credential_fingerprint(again), credential_fingerprint(leaf),
                 CREDENTIAL_FINGERPRINT_SIZE) == 0);
    int64_t begin = credential_not_before(again), end = credential_not_after(again);
    CHECK(begin < end);
    CHECK(credential_is_valid(again, begin) && !credential_is_valid(again, begin - 1));
    CHECK(credential_is_valid(again, end) && !credential_is_valid(again, end + 1));
    credential_unref(root);
    credential_unref(sub);
    credential_unref(leaf);
    credential_unref(again);
    free(certificate);
    free(key);
}

TEST(trust_says_what_is_wrong_with_a_file)
{
    struct trust *t = NULL;
    struct diag why;
    bool lists;

    CHECK_INT(trust_load(pki("acme.key"), NULL, &t, &lists, &why), ST_BAD_INPUT, "a key");
    CHECK_CONTAINS(why.text, "holds no PEM certificate");
    CHECK_INT(
        trust_load(
            test_file("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            NULL, &t, &lists, &why),
        ST_BAD_INPUT, "damaged");
    CHECK_CONTAINS(why.text, "cannot be read");
    CHECK_INT(trust_load(pki("ca.pem"), NULL, &t, &lists, &why), ST_OK, "");
    CHECK(trust_is_from(t, pki("ca.pem"), NULL) && !trust_is_from(t, NULL, NULL));
    trust_unref(t);
}
