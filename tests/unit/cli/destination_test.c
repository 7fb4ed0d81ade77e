/* The three forms of an export as properties. The rows of Java's form are from the documentation of
 * java.util.Properties.load(). */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/destination.h"
#include "test.h"

/* What is read, as "line key=value" (secrets: "key!"), destinations behind "---". */
static char *shown(struct slice text)
{
    struct destinations all = {0};
    struct diag why;
    struct buf out = {0};

    if (destinations_read("f", text, &all, &why) != ST_OK) {
        CHECK(all.all == NULL && all.tree == NULL);
        return mem_copy_string(why.text);
    }
    for (size_t i = 0; i < all.count; i++) {
        buf_add_string(&out, i == 0 ? "" : "---\n");
        for (size_t k = 0; k < all.all[i].count; k++) {
            const struct property *p = &all.all[i].properties[k];
            buf_addf(&out, "%d %s%s%s\n", p->line, p->key,
                     p->secret          ? (p->given ? "!" : "?")
                     : p->value == NULL ? "*"
                                        : "=",
                     p->value == NULL ? "" : p->value);
        }
    }
    char *result = mem_copy_bytes(out.p, out.n);
    buf_free(&out);
    destinations_free(&all);
    return result;
}

static void check(const char *text, size_t n, const char *want)
{
    char *copy = mem_copy_bytes(text, n); /* of exactly that size, for the sanitizer */
    char *got = shown((struct slice){copy, n});

    CHECK_TEXT(got, want, text);
    free(got);
    free(copy);
}

/* clang-format off */
#define ROW(text, want) {text, sizeof(text) - 1, want}
/* clang-format on */

static const struct {
    const char *text;
    size_t n;
    const char *want;
} java[] = {
    ROW("URL=x", "1 URL=x\n"),
    ROW("URL=x\n", "1 URL=x\n"),
    ROW("URL=x\r\nA=b\r\n", "1 URL=x\n2 A=b\n"),
    ROW("URL=x\rA=b\r\rB=c", "1 URL=x\n2 A=b\n4 B=c\n"),
    ROW("\xef\xbb\xbfURL=x\n", "1 URL=x\n"),
    ROW("\n\n  \t\f\n URL = x \nA=", "4 URL=x \n5 A=\n"), /* blanks at the end belong to it */
    ROW("URL x\nA:b\nB\tc\nC = d\nD : e\nE\f=\ff", "1 URL=x\n2 A=b\n3 B=c\n4 C=d\n5 D=e\n6 E=f\n"),
    ROW("URL==x\nA=:b\nB = = c\nC:=d", "1 URL==x\n2 A=:b\n3 B== c\n4 C==d\n"),
    ROW("URL\nA", "1 URL=\n2 A=\n"),
    ROW("URL=https\\://h\\:443/a\\=b\\#c\\!d", "1 URL=https://h:443/a=b#c!d\n"),
    ROW("URL=x\na\\ b\\:c\\=d=e", "1 URL=x\n2 a b:c=d=e\n"),
    ROW("URL=a\\tb\\fc", "1 URL=a\tb\fc\n"),
    ROW("URL=a\\nb\\rc", "1 URL=a\nb\rc\n"),
    ROW("URL=\\z\\\\\\'\\\"", "1 URL=z\\'\"\n"),
    ROW("URL=\\u0041\\u00e4\\u20AC", "1 URL=A\xc3\xa4\xe2\x82\xac\n"),
    ROW("URL=\\ud83d\\ude00!", "1 URL=\xf0\x9f\x98\x80!\n"),
    ROW("\\u0055RL=x", "1 URL=x\n"),
    ROW("URL=a,\\\n    b,\\\r\n\tc\nA=d", "1 URL=a,b,c\n4 A=d\n"),
    ROW("URL=a\\\\\nA=b", "1 URL=a\\\n2 A=b\n"), /* an escaped backslash continues nothing */
    ROW("URL=a\\\\\\\nb", "1 URL=a\\b\n"),
    ROW("URL=a\\\n\nA=b", "1 URL=a\n3 A=b\n"),
    ROW("URL=a\\\n#b\nA=c", "1 URL=a#b\n3 A=c\n"),
    ROW("URL=a\\", "1 URL=a\n"),
    ROW("UR\\\nL=a", "1 URL=a\n"),
    ROW("URL=a\n\\", "1 URL=a\n"),
    ROW("\\\n\\\n\nURL=a", "4 URL=a\n"),
    ROW("#a=b\n!c=d\n  # e\nURL=x#y", "4 URL=x#y\n"),
    ROW("# a \\\nURL=x", "2 URL=x\n"), /* a comment is not continued */
    ROW("URL=\xe4", "1 URL=\xe4\n"),
    ROW("[x]y=z", "f:1: this is not valid JSON: invalid token; export it again"),

    ROW("#Password=<< Existing password/certificate removed on export >>\nURL=x",
        "1 Password?\n2 URL=x\n"),
    ROW("#Password=<< removed >>\nPassword=x\nURL=y", "2 Password!\n3 URL=y\n"),
    ROW("URL=y\nPassword=x\n#password=<< removed >>", "1 URL=y\n2 Password!\n"),
    ROW("Password=\nURL=x", "1 Password?\n2 URL=x\n"),
    ROW("URL=x\nclientSecret=<< Existing >>\nURL.headers.Authorization=b",
        "1 URL=x\n2 clientSecret?\n3 URL.headers.Authorization!\n"),
    ROW("URL=x\ntokenServiceURL=y\nX-Token=z\ntokenServicePassword=p",
        "1 URL=x\n2 tokenServiceURL=y\n3 X-Token!\n4 tokenServicePassword!\n"),

    ROW("URL=x\nA=1\nA=2", "f:3: `A` appears a second time (first in line 2); keep one of them"),
    ROW("URL=x\nurl=y", "f:2: `URL` appears a second time (first in line 1); keep one of them"),
    ROW("URL=\\u12", "f:1: \\u lacks its four hexadecimal digits; write as in \\u00e4"),
    ROW("URL=x\nA=\\uZZZZ", "f:2: \\u lacks its four hexadecimal digits; write as in \\u00e4"),
    ROW("URL=\\ud83dx", "f:1: \\u names half a character (a surrogate); write both halves"),
    ROW("URL=\\ude00\\ud83d", "f:1: \\u names half a character (a surrogate); write both halves"),
    ROW("URL=\\ud83d\\u0041", "f:1: \\u names half a character (a surrogate); write both halves"),
    ROW("URL=a\\u0000b", "f:1: a value contains a NUL character; take it out"),
    ROW("a\\u0000b=c\nURL=x", "f:1: a name contains a NUL character; take it out"),
    ROW("URL=x\n=y", "f:2: a name is missing before `=`; write NAME=VALUE"),
};

TEST(java_properties)
{
    for (size_t i = 0; i < ARRAY_LEN(java); i++)
        check(java[i].text, java[i].n, java[i].want);
}

static const struct {
    const char *text;
    size_t n;
    const char *want;
} json[] = {
    ROW("{\"URL\":\"x\",\"A\":\"b\"}", "0 URL=x\n0 A=b\n"),
    ROW("\xef\xbb\xbf \r\n\t{\"URL\":\"x\"}\n", "0 URL=x\n"),
    ROW("{\"URL\":\"x\",\"A\":1,\"B\":true,\"C\":false,\"D\":null,\"E\":1.5,\"F\":[1],\"G\":[]}",
        "0 URL=x\n0 A=1\n0 B=true\n0 C=false\n0 E=1.5\n0 F*\n0 G*\n"),
    ROW("{\"URL\":\"a\\nb\\u00e4\\ud83d\\ude00\\/\"}", "0 URL=a\nb\xc3\xa4\xf0\x9f\x98\x80/\n"),
    ROW("[{\"URL\":\"x\"},{\"URL\":\"y\"},{\"z\":1},7]", "0 URL=x\n---\n0 URL=y\n"),
    ROW("{\"destinations\":[{\"URL\":\"x\"}]}", "0 URL=x\n"),
    ROW("{\"init_data\":{\"instance\":{\"destinations\":[{\"Name\":\"n\",\"Type\":\"MAIL\"}]}}}",
        "0 Name=n\n0 Type=MAIL\n"),
    ROW("{\"owner\":{\"SubaccountId\":\"s\"},\"destinationConfiguration\":{\"URL\":\"x\","
        "\"KeyStorePassword\":\"p\"},\"certificates\":[{\"Name\":\"n\",\"Type\":\"CERTIFICATE\","
        "\"Content\":\"c\"}],\"authTokens\":[{\"type\":\"t\",\"value\":\"v\"}]}",
        "0 URL=x\n0 KeyStorePassword!\n"),
    ROW("{\"URL.headers\":{\"X\":\"y\",\"Cookie\":\"z\"},\"URL\":\"x\"}",
        "0 URL.headers.X=y\n0 URL.headers.Cookie!\n0 URL=x\n"),
    ROW("{\"URL\":\"x\",\"Password\":{\"a\":\"b\"}}", "0 URL=x\n0 Password.a!\n"),
    ROW("{\"URL\":{\"headers\":{\"X\":\"y\"}}}", "0 URL.headers.X=y\n"),

    ROW("{\"URL\":\"x\",\n\"Password\":\"hidden\" oops}",
        "f:2: this is not valid JSON: '}' expected; export it again"),
    ROW("{\"URL\":\"x\",\n\"Password\":\"a\",\"Password\":\"b\"}",
        "f:2: this is not valid JSON: duplicate object key; export it again"),
    ROW("{\"URL\":\"x\",\"url\":\"y\"}", "f: `URL` appears a second time; keep one of them"),
    ROW("{\"URL\":\"a\\u0000b\"}", "f:1: this is not valid JSON: \\u0000 is not allowed without "
                                   "JSON_ALLOW_NUL; export it again"),
    ROW("{", "f:1: this is not valid JSON: string or '}' expected; export it again"),
    ROW("[]",
        "f: it holds no destination: none has a URL, or a Name and a Type; name a destination "
        "exported from BTP"),
    ROW("{\"Name\":\"x\"}",
        "f: it holds no destination: none has a URL, or a Name and a Type; name a destination "
        "exported from BTP"),
};

TEST(json_texts)
{
    for (size_t i = 0; i < ARRAY_LEN(json); i++)
        check(json[i].text, json[i].n, json[i].want);
}

static const struct {
    const char *text;
    size_t n;
    const char *want;
} yaml[] = {
    ROW("URL: x\nA: b", "1 URL=x\n2 A=b\n"),
    ROW("---\nURL: x\r\nA: b\r\n...\n", "2 URL=x\n3 A=b\n"),
    ROW("# c\n\n\"URL\": 'x'' y' # d\nA: \"b\\tc\"", "3 URL=x' y\n4 A=b\tc\n"),
    ROW("\xef\xbb\xbfURL: https://h:443/\n", "1 URL=https://h:443/\n"),
    ROW("URL: x\nA: 0123\nB: yes\nC: ~\nD:\nE: ''\nF: null", "1 URL=x\n2 A=0123\n3 B=yes\n6 E=\n"),
    ROW("URL: x\nA: |\n  b\n  c\nD: >-\n  e\n  f\n", "1 URL=x\n2 A=b\nc\n\n5 D=e f\n"),
    ROW("- URL: x\n- URL: y\n  A: b\n", "1 URL=x\n---\n2 URL=y\n3 A=b\n"),
    ROW("-\n  URL: x\n", "2 URL=x\n"),
    ROW("---\nURL: x\n---\nURL: y\n", "2 URL=x\n---\n4 URL=y\n"),
    ROW("destinationConfiguration:\n  URL: x\n  Password: p\nowner: {}\n",
        "2 URL=x\n3 Password!\n"),
    ROW("URL: x\nURL.headers:\n  X: y\n", "1 URL=x\n3 URL.headers.X=y\n"),
    ROW("URL : x\nA : b\n", "1 URL=x\n2 A=b\n"),
    ROW("URL: x\nPassword: ~\npassword: p\n", "1 URL=x\n3 password!\n"),
    ROW("URL: x\nA: ~\nA: {b: c}\n", "1 URL=x\n3 A.b=c\n"),
    ROW("URL: x\nA: [b, {c: d}]\n", "1 URL=x\n2 A*\n"),

    ROW("URL: x\nA: 1\nA: 2", "f:3: `A` appears a second time (first in line 2); keep one of them"),
    ROW("URL: &a x\nA: *a", "f:2: an alias (*NAME) is not read; write out what it stands for"),
    ROW("A: &a [*a]", "f:1: an alias (*NAME) is not read; write out what it stands for"),
    ROW("URL: x\n? [a]\n: b", "f:2: a name is not plain text; write NAME: VALUE"),
    ROW("URL: x\n  A: b", "f:2: this is not valid YAML: mapping values are not allowed in this "
                          "context; export it again"),
    ROW("URL: x\nA: \"b\nC: d\n",
        "f:4: this is not valid YAML: found unexpected end of stream; export it again"),
    ROW("URL: \"a\\0b\"", "f:1: a value contains a NUL character; take it out"),
    ROW("URL: \xff", "f: this is not valid YAML: invalid leading UTF-8 octet; export it again"),
    ROW("- a\n- b", "f: it holds no destination: none has a URL, or a Name and a Type; name a "
                    "destination exported from BTP"),
};

TEST(yaml_texts)
{
    for (size_t i = 0; i < ARRAY_LEN(yaml); i++)
        check(yaml[i].text, yaml[i].n, yaml[i].want);
}

static const struct {
    const char *text;
    size_t n;
    const char *want;
} mistakes[] = {
    ROW("", "f: it is empty; name a destination exported from BTP"),
    ROW("\n \r\n# only a comment\n", "f: it is empty; name a destination exported from BTP"),
    ROW("PK\003\004abc", "f: it is an archive, as BTP exports several destinations; unpack it and "
                         "name a file of it"),
    ROW("\xff\xfeU\0R\0L\0", "f: it is UTF-16; save it as UTF-8"),
    ROW("URL=a\0b", "f: it is not text; name a destination exported from BTP"),
    ROW("-----BEGIN CERTIFICATE-----\nabc\n", "f: it is a certificate or key, which belongs into "
                                              "`certificate` of a [tenant NAME] section; "
                                              "name a destination exported from BTP"),
    ROW("just some words\n",
        "f: it holds no destination: none has a URL, or a Name and a Type; name a destination "
        "exported from BTP"),
};

TEST(what_is_no_export)
{
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++)
        check(mistakes[i].text, mistakes[i].n, mistakes[i].want);
}

static char *repeated(const char *part, size_t times, const char *end)
{
    struct buf b = {0};

    for (size_t i = 0; i < times; i++)
        buf_add_string(&b, part);
    buf_add_string(&b, end);
    buf_add(&b, "", 1);
    return b.p;
}

TEST(depth_and_numbers_are_bounded)
{
    static const struct {
        const char *part, *want;
    } cases[] = {
        {"[", "not valid JSON"},   {"{\"a\":", "not valid JSON"}, {"- ", "nested too deep"},
        {"- [", "not valid YAML"}, {"a: {b: ", "not valid YAML"}, {"- {a: ", "not valid YAML"},
        {"x\n", "a second time"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = repeated(cases[i].part, 100000, "");
        char *got = shown(slice_of(text));
        CHECK_CONTAINS(got, cases[i].want);
        free(got);
        free(text);
    }
    char *deep = repeated("[", 100, "");
    struct buf closed = {0};
    buf_add_string(&closed, deep);
    for (int i = 0; i < 100; i++)
        buf_add_string(&closed, "]");
    char *got = shown(buf_slice(&closed));
    CHECK_TEXT(got, "f: it is nested too deep; name an export of BTP", "100 lists");
    free(got);
    free(deep);
    buf_free(&closed);
}

TEST(many_properties_are_refused_quickly)
{
    struct buf b = {0};

    for (int i = 0; i < 100000; i++)
        buf_addf(&b, "k%d=v\n", i);
    char *got = shown(buf_slice(&b));
    CHECK_CONTAINS(got, "f:1001: there are more than 1000 things in one");
    free(got);
    buf_free(&b);
}

TEST(properties_are_found_whatever_their_case)
{
    struct destinations all = {0};
    struct diag why;

    CHECK(destinations_read("f", SLICE("uRl=x\n"), &all, &why) == ST_OK);
    CHECK(destination_find(&all.all[0], "URL") != NULL);
    CHECK(destination_find(&all.all[0], "URLs") == NULL);
    destinations_free(&all);
    CHECK(all.all == NULL && all.tree == NULL && all.count == 0);
}
