#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "test.h"
#include "tls/issue.h"
#include "tls/local_ca.h"

static char *const names[] = {"corp.example", "sf.corp.example", "api4.example"};

static const char *folder(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    return path;
}

static struct local_ca *make_and_load(const char *where)
{
    struct local_ca *ca = NULL;
    struct diag why = {""};

    CHECK_MSG(local_ca_make(where, names, ARRAY_LEN(names), false, &why) == ST_OK, "%s", why.text);
    CHECK_MSG(local_ca_load(where, &ca, &why) == ST_OK, "%s", why.text);
    return ca;
}

/* The name constraints as OpenSSL prints them. */
static char *constraints_of(const X509 *x)
{
    BIO *out = BIO_new(BIO_s_mem());
    int i = X509_get_ext_by_NID(x, NID_name_constraints, -1);
    char *p;

    CHECK(i >= 0 && X509_EXTENSION_get_critical(X509_get_ext(x, i)) == 1);
    CHECK_INT(X509V3_EXT_print(out, X509_get_ext(x, i), 0, 0), 1, "printed");
    long n = BIO_get_mem_data(out, &p);
    char *text = mem_copy_bytes(p, (size_t)n);
    BIO_free(out);
    return text;
}

static void check_mode(const char *where, const char *name, int mode)
{
    char *path = mem_format("%s/%s", where, name);
    struct stat st;

    CHECK_INT(stat(path, &st), 0, name);
    CHECK_INT(st.st_mode & 0777, mode, name);
    free(path);
}

TEST(a_ca_is_made_and_loaded)
{
    char *where = mem_copy_string(folder("a/b/ca"));

    mode_t before = umask(077);
    CHECK(!local_ca_is_in(where));
    struct local_ca *ca = make_and_load(where);
    CHECK(local_ca_is_in(where));
    (void)umask(before);
    check_mode(where, ".", 0755);
    check_mode(where, "root.pem", 0644);
    check_mode(where, "intermediate.pem", 0644);
    check_mode(where, "private", 0700);
    check_mode(where, "private/intermediate.key", 0600);
    CHECK_INT(credential_key_state(local_ca_root(ca)), CREDENTIAL_KEY_ABSENT, "the root's key");
    CHECK_INT(local_ca_name_count(ca), ARRAY_LEN(names), "names");
    CHECK(local_ca_permits(ca, "api4.example") && !local_ca_permits(ca, "x.api4.example"));
    CHECK(!local_ca_permits(ca, "elsewhere.example") && !local_ca_permits(ca, ".invalid"));
    local_ca_unref(ca);
    free(where);
}

TEST(it_is_confined_to_its_names)
{
    struct local_ca *ca = make_and_load(folder("ca"));
    char *text = constraints_of(credential_leaf(local_ca_root(ca)));

    CHECK_CONTAINS(text, "DNS:api4.example");
    CHECK_CONTAINS(text, "DNS:.api4.example");
    CHECK_CONTAINS(text, "DNS:.sf.corp.example");
    CHECK_MSG(strstr(text, "DNS:.corp.example") == NULL,
              "another server is below it, and would be shut out");
    CHECK_CONTAINS(text, "IP:0.0.0.0/0.0.0.0");
    free(text);
    local_ca_unref(ca);
}

/* Whether the name alone is permitted, without what is below it. */
static bool is_closed(char *const *given, size_t count, size_t i)
{
    char *where = mem_format("%s/closed%zu", test_folder(), i),
         *rule = mem_format("DNS:.%s\n", given[i]);
    struct local_ca *ca = NULL;
    struct diag why = {""};

    CHECK_MSG(local_ca_make(where, given, count, true, &why) == ST_OK, "%s", why.text);
    CHECK_MSG(local_ca_load(where, &ca, &why) == ST_OK, "%s", why.text);
    char *text = constraints_of(credential_leaf(local_ca_root(ca))),
         *lines = mem_format("%s\n", text);
    bool closed = strstr(lines, rule) != NULL;
    free(lines);
    free(text);
    local_ca_unref(ca);
    free(rule);
    free(where);
    return closed;
}

TEST(only_what_is_behind_a_dot_is_below)
{
    static const struct {
        char *names[2];
        bool closed; /* is the first? */
    } cases[] = {
        {{"a.example", "b.a.example"}, false},  {{"a.example", "c.b.a.example"}, false},
        {{"a.example", "ba.example"}, true},    {{"a.example", "cba.example"}, true},
        {{"a.example", "x.cba.example"}, true}, {{"a.example", "b-a.example"}, true},
        {{"a.example", "a.example.b"}, true},   {{"b.a.example", "a.example"}, true},
        {{"a.example", "example"}, true},       {{"aa.example", "a.a.example"}, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(is_closed(cases[i].names, 2, 0), cases[i].closed, cases[i].names[1]);
}

TEST(one_that_is_there_is_replaced_only_on_demand)
{
    char *where = mem_copy_string(folder("ca"));
    struct local_ca *before = make_and_load(where), *after = NULL;
    struct diag why = {""};

    CHECK_INT(local_ca_make(where, names, 1, false, &why), ST_BAD_INPUT, "without --replace");
    CHECK_CONTAINS(why.text, "--replace");
    CHECK_INT(local_ca_make(where, names, 1, true, &why), ST_OK, "with it");
    CHECK_INT(local_ca_load(where, &after, &why), ST_OK, "loaded again");
    CHECK_INT(local_ca_name_count(after), 1, "names");
    CHECK_MSG(strcmp(credential_subject(local_ca_root(before)),
                     credential_subject(local_ca_root(after))) != 0,
              "two roots of one name");
    local_ca_unref(before);
    local_ca_unref(after);
    free(where);
}

TEST(parts_of_two_cas_are_no_ca)
{
    char *one = mem_copy_string(folder("one")), *two = mem_copy_string(folder("two"));
    struct local_ca *ca = NULL;
    struct diag why = {""};

    local_ca_unref(make_and_load(one));
    local_ca_unref(make_and_load(two));
    for (int i = 0; i < LOCAL_CA_FILES; i++) {
        char *from = local_ca_path(one, (enum local_ca_file)i);
        char *to = local_ca_path(two, (enum local_ca_file)i);
        CHECK_INT(rename(from, to), 0, to);
        CHECK_INT(local_ca_load(two, &ca, &why), i == LOCAL_CA_KEY ? ST_OK : ST_MISMATCH, to);
        free(from);
        free(to);
    }
    local_ca_unref(ca);
    free(one);
    free(two);
}

TEST(what_is_missing_is_named)
{
    char *where = mem_copy_string(folder("ca"));
    struct local_ca *ca = NULL;
    struct diag why = {""};

    local_ca_unref(make_and_load(where));
    for (int i = LOCAL_CA_FILES - 1; i >= 0; i--) {
        char *path = local_ca_path(where, (enum local_ca_file)i);
        CHECK_INT(unlink(path), 0, path);
        CHECK_INT(local_ca_load(where, &ca, &why), ST_BAD_INPUT, path);
        CHECK_CONTAINS(why.text, path);
        CHECK_INT(local_ca_is_in(where), i > 0, "a part of it is left");
        free(path);
    }
    free(where);
}

TEST(a_ca_without_limits_is_not_used)
{
    static const struct issue_spec root = {
        .common_name = "root", .organization = "x", .is_ca = true, .days = 1};
    static const struct issue_spec signer = {
        .common_name = "signer", .organization = "x", .is_ca = true, .days = 1};
    const char *where = folder("ca");
    struct credential *r = NULL, *s = NULL;
    struct local_ca *ca = NULL;
    struct diag why = {""};

    CHECK_INT(mkdir(where, 0700), 0, where);
    CHECK_INT(issue_credential(&root, NULL, &r, &why), ST_OK, why.text);
    CHECK_INT(issue_credential(&signer, r, &s, &why), ST_OK, why.text);
    char *paths[LOCAL_CA_FILES];
    for (int i = 0; i < LOCAL_CA_FILES; i++)
        paths[i] = local_ca_path(where, (enum local_ca_file)i);
    char *private = mem_format("%s/private", where);
    CHECK_INT(mkdir(private, 0700), 0, private);
    free(private);
    CHECK_INT(credential_save(r, paths[LOCAL_CA_ROOT], NULL, &why), ST_OK, why.text);
    CHECK_INT(credential_save(s, paths[LOCAL_CA_SIGNER], paths[LOCAL_CA_KEY], &why), ST_OK,
              why.text);
    CHECK_INT(local_ca_load(where, &ca, &why), ST_BAD_INPUT, "no names");
    CHECK_CONTAINS(why.text, "not confined to host names");
    for (int i = 0; i < LOCAL_CA_FILES; i++)
        free(paths[i]);
    credential_unref(r);
    credential_unref(s);
}

TEST(a_folder_where_others_may_write_is_refused)
{
    const char *where = folder("open");
    struct diag why = {""};

    CHECK_INT(mkdir(where, 0700) == 0 ? chmod(where, 0777) : -1, 0, where);
    CHECK_INT(local_ca_make(where, names, 1, false, &why), ST_BAD_INPUT, "open to all");
    CHECK_CONTAINS(why.text, "every user of this machine may replace files in the folder");
    CHECK_INT(chmod(where, 0770), 0, where);
    CHECK_INT(local_ca_make(where, names, 1, false, &why), ST_BAD_INPUT, "open to a group");
    CHECK_CONTAINS(why.text, "other users may write");
    CHECK_INT(local_ca_make(test_file("file", ""), names, 1, false, &why), ST_BAD_INPUT, "a file");
    CHECK_CONTAINS(why.text, "cannot be made");
}

/* What is shown for a host; freed when the leaves are, at the latest. */
static SSL_CTX *take(struct local_leaves *leaves, const char *host, int64_t now)
{
    SSL_CTX *context = NULL;
    struct diag why = {""};

    CHECK_INT(local_leaves_take(leaves, host, now, &context, &why), ST_OK, why.text);
    return context;
}

TEST(leaves_are_made_once_and_for_the_names_only)
{
    struct local_ca *ca = make_and_load(folder("ca"));
    struct local_leaves *leaves = local_leaves_new(ca);
    int64_t now = clock_wall_s();
    SSL_CTX *first = take(leaves, "api4.example", now), *other = NULL;
    SSL_CTX *second = take(leaves, "api4.example", now);
    struct diag why = {""};

    CHECK(first == second);
    const X509 *leaf = SSL_CTX_get0_certificate(first);
    CHECK_INT(X509_check_host((X509 *)(uintptr_t)leaf, "api4.example", 0, 0, NULL), 1, "the name");
    SSL_CTX_free(second);
    second = take(leaves, "corp.example", now);
    CHECK(first != second);
    CHECK_INT(local_leaves_take(leaves, "x.api4.example", now, &other, &why), ST_BAD_INPUT,
              "below");
    CHECK_CONTAINS(why.text, "was not made for x.api4.example");
    local_leaves_free(leaves);
    local_ca_unref(ca);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

TEST(leaves_are_renewed_before_they_end)
{
    enum { DAY = 86400 };
    struct local_ca *ca = make_and_load(folder("ca"));
    struct local_leaves *leaves = local_leaves_new(ca);
    int64_t now = clock_wall_s();
    SSL_CTX *kept = take(leaves, "api4.example", now), *context = NULL;
    struct diag why = {""};
    static const struct {
        const char *name;
        int64_t seconds; /* from the leaf's making */
        bool same;
    } cases[] = {
        {"a day before", 19 * DAY, true},
        {"in time", 21 * DAY, false},
        {"after a month out of use", 51 * DAY, false},
        {"with a clock that was set back", 50 * DAY, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        context = take(leaves, "api4.example", now + cases[i].seconds);
        CHECK_INT(context == kept, cases[i].same, cases[i].name);
        SSL_CTX_free(kept);
        kept = context;
    }
    CHECK_INT(local_leaves_take(leaves, "api4.example", local_ca_not_after(ca) + 1, &context, &why),
              ST_BAD_INPUT, "the CA is over");
    CHECK_CONTAINS(why.text, "expired");
    SSL_CTX_free(kept);
    local_leaves_free(leaves);
    local_ca_unref(ca);
}
