/* What is asked of BTP, and what is read of its answers. */
#include "btp/answer.h"

#include "btp/ask.h"
#include "test.h"

TEST(token_is_taken_only_if_it_fits_a_field)
{
    static const struct {
        const char *json, *token; /* NULL: none */
    } cases[] = {
        {"{\"access_token\":\"a.b-c\"}", "a.b-c"},
        {"{\"access_token\":\"a\\r\\nX: y\"}", NULL},
        {"{\"access_token\":\"\"}", NULL},
        {"{\"access_token\":1}", NULL},
        {"{\"token\":\"a\"}", NULL},
        {"[]", NULL},
        {"{\"access_token\":\"a", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf token = {0};
        CHECK_INT(answer_read_token(slice_of(cases[i].json), &token), cases[i].token != NULL,
                  cases[i].json);
        if (cases[i].token != NULL)
            CHECK(slice_eq(buf_slice(&token), slice_of(cases[i].token)));
        buf_free(&token);
    }
}

TEST(certificate_is_found_under_either_spelling)
{
    static const struct {
        const char *json, *content;
    } cases[] = {
        {"{\"Name\":\"a.pem\",\"Content\":\"aGVsbG8=\",\"Type\":null}", "hello"},
        {"{\"type\":\"CERTIFICATE\",\"content\":\"aGVsbG8h\",\"name\":\"a.pem\"}", "hello!"},
        {"{\"Name\":\"a.pem\",\"Content\":\"aA==\"}", "h"},
        {"{\"Name\":\"b.pem\",\"Content\":\"aGVsbG8=\"}", NULL},
        {"{\"Name\":\"a.pem\",\"Content\":\"aGVsbG8\"}", NULL},
        {"{\"Name\":\"a.pem\",\"Content\":\"aGVsbG8\\n\"}", NULL},
        {"{\"Name\":\"a.pem\",\"Content\":\"a===\"}", NULL},
        {"{\"Name\":\"a.pem\",\"Content\":\"\"}", NULL},
        {"{\"Name\":\"a.pem\",\"Content\":\"\\u0000AAA\"}", NULL},
        {"{\"Name\":\"a.pem\"}", NULL},
        {"[{\"Name\":\"a.pem\",\"Content\":\"aA==\"}]", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf content = {0};
        CHECK_INT(answer_read_certificate(slice_of(cases[i].json), "a.pem", &content),
                  cases[i].content != NULL, cases[i].json);
        if (cases[i].content != NULL)
            CHECK(slice_eq(buf_slice(&content), slice_of(cases[i].content)));
        buf_free(&content);
    }
}

TEST(nearest_names)
{
    struct buf out = {0};

    answer_write_nearest(
        SLICE("[{\"Name\":\"zzzzzzzzz\"},{\"Name\":\"acme.pen\"},{\"Name\":\"x\\ny\"},"
              "{\"Name\":\"acme.p12\"},{\"Name\":\"Acme.pem\"},7,{}]"),
        "acme.pem", &out);
    CHECK(slice_eq(buf_slice(&out), SLICE("acme.pen, Acme.pem, acme.p12")));
    buf_free(&out);
    answer_write_nearest(SLICE("{}"), "acme.pem", &out);
    CHECK(out.n == 0);
}

TEST(java_stores)
{
    CHECK(answer_is_java_store(SLICE("\xfe\xed\xfe\xed....")));
    CHECK(answer_is_java_store(SLICE("\xce\xce\xce\xce....")));
    CHECK(!answer_is_java_store(SLICE("-----BEGIN")));
    CHECK(!answer_is_java_store(SLICE("\xfe\xed")));
}

TEST(spans_and_names)
{
    struct validity_span s;

    CHECK(ask_parse_span("12m", &s) && s.unit == SPAN_MONTHS && s.value == 12);
    CHECK(ask_parse_span("30d", &s) && s.unit == SPAN_DAYS && s.value == 30);
    CHECK(ask_parse_span("1y", &s) && s.unit == SPAN_YEARS && s.value == 1);
    static const char *const bad[] = {"", "m", "0m", "12", "-1d", "1h", "99999d", "1.5y"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_MSG(!ask_parse_span(bad[i], &s), "%s", bad[i]);
    CHECK(ask_is_name("a.pem") && !ask_is_name("") && !ask_is_name("../a") && !ask_is_name(".a") &&
          !ask_is_name("a b"));
}

TEST(what_is_sent_is_encoded)
{
    static const struct slice
        form = SLICE("grant_type=client_credentials&client_id=a%21b%7Cc&client_secret="
                     "p%2B%2F%3D%20%26"),
        url = SLICE("https://s/destination-configuration/v1/instanceCertificates/a%3Fb.pem");
    struct service_key k = {
        .client_id = "a!b|c", .client_secret = "p+/= &", .service_url = "https://s"};
    struct buf out = {0};

    ask_token_form(&out, &k);
    CHECK(slice_eq(buf_slice(&out), form));
    out.n = 0;
    ask_certificate_url(&out, &k, LEVEL_INSTANCE, "a?b.pem");
    CHECK(slice_eq(buf_slice(&out), url));
    buf_free(&out);
}
