#include "sf/cause.h"

#include <ctype.h>
#include <stdio.h>

#include "base/mem.h"
#include "test.h"

#define JSON "application/json"
#define HTML "text/html"
#define XML  "application/xml"

/* The shapes of KBA 3333286, 2524436, 2545055, 3419621, 2161058. */
#define GATE(details)                                                                              \
    "{\"error\":{\"code\":\"AuthenticationFailed\",\"message\":\"Authentication service failed "   \
    "to return token.\",\"details\":\"" details "\"}}"
#define ODATA(value)                                                                               \
    "{\"error\":{\"code\":\"COE_GENERAL_BAD_REQUEST\",\"message\":{\"lang\":\"en-US\","            \
    "\"value\":\"" value "\"}}}"
#define ATOM(message)                                                                              \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><error xmlns=\"http://schemas.microsoft.com/ado/"   \
    "2007/08/dataservices/metadata\"><code>x</code><message xml:lang=\"en-US\">" message           \
    "</message></error>"
#define SFAPI(code, message)                                                                       \
    "<error><errorCode>" code "</errorCode><errorMessage>" message "</errorMessage></error>"
#define PAGE(title)                                                                                \
    "<html>\r\n<head><title>" title "</title></head>\r\n<body>\r\n<center><h1>x</h1></center>\r\n" \
    "<hr><center>server</center>\r\n</body>\r\n</html>\r\n"

static const struct {
    int status;
    const char *type, *content, *code, *raw; /* code NULL: no cause */
} answers[] = {
    /* the gate */
    {401, JSON, GATE("[AUTH0032]Invalid client certificate"), "auth0032", "AUTH0032"},
    {403, JSON, GATE("[AUTH0032]Invalid client certificate"), "auth0032", "AUTH0032"},
    {401, JSON, GATE("[AUTH0031]Something"), "auth-unknown", "AUTH0031"},
    {401, JSON, GATE("[AUTH003]x"), NULL, ""},
    {401, JSON, GATE("[AUTH00321]x"), NULL, ""},
    {401, JSON, GATE("AUTH0032"), NULL, ""},
    {200, JSON, GATE("[AUTH0032]Invalid client certificate"), NULL, ""},
    {401, "text/plain", GATE("[AUTH0032]Invalid client certificate"), NULL, ""},
    {401, "", GATE("[AUTH0032]Invalid client certificate"), NULL, ""},

    /* the edge */
    {400, HTML, PAGE("400 The SSL certificate error"), "edge-certificate-error", ""},
    {400, HTML, PAGE("400 No required SSL certificate was sent"), "edge-no-certificate", ""},
    {400, HTML, "<h1>400 The SSL certificate error</h1>", "edge-certificate-error", ""},
    {403, HTML, PAGE("400 The SSL certificate error"), NULL, ""},
    {400, HTML, "<p>SSL certificate error</p>", NULL, ""},
    {400, JSON, ODATA("SSL certificate error"), NULL, ""},

    /* the login */
    {404, JSON, ODATA("[LGN0001]Invalid endpoint"), "lgn0001", "LGN0001"},
    {403, JSON, ODATA("[LGN0002]User doesn't have the OData Admin access permission."), "lgn0002",
     "LGN0002"},
    {403, XML, ATOM("[LGN0002]User doesn't have the OData Admin access permission."), "lgn0002",
     "LGN0002"},
    {401, JSON, ODATA("[LGN0003]Authentication information is missing. Please use OAuth 2.0."),
     "lgn0003", "LGN0003"},
    {403, JSON, ODATA("[LGN0003]Authentication credentials are require."), "lgn0003", "LGN0003"},
    {403, JSON, "{\"error\":{\"code\":\"LGN0003\",\"message\":\"x\"}}", "lgn0003", "LGN0003"},
    {403, JSON, ODATA("[LGN0004]Accessing OData API on non-API servers is forbidden"), "lgn0004",
     "LGN0004"},
    {403, JSON, ODATA("[LGN0005]x"), "lgn0005", "LGN0005"},
    {403, JSON, ODATA("[LGN0006]x"), "lgn0006", "LGN0006"},
    {403, JSON, ODATA("[LGN0007]The token is invalid"), "lgn0007", "LGN0007"},
    {403, JSON, ODATA("[LGN0008]Company [x] not found."), "lgn0008", "LGN0008"},
    {403, JSON, ODATA("Company [x] not found [LGN0008]"), "lgn0008", "LGN0008"},
    {403, JSON, ODATA("[LGN0009]x"), "lgn0009", "LGN0009"},
    {403, JSON, ODATA("[LGN0010]x"), "lgn0010", "LGN0010"},
    {401, JSON, ODATA("[LGN0013]prevented login from unauthorized ip"), "lgn0013", "LGN0013"},
    {401, JSON, ODATA("[LGN0015]incorrect username or password"), "lgn0015", "LGN0015"},
    {401, JSON, ODATA("[LGN0022]access token is either rejected or expired"), "lgn0022", "LGN0022"},
    {403, JSON, ODATA("[LGN0011]x"), "lgn-unknown", "LGN0011"},
    {403, HTML, PAGE("[LGN0011]"), "lgn-unknown", "LGN0011"},
    {302, JSON, ODATA("[LGN0002]x"), NULL, ""},

    /* the SFAPI, OAuth */
    {500, "text/xml", SFAPI("FAILED_AUTHENTICATION", "x (status code = 8)"),
     "sfapi-address-refused", ""},
    {500, "text/xml", SFAPI("FAILED_AUTHENTICATION", "x (status code = 4)"), "sfapi-login-failed",
     ""},
    {500, "text/xml", SFAPI("INVALID_SESSION", "Invalid SFAPI session"), "sfapi-session-lost", ""},
    {500, "text/xml", SFAPI("INVALID_SESSION2", "x"), NULL, ""},
    {500, "text/xml", SFAPI("x", "INVALID_SESSION"), NULL, ""},
    {401, JSON,
     "{\"errorHttpCode\":\"401\",\"errorMessage\":\"Unable to authenticate the client (Login "
     "failed - invalid user)\"}",
     "oauth-client-refused", ""},

    /* what a caller may have asked for wrongly, and what it may have had quoted */
    {500, JSON, ODATA("OData metadata is being generated for company x in another thread"),
     "metadata-generating", ""},
    {400, JSON, ODATA("The request count exceeds the maximum request count allowed : 180"),
     "batch-too-large", ""},
    {400, JSON, ODATA("Upsert content exceeds the limitation, the maximum size is 1000"),
     "upsert-too-large", ""},
    {400, JSON, ODATA("[COE0019]x"), NULL, ""},
    {404, JSON,
     "{\"error\":{\"code\":\"NotFound\",\"message\":\"m\",\"details\":[{\"code\":\"COE0028\","
     "\"message\":\"[LGN0002]\"}]}}",
     NULL, ""},
    {400, JSON, "{\"d\":{\"message\":\"[LGN0002]\"}}", NULL, ""},
    {404, HTML, "<p>[LGN0002]</p>", NULL, ""},

    /* by status */
    {429, "", "", "too-many-requests", ""},
    {429, JSON, ODATA("x"), "too-many-requests", ""},
    {503, HTML, PAGE("Planned Maintenance"), "server-maintenance", ""},
    {503, HTML, "<h2>We are down for maintenance</h2>", "server-maintenance", ""},
    {503, HTML, "<p>maintenance</p>", "server-unavailable", ""},
    {503, "", "", "server-unavailable", ""},
    {502, HTML, PAGE("We're Sorry"), "server-bad-gateway", ""},
    {504, HTML, "<h1>We're Sorry...</h1>", "server-gateway-timeout", ""},
    {503, JSON, ODATA("[LGN0002]x"), "lgn0002", "LGN0002"},
    {500, "", "", NULL, ""},
    {401, "", "", NULL, ""},
};

TEST(answers_have_causes)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        const struct cause_answer a = {answers[i].status, slice_of(answers[i].type),
                                       slice_of(answers[i].content)};
        struct cause_found found;
        const struct cause *c = cause_of_answer(&a, &found);
        CHECK_TEXT(c == NULL ? NULL : c->code, answers[i].code, answers[i].content);
        CHECK_TEXT(found.raw, answers[i].raw, answers[i].content);
    }
}

TEST(the_first_4_kib_count)
{
    char *pad = mem_format("{\"x\":\"%4096d\",%s", 1, ODATA("[LGN0002]") + 1);
    const struct cause_answer a = {403, SLICE(JSON), slice_of(pad)};
    struct cause_found found;

    CHECK(cause_of_answer(&a, &found) == NULL);
    free(pad);
}

TEST(an_unknown_code_is_named)
{
    const struct cause_answer a = {403, SLICE(JSON), slice_of(ODATA("[LGN0011]"))};
    struct cause_found found;
    struct buf b = {0};

    cause_sentence(&b, cause_of_answer(&a, &found), &found);
    buf_add(&b, "", 1);
    CHECK_TEXT(b.p,
               "SuccessFactors refuses the login: it answered [LGN0011], which sfmtls does not "
               "know.",
               "sentence");
    buf_free(&b);
}

static const struct {
    const char *name;
    enum fail id;
    struct cause_evidence e;
    const char *code; /* NULL: the failure's own row says it */
} failures[] = {
    {"nothing known", FAIL_NAME_NOT_FOUND, {0}, NULL},
    {"mistyped", FAIL_NAME_NOT_FOUND, {.is_mistyped = true}, "server-mistyped"},
    {"mistyped, found", FAIL_CONNECT_REFUSED, {.is_mistyped = true}, NULL},
    {"connect-to",
     FAIL_NAME_NOT_FOUND,
     {.has_connect_to = true, .is_mistyped = true},
     "connect-to-unreachable"},
    {"connect-to", FAIL_CONNECT_REFUSED, {.has_connect_to = true}, "connect-to-unreachable"},
    {"connect-to", FAIL_CONNECT_TIMEOUT, {.has_connect_to = true}, "connect-to-unreachable"},
    {"connect-to, reached", FAIL_TLS, {.has_connect_to = true}, NULL},
    {"plain", FAIL_TLS, {.talk = TALK_NOT_TLS}, "server-not-tls"},
    {"HTTP/2 only", FAIL_TLS, {.alert = 120}, "server-http2-only"},
    {"TLS 1.1", FAIL_TLS, {.talk = TALK_OLD_VERSION}, "server-tls-too-old"},
    {"self-signed",
     FAIL_SERVER_UNTRUSTED,
     {.chain = CHAIN_SELF_SIGNED},
     "server-certificate-self-signed"},
    {"self-signed for SF",
     FAIL_SERVER_UNTRUSTED,
     {.chain = CHAIN_SELF_SIGNED, .is_sf = true},
     "tls-inspected"},
    {"unknown", FAIL_SERVER_UNTRUSTED, {.chain = CHAIN_UNKNOWN}, "server-issuer-unknown"},
    {"unknown for SF",
     FAIL_SERVER_UNTRUSTED,
     {.chain = CHAIN_UNKNOWN, .is_sf = true},
     "tls-inspected"},
    {"wrong ca-file",
     FAIL_SERVER_UNTRUSTED,
     {.chain = CHAIN_UNKNOWN, .is_sf = true, .has_ca_file = true},
     "ca-file-lacks-issuer"},
    {"no intermediate",
     FAIL_SERVER_UNTRUSTED,
     {.chain = CHAIN_LACKS_ONE, .is_sf = true},
     "server-chain-incomplete"},
    {"another flaw", FAIL_SERVER_UNTRUSTED, {0}, NULL},
    {"expired", FAIL_SERVER_EXPIRED, {0}, NULL},
    {"not yet valid",
     FAIL_SERVER_EXPIRED,
     {.chain = CHAIN_NOT_YET_VALID},
     "server-certificate-not-yet-valid"},
    {"never asked", FAIL_CERTIFICATE_NOT_REQUESTED, {0}, NULL},
    {"never asked by SF", FAIL_CERTIFICATE_NOT_REQUESTED, {.is_sf = true}, "tls-inspected"},
    {"revoked",
     FAIL_CERTIFICATE_REFUSED,
     {.alert = 44, .own_chain_is_short = true},
     "client-certificate-revoked"},
    {"expired there",
     FAIL_CERTIFICATE_REFUSED,
     {.alert = 45},
     "client-certificate-expired-at-server"},
    {"short",
     FAIL_CERTIFICATE_REFUSED,
     {.alert = 48, .own_chain_is_short = true, .ca_is_not_wanted = true},
     "client-chain-incomplete"},
    {"not wanted",
     FAIL_CERTIFICATE_REFUSED,
     {.alert = 48, .ca_is_not_wanted = true},
     "client-ca-not-accepted"},
    {"by an answer",
     FAIL_CERTIFICATE_REFUSED,
     {.ca_is_not_wanted = true},
     "client-ca-not-accepted"},
    {"denied", FAIL_CERTIFICATE_REFUSED, {.alert = 49, .ca_is_not_wanted = true}, NULL},
    {"unknown_ca", FAIL_CERTIFICATE_REFUSED, {.alert = 48}, NULL},
};

TEST(failures_have_causes)
{
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        const struct cause *c = cause_of_failure(failures[i].id, &failures[i].e);
        CHECK_TEXT(c == NULL ? NULL : c->code, failures[i].code, failures[i].name);
    }
}

TEST(an_edge_page_is_told_apart_by_evidence)
{
    const struct cause *page = cause_of(CAUSE_EDGE_CERTIFICATE_ERROR);
    const struct cause_evidence none = {0}, other = {.ca_is_not_wanted = true},
                                alone = {.own_chain_is_short = true};

    CHECK(cause_sharpen(page, &none) == page);
    CHECK(cause_sharpen(page, &other) == cause_of(CAUSE_OWN_CA_NOT_WANTED));
    CHECK(cause_sharpen(page, &alone) == cause_of(CAUSE_OWN_CHAIN_INCOMPLETE));
    CHECK(cause_sharpen(cause_of(CAUSE_AUTH0032), &other) == cause_of(CAUSE_AUTH0032));
}

TEST(a_refined_failure_has_code_and_cure_of_its_cause)
{
    struct failure f;

    failure_set(&f, FAIL_SERVER_UNTRUSTED, "x");
    cause_refine(&f, NULL);
    CHECK_TEXT(failure_code(&f), "server-certificate-untrusted", "code");
    CHECK_TEXT(failure_cure(&f), fail_info(FAIL_SERVER_UNTRUSTED)->cure, "cure");
    cause_refine(&f, cause_of(CAUSE_SERVER_SELF_SIGNED));
    CHECK_TEXT(failure_code(&f), "server-certificate-self-signed", "code");
    CHECK_TEXT(failure_cure(&f), cause_of(CAUSE_SERVER_SELF_SIGNED)->cure, "cure");
    CHECK_TEXT(f.detail.text, "x", "detail");
    failure_plain(&f, FAIL_SERVER_EXPIRED);
    CHECK_TEXT(failure_code(&f), "server-certificate-expired", "code");
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isprint((unsigned char)*text))
            return false;
    return true;
}

/* A hint has code, sentence and cure in less than 1 KiB, with room for what the process knows. */
TEST(rows_are_whole)
{
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        const struct cause *c = cause_of((enum cause_id)i);
        CHECK(c->code != NULL && c->known_by != NULL && c->source != NULL);
        CHECK(cause_find(c->code) == c && cause_id(c) == (enum cause_id)i);
        CHECK_MSG(is_printable(c->sentence) && is_printable(c->cure), "%s", c->code);
        CHECK_MSG(strlen(c->sentence) + strlen(c->cure) < 600, "%s", c->code);
        CHECK_MSG(c->sentence[strlen(c->sentence) - 1] == '.', "%s", c->code);
        CHECK_MSG(c->cure[strlen(c->cure) - 1] == '.', "%s", c->code);
        CHECK(*cause_where_text(c->where) != '\0');
        for (int f = 0; f < FAIL_COUNT; f++)
            CHECK_MSG(strcmp(fail_info((enum fail)f)->token, c->code) != 0, "%s", c->code);
    }
}
