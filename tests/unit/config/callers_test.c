#include <stdlib.h>

#include "base/mem.h"
#include "config/callers.h"
#include "test.h"

#define SALT22   "abcdefghijklmnopqrstuu"
#define DIGEST31 "abcdefghijklmnopqrstuvwxyzabcde" /* of bcrypt */
#define DIGEST43 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop1"

#define B(prefix) prefix SALT22 DIGEST31
#define Y(cost)   "$y$" cost "$abcdefghijklmnopqrstu/$" DIGEST43

static struct callers *load(const char *text)
{
    struct callers *c = NULL;
    struct diag why;

    CHECK_MSG(callers_load(test_file("callers", text), &c, &why) == ST_OK, "%s", why.text);
    return c;
}

static void check_hash(const struct callers *c, struct slice user, const char *want)
{
    CHECK_TEXT(callers_hash(c, user), want, user.p);
}

TEST(users_have_their_hashes)
{
    struct callers *c = load(
        "# the office\n\n"
        "sfadmin@ACME:" B(
            "$2y$04$") "\n"
                       " \t\n"
                       "b:" B("$2b$12$") "\r\n"
                                         "a:" B("$2a$10$") "\n"
                                                           "Zo\xc3\xab@ACME:" Y(
                                                               "j9T") "\n"
                                                                      "with blank:" Y(
                                                                          "j75") "\n"
                                                                                 "last:" B(
                                                                                     "$2b$05$"));

    check_hash(c, SLICE("sfadmin@ACME"), B("$2y$04$"));
    check_hash(c, SLICE("a"), B("$2a$10$"));
    check_hash(c, SLICE("b"), B("$2b$12$"));
    check_hash(c, SLICE("Zo\xc3\xab@ACME"), Y("j9T"));
    check_hash(c, SLICE("with blank"), Y("j75"));
    check_hash(c, SLICE("last"), B("$2b$05$"));
    callers_free(c);
}

TEST(a_file_may_begin_with_a_byte_order_mark)
{
    struct callers *c = load("\xef\xbb\xbfu:" B("$2y$04$") "\n");

    check_hash(c, SLICE("u"), B("$2y$04$"));
    callers_free(c);
}

TEST(whoever_is_not_known_costs_as_much_as_the_dearest)
{
    static const struct slice unknown[] = {{"", 0},     {"u", 1},      {"use", 3}, {"users", 5},
                                           {"User", 4}, {"user\0", 5}, {"\xff", 1}};
    static const struct {
        const char *text, *setting; /* of the dearest */
    } cases[] = {
        {"user:" B("$2y$04$") "\n", "$2y$04$" SALT22},
        {"user:" B("$2y$04$") "\nother:" B("$2b$12$") "\nthird:" B("$2a$10$") "\n", "$2b$12$"},
        {"user:" B("$2y$07$") "\nother:" Y("j9T") "\n", "$y$j9T$"},
        {"user:" B("$2y$09$") "\nother:" Y("j9T") "\n", "$2y$09$"},
        {"user:" Y("j85") "\nother:" Y("j7T") "\n", "$y$j7T$"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct callers *c = load(cases[i].text);
        for (size_t u = 0; u < ARRAY_LEN(unknown); u++) {
            const char *hash = callers_hash(c, unknown[u]);
            CHECK_MSG(strncmp(hash, cases[i].setting, strlen(cases[i].setting)) == 0, "%s", hash);
            CHECK_MSG(strstr(cases[i].text, hash) == NULL, "it is nobody's");
        }
        CHECK_INT(callers_costs_differ(c), i > 0, cases[i].text);
        callers_free(c);
    }
}

static const struct {
    const char *name, *text;
    int line;         /* 0: the whole file */
    const char *says; /* in the sentence */
} flaws[] = {
    {"empty", "", 0, "names no user"},
    {"comments only", "# a\n\n  \n#b:c\n", 0, "names no user"},
    {"UTF-16", "\xff\xfeu", 0, "is UTF-16 text"},
    {"UTF-16, big end first", "\xfe\xffu", 0, "is UTF-16 text"},
    {"no colon", "secret\n", 1, "not `user:hash`"},
    {"no colon later", "# a\nu:" B("$2y$04$") "\nv\n", 3, "not `user:hash`"},
    {"no user", ":" B("$2y$04$") "\n", 1, "the user is empty"},
    {"control in the user", "u\x01:" B("$2y$04$") "\n", 1, "control character"},
    {"tab in the user", "u\tv:" B("$2y$04$") "\n", 1, "control character"},
    {"no hash", "u:\n", 1, "is of no kind"},
    {"plain", "u:secret\n", 1, "is of no kind"},
    {"blank before", "u: " B("$2y$04$") "\n", 1, "is of no kind"},
    {"apr1", "u:$apr1$abc$def\n", 1, "is of no kind"},
    {"SHA", "u:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n", 1, "is of no kind"},
    {"DES", "u:rqXexS6ZhobKA\n", 1, "is of no kind"},
    {"MD5", "u:$1$abc$BXBqpb9BZcZhXLgbee.0s/\n", 1, "is of no kind"},
    {"SHA-256", "u:$5$abc$def\n", 1, "is of no kind"},
    {"SHA-512", "u:$6$abc$def\n", 1, "is of no kind"},
    {"gost-yescrypt", "u:$gy$j9T$abc$def\n", 1, "is of no kind"},
    {"scrypt", "u:$7$abc$def\n", 1, "is of no kind"},
    {"bcrypt with the flaw", "u:" B("$2x$04$") "\n", 1, "is of no kind"},
    {"bcrypt without a letter", "u:" B("$2$04$") "\n", 1, "is of no kind"},
    {"digest file", "u:realm:0123456789abcdef\n", 1, "is of no kind"},
    {"cost 13", "u:" B("$2y$13$") "\n", 1, "costs more"},
    {"cost 31", "u:" B("$2y$31$") "\n", 1, "costs more"},
    {"cost 3", "u:" B("$2y$03$") "\n", 1, "is damaged"},
    {"cost 32", "u:" B("$2y$32$") "\n", 1, "is damaged"},
    {"cost of one digit", "u:$2y$4$" SALT22 DIGEST31 "a\n", 1, "is damaged"},
    {"cost of none", "u:$2y$xx$" SALT22 DIGEST31 "\n", 1, "is damaged"},
    {"bcrypt cut short", "u:$2y$04$" SALT22 "abc\n", 1, "is damaged"},
    {"bcrypt cut to the scheme", "u:$2y$\n", 1, "is damaged"},
    {"bcrypt with more", "u:" B("$2y$04$") "x\n", 1, "is damaged"},
    {"something behind", "u:" B("$2y$04$") ":x\n", 1, "is damaged"},
    {"blank behind", "u:" B("$2y$04$") " \n", 1, "is damaged"},
    {"another digit", "u:$2y$04$abcdefghijk+mnopqrstuu" DIGEST31 "\n", 1, "is damaged"},
    {"bits behind the salt", "u:$2y$04$abcdefghijklmnopqrstuv" DIGEST31 "\n", 1, "is damaged"},
    {"bits behind the digest", "u:$2y$04$" SALT22 "abcdefghijklmnopqrstuvwxyzabcd9\n", 1,
     "is damaged"},
    {"yescrypt jAT", "u:" Y("jAT") "\n", 1, "costs more"},
    {"yescrypt jFT", "u:" Y("jFT") "\n", 1, "costs more"},
    {"yescrypt with other parameters", "u:" Y("j9T..") "\n", 1, "costs more"},
    {"yescrypt without a cost", "u:" Y("") "\n", 1, "is damaged"},
    {"yescrypt without a digest", "u:$y$j9T$abcdefghijklmnopqrstu/\n", 1, "is damaged"},
    {"yescrypt without a salt", "u:$y$j9T$$" DIGEST43 "\n", 1, "is damaged"},
    {"yescrypt with a salt that is no bytes", "u:$y$j9T$abc$" DIGEST43 "\n", 1, "is damaged"},
    {"yescrypt cut short", "u:$y$j9T$abcdefghijklmnopqrstu/$abc\n", 1, "is damaged"},
    {"yescrypt with more", "u:" Y("j9T") "$x\n", 1, "is damaged"},
    {"yescrypt with bits behind", "u:$y$j9T$abcdefghijklmnopqrstu/$" DIGEST43 "\b\n", 1,
     "is damaged"},
    {"twice", "u:" B("$2y$04$") "\nv:" B("$2y$04$") "\n\nu:" Y("j9T") "\n", 4, "callers:1"},
    {"twice in the end", "u:" B("$2y$04$") "\nu:" B("$2y$04$"), 2,
     "user `u` appears a second time"},
};

TEST(what_is_wrong_is_told_with_its_line)
{
    for (size_t i = 0; i < ARRAY_LEN(flaws); i++) {
        const char *path = test_file("callers", flaws[i].text);
        char *where = flaws[i].line == 0 ? mem_format("%s: ", path)
                                         : mem_format("%s:%d: ", path, flaws[i].line);
        struct callers *c = NULL;
        struct diag why = {""};
        CHECK_INT(callers_load(path, &c, &why), ST_BAD_INPUT, flaws[i].name);
        CHECK_MSG(c == NULL && strncmp(why.text, where, strlen(where)) == 0, "%s", why.text);
        CHECK_CONTAINS(why.text, flaws[i].says);
        CHECK_CONTAINS(why.text, "; ");
        CHECK_MSG(strstr(why.text, "secret") == NULL, "it could be a password");
        free(where);
    }
}

TEST(other_kinds_of_hashes_are_told_their_cure)
{
    struct callers *c;
    struct diag why;
    const char *path = test_file("callers", "sfadmin@ACME:$apr1$x$y\n");
    char *cure =
        mem_format("; set the password again with `htpasswd -B -C 10 %s 'sfadmin@ACME'`", path);

    CHECK_INT(callers_load(path, &c, &why), ST_BAD_INPUT, "");
    CHECK_CONTAINS(why.text, cure);
    free(cure);
}

TEST(users_of_other_companies_are_found)
{
    static const struct {
        const char *text;
        int line;
    } cases[] = {
        {"u:" B("$2y$04$") "\nu@ACME:" B("$2y$04$") "\nu@:" B("$2y$04$") "\n", 0},
        {"u@ACME:" B("$2y$04$") "\nu@acme:" B("$2y$04$") "\n", 2},
        {"\nu@ACME@GLOBEX:" B("$2y$04$") "\n", 2},
        {"u@GLOBEX@ACME:" B("$2y$04$") "\n", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct callers *c = load(cases[i].text);
        CHECK_INT(callers_stranger(c, "ACME"), cases[i].line, cases[i].text);
        callers_free(c);
    }
}
