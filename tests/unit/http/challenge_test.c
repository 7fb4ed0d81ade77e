#include "http/challenge.h"

#include "test.h"

/* As `scheme[token]{params}|...`. */
static void describe(const char *value, struct buf *out)
{
    struct slice rest = slice_of(value);
    struct challenge c;

    while (challenge_next(&rest, &c))
        buf_addf(out, "%s%.*s[%.*s]{%.*s}", out->n == 0 ? "" : "|", (int)c.scheme.n, c.scheme.p,
                 (int)c.token.n, c.token.n == 0 ? "" : c.token.p, (int)c.params.n,
                 c.params.n == 0 ? "" : c.params.p);
    buf_add(out, "", 1);
}

TEST(challenges_are_told_apart)
{
    static const struct {
        const char *value, *want;
    } cases[] = {
        {"", ""},
        {"Negotiate", "Negotiate[]{}"},
        {" , Negotiate ,, NTLM , ", "Negotiate[]{}|NTLM[]{}"},
        {"NTLM TlRMTVNTUAAC==", "NTLM[TlRMTVNTUAAC==]{}"},
        {"Negotiate YII=, Basic realm=\"x\"", "Negotiate[YII=]{}|Basic[]{realm=\"x\"}"},
        {"Basic realm=x", "Basic[]{realm=x}"},
        {"Basic realm=\"a, Digest b=\\\"c\\\"\", charset=UTF-8, NTLM",
         "Basic[]{realm=\"a, Digest b=\\\"c\\\"\", charset=UTF-8}|NTLM[]{}"},
        {"Digest realm=\"r\" , nonce = \"n\" ,qop=\"auth,auth-int\",Digest nonce=x",
         "Digest[]{realm=\"r\" , nonce = \"n\" ,qop=\"auth,auth-int\"}|Digest[]{nonce=x}"},
        {"Basic realm=\"never ends", "Basic[]{}"},
        {"Basic realm=\"x\" y, NTLM", "Basic[]{realm=\"x\"}"},
        {"Basic a=", "Basic[a=]{}"},
        {"(x)", ""},
        {"Basic realm=\"\\", "Basic[]{}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {0};
        describe(cases[i].value, &b);
        CHECK_TEXT(b.p, cases[i].want, cases[i].value);
        buf_free(&b);
    }
}

TEST(parameters_are_found_and_unquoted)
{
    struct slice rest = SLICE("Digest realm=\"a\\\"b\\\\c\", NONCE = n,stale=TRUE, empty=\"\"");
    struct challenge c;
    struct buf b = {0};

    CHECK(challenge_next(&rest, &c) && challenge_is(&c, "digest"));
    CHECK(challenge_param(&c, "Realm", &b) && slice_eq(buf_slice(&b), SLICE("a\"b\\c")));
    b.n = 0;
    CHECK(challenge_param(&c, "nonce", &b) && slice_eq(buf_slice(&b), SLICE("n")));
    b.n = 0;
    CHECK(challenge_param(&c, "empty", &b) && b.n == 0);
    CHECK(!challenge_param(&c, "opaque", &b));
    rest = SLICE("Digest realm=, nonce=n");
    CHECK(challenge_next(&rest, &c));
    CHECK(!challenge_param(&c, "realm", &b) && !challenge_param(&c, "nonce", &b));
    buf_free(&b);
}
