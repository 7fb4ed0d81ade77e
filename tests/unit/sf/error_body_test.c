#include "sf/error_body.h"

#include "base/buf.h"
#include "test.h"

/* What is found, as text: name=value, one after the other. */
static void describe(struct buf *out, const struct error_body *b)
{
    static const char *const names[ERROR_PLACES] = {"code",         "message", "value",  "details",
                                                    "errormessage", "title",   "heading"};

    out->n = 0;
    for (int i = 0; i < ERROR_PLACES; i++)
        if (b->text[i].p != NULL)
            buf_addf(out, "%s%s=%.*s", out->n == 0 ? "" : "; ", names[i], (int)b->text[i].n,
                     b->text[i].p);
}

static const struct {
    const char *type, *content, *want;
} cases[] = {
    /* the shapes that SF sends */
    {"application/json",
     "{\"error\":{\"code\":\"AuthenticationFailed\",\"message\":\"Authentication service failed to "
     "return token.\",\"details\":\"[AUTH0032]Invalid client certificate\"}}",
     "code=AuthenticationFailed; message=Authentication service failed to return token.; "
     "details=[AUTH0032]Invalid client certificate"},
    {"application/json",
     "{\"error\":{\"code\":\"NotFound\",\"message\":\"m\",\"details\":[{\"code\":\"COE0028\","
     "\"message\":\"n\"}]}}",
     "code=NotFound; message=m"},
    {"application/json",
     "{\"error\":{\"code\":\"COE_GENERAL_SERVER_FAILURE\",\"message\":{\"lang\":\"en-US\","
     "\"value\":\"[COE0019]x\"}}}",
     "code=COE_GENERAL_SERVER_FAILURE; value=[COE0019]x"},
    {"application/xml",
     "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<error xmlns=\"http://schemas.microsoft.com/ado/"
     "2007/08/dataservices/metadata\"><code>COE_GENERAL_BAD_REQUEST</code><message "
     "xml:lang=\"en-US\">a &lt;b&gt; &amp;amp;</message></error>\n",
     "code=COE_GENERAL_BAD_REQUEST; message=a <b> &amp;"},
    {"application/json",
     "{\"errorHttpCode\":\"401\",\"errorMessage\":\"Unable to authenticate the client\"}",
     "errormessage=Unable to authenticate the client"},
    {"text/xml",
     "<error><errorCode>FAILED_AUTHENTICATION</errorCode><errorMessage>(status code = "
     "8)</errorMessage></error>",
     "code=FAILED_AUTHENTICATION; errormessage=(status code = 8)"},
    {"text/html",
     "<html>\r\n<head><title>400 The SSL certificate error</title></head>\r\n<body>\r\n<center>"
     "<h1>400 Bad Request</h1></center>\r\n",
     "title=400 The SSL certificate error; heading=400 Bad Request"},
    {"text/html", "<body><h2 class='a>b'>We're <b>Sorry</b> &amp; all</h2>",
     "heading=We're Sorry & all"},

    /* texts */
    {"application/json",
     "{\"error\":{\"message\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\u20AC"
     "\\ud83d\\ude00\xc3\xa4.\"}}",
     "message=\"\\/\b\f\n\r\t\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa4."},
    {"application/json", "{\"error\":{\"message\":\"\\u0030\\u0039\\u0041\\u004f\"}}",
     "message=09AO"},
    {"application/json", "{\"error\":{\"message\":\" \\n a b \"}}", "message=a b"},
    {"application/json", "{\"error\":{\"message\":\"\",\"code\":\" \",\"details\":null}}", ""},
    {"application/xml",
     "<error><message>a<![CDATA[ <&amp;> ]]>&#x20AC;&#65;&#0;&nope;</message>"
     "</error>",
     "message=a <&amp;> \xe2\x82\xac"
     "A&#0;&nope;"},
    {"application/xml", "<error><message>&#xd7ff;&#xd800;&#xdfff;&#xe000;</message></error>",
     "message=\xed\x9f\xbf&#xd800;&#xdfff;\xee\x80\x80"},
    {"application/xml", "<m:error xmlns:m='x'><m:message>a</m:message></m:error>", "message=a"},
    {"application/xml", "<error><message><value>v</value></message></error>", "value=v"},
    {"application/xml", "<error><message>m<value>v</value>n</message></error>",
     "message=m; value=v"},
    {"application/xml", "<error><!-- <code>x</code> --><code a=\"</code>\">c</code></error>",
     "code=c"},

    /* places that are none */
    {"application/xml", "<x><error><code>c</code></error></x>", ""},
    {"application/xml", "<error><inner><code>c</code></inner></error>", ""},
    {"application/xml", "<error code=\"c\"/>", ""},
    {"application/json", "{\"code\":\"c\",\"message\":\"m\",\"x\":{\"errorMessage\":\"e\"}}", ""},
    {"text/html",
     "<p title='<h1>x</h1>'><script>'<h1>y</h1>'</script><textarea><h1>z</h1>"
     "</textarea><!-- <h1>c</h1> --><h3>h</h3><h1>i</h1>",
     "heading=h"},
    {"text/plain", "{\"error\":{\"code\":\"c\"}}", ""},

    /* what is malformed says nothing */
    {"application/xml", "<error><code>c</message></error>", ""},
    {"application/xml", "<error><code>c</code></error><error/>", ""},
    {"application/xml", "<error><code>c</code></error>x", ""},
    {"application/xml", "<error><code>c</code><code>d</code></error>", ""},
    {"application/xml", "<error><code>c</code><errorCode>d</errorCode></error>", ""},
    {"application/xml", "<!DOCTYPE error [<!ENTITY e \"x\">]><error><code>c</code></error>", ""},
    {"application/xml", "x<error><code>c</code></error>", ""},
    {"application/xml", "<error>< code>c</code></error>", ""},
    {"application/json", "{\"error\":{\"code\":\"c\"}}}", ""},
    {"application/json", "{\"error\":{\"code\":\"c\",}}", ""},

    /* what is cut off */
    {"application/json", "{\"error\":{\"code\":\"c\",\"message\":\"begun", "code=c; message=begun"},
    {"application/json", "{\"error\":{\"message\":\"m\",\"code\":\"begun", "message=m"},
    {"application/json", "{\"error\":{\"message\":\"m\\u00", "message=m"},
    {"application/json", "{\"error\":{\"message\":\"m\",\"deta", "message=m"},
    {"application/json", "{\"error\":{\"message\":\"m\",\"details\":tru", "message=m"},
    {"application/xml", "<error><code>c</code><message>begun", "code=c; message=begun"},
    {"application/xml", "<error><message>m</message><code>begun", "message=m"},
    {"application/xml", "<error><message>m</mess", "message=m"},
    {"application/xml", "<error><message>m</message><!-", "message=m"},
    {"text/html", "<title>begun", ""},
    {"text/html", "<title>t</title><h1>begun", "title=t"},
    {"text/html", "<title>t</title><h1>h</h1", "title=t"},
};

TEST(error_bodies_say_what_is_at_their_places)
{
    static struct error_body b;
    struct buf found = {0};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        error_body_read(&b, slice_of(cases[i].type), slice_of(cases[i].content));
        describe(&found, &b);
        CHECK_SLICE(buf_slice(&found), cases[i].want, cases[i].content);
    }
    buf_free(&found);
}

TEST(deep_bodies_say_nothing)
{
    static struct error_body b;
    struct buf body = {0};

    buf_add_string(&body, "{\"error\":{\"code\":\"c\",\"x\":");
    for (int i = 0; i < 2000; i++)
        buf_add_string(&body, "[");
    error_body_read(&b, SLICE("application/json"), buf_slice(&body));
    CHECK(b.text[ERROR_CODE].p == NULL);
    body.n = 0;
    buf_add_string(&body, "<error><code>c</code>");
    for (int i = 0; i < 1000; i++)
        buf_add_string(&body, "<x>");
    error_body_read(&b, SLICE("text/xml"), buf_slice(&body));
    CHECK(b.text[ERROR_CODE].p == NULL);
    buf_free(&body);
}

TEST(words_are_looked_for_at_one_place)
{
    static struct error_body b;

    error_body_read(&b, SLICE("application/json"), SLICE("{\"error\":{\"message\":\"a [X] b\"}}"));
    CHECK(error_body_has(&b, ERROR_MESSAGE, SLICE("[X]")));
    CHECK(!error_body_has(&b, ERROR_MESSAGE, SLICE("[X]  b")));
    CHECK(!error_body_has(&b, ERROR_DETAILS, SLICE("[X]")));
}
