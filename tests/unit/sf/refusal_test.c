#include "sf/refusal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "test.h"

#define JSON "application/json"
#define HTML "text/html"

static const char gate[] =
    "{\"error\":{\"code\":\"AuthenticationFailed\",\"message\":\"Authentication service failed to "
    "return token.\",\"details\":\"[AUTH0032]Invalid client certificate\"}}";
#define PAGE(title)                                                                                \
    "<html>\r\n<head><title>" title "</title></head>\r\n<body>\r\n<center><h1>400 Bad "            \
    "Request</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
#define ERROR(members) "{\"error\":{" members "}}"
#define FAILED         "\"code\":\"AuthenticationFailed\""
#define TOKEN          "\"details\":\"[AUTH0032]Invalid\""

static const struct {
    int status;
    const char *type, *content, *phrase; /* NULL: no refusal */
} cases[] = {
    {401, JSON, gate, "AUTH0032"},
    {401, "Application/JSON ; charset=utf-8", gate, "AUTH0032"},
    {401, "application/problem+json", gate, "AUTH0032"},
    {400, HTML, PAGE("400 The SSL certificate error"), "SSL certificate error"},
    {400, "TEXT/HTML;charset=us-ascii", PAGE("400 No required SSL certificate was sent"),
     "No required SSL certificate was sent"},

    /* status and media type */
    {400, JSON, gate, NULL},
    {403, JSON, gate, NULL},
    {200, JSON, gate, NULL},
    {401, HTML, gate, NULL},
    {401, "", gate, NULL},
    {401, "text/plain", gate, NULL},
    {401, "application/xml", gate, NULL},
    {401, "application/jsonp", gate, NULL},
    {401, "application/json, text/html", gate, NULL},
    {401, HTML, PAGE("400 The SSL certificate error"), NULL},
    {403, HTML, PAGE("400 The SSL certificate error"), NULL},
    {400, "", PAGE("400 The SSL certificate error"), NULL},
    {400, "text/plain", PAGE("400 The SSL certificate error"), NULL},
    {400, "text/xml", PAGE("400 The SSL certificate error"), NULL},

    /* the place in JSON */
    {401, JSON, ERROR(TOKEN "," FAILED), "AUTH0032"},
    {401, JSON, ERROR(FAILED ",\"message\":\"x [AUTH0032]\""), "AUTH0032"},
    {401, JSON, " { \"error\" :\n{\"code\": \"\\u0041uthenticationFailed\" ,\t" TOKEN " } } ",
     "AUTH0032"},
    {401, JSON, ERROR(FAILED ",\"details\":\"\\u005bAUTH\\u00300\\u00332]\""), "AUTH0032"},
    {401, JSON, ERROR(FAILED ",\"target\":[{\"a\":[1,-2.5e+3,true,null]},[]]," TOKEN), "AUTH0032"},
    {401, JSON, ERROR(FAILED "," TOKEN ",\"inner"), "AUTH0032"},
    {401, JSON, ERROR(TOKEN), NULL},
    {401, JSON, ERROR("\"code\":\"Other\"," TOKEN), NULL},
    {401, JSON, ERROR("\"code\":\"AuthenticationFailed2\"," TOKEN), NULL},
    {401, JSON, ERROR("\"code\":[\"AuthenticationFailed\"]," TOKEN), NULL},
    {401, JSON, "{" FAILED "," TOKEN "}", NULL},
    {401, JSON, "[" ERROR(FAILED "," TOKEN) "]", NULL},
    {401, JSON, "{\"d\":" ERROR(FAILED "," TOKEN) "}", NULL},
    {401, JSON, ERROR(FAILED ",\"innererror\":{" TOKEN "}"), NULL},
    {401, JSON, ERROR(FAILED ",\"details\":[{\"message\":\"[AUTH0032]\"}]"), NULL},
    {401, JSON, ERROR(FAILED ",\"details\":{\"value\":\"[AUTH0032]\"}"), NULL},
    {401, JSON, ERROR(FAILED ",\"message\":{\"value\":\"[AUTH0032]\"}"), NULL},
    {401, JSON, ERROR(FAILED ",\"target\":\"[AUTH0032]\""), NULL},
    {401, JSON, ERROR(FAILED ",\"[AUTH0032]\":\"details\""), NULL},
    {401, JSON, ERROR(FAILED ",\"details\":\"AUTH0032\""), NULL},
    {401, JSON, ERROR(FAILED ",\"details\":\"[AUTH00321]\""), NULL},
    {401, JSON, ERROR(FAILED ",\"details\":\"\\\",\\\"details\\\":\\\"[LGN0003]\""), NULL},
    {401, JSON, ERROR(FAILED ",\"path\":\"\\\",\\\"details\\\":\\\"[AUTH0032]\""), NULL},
    {401, JSON, ERROR(FAILED ",\"Details\":\"[AUTH0032]\""), NULL},
    {401, JSON, "{\"error\":{" FAILED "},\"error\":{" TOKEN "}}", NULL},
    {401, JSON, ERROR(FAILED "," FAILED "," TOKEN), NULL},
    {401, JSON, ERROR(FAILED "," TOKEN "," TOKEN), NULL},
    {401, JSON, gate + 1, NULL},
    {401, JSON, ERROR(FAILED "," TOKEN) "x", NULL},
    {401, JSON, ERROR(FAILED " " TOKEN), NULL},
    {401, JSON, ERROR(FAILED "," TOKEN ","), NULL},
    {401, JSON, ERROR(FAILED ",\"x\":nil," TOKEN), NULL},
    {401, JSON, ERROR(FAILED ",\"x\":\"\\x\"," TOKEN), NULL},
    {401, JSON, ERROR(FAILED ",\"x\":\"\n\"," TOKEN), NULL},
    {401, JSON, ERROR(FAILED ",\"x\":\"\\ud800\"," TOKEN), NULL},
    {401, JSON, ERROR(FAILED ",\"x\":\"\\ud83d\\ude00\\uDC00\"," TOKEN), NULL},
    {401, JSON, ERROR(FAILED ",\"x\":\"\\ud83d\\ude00\"," TOKEN), "AUTH0032"},
    {401, JSON, "[AUTH0032]", NULL},
    {401, JSON, "\"[AUTH0032]\"", NULL},
    {401, JSON, "", NULL},

    /* the place in HTML */
    {400, HTML,
     "<!DOCTYPE html><!-- x --><HTML><Head><meta a=\"<title>\"><TITLE\n>The SSL "
     "certificate error</TITLE >",
     "SSL certificate error"},
    {400, HTML, "<script>'<title>x</title>'</script><title>SSL certificate error</title>",
     "SSL certificate error"},
    {400, HTML, "<title>SSL certificate&#32;error</title>", "SSL certificate error"},
    {400, HTML, "<p>SSL certificate error</p>", NULL},
    {400, HTML, "SSL certificate error", NULL},
    {400, HTML, "<h1>SSL certificate error</h1>", NULL},
    {400, HTML, "x<title>SSL certificate error</title>", NULL},
    {400, HTML, "<body><title>SSL certificate error</title>", NULL},
    {400, HTML, "<p><title>SSL certificate error</title>", NULL},
    {400, HTML, "</head><title>SSL certificate error</title>", NULL},
    {400, HTML, "<title>400</title><title>SSL certificate error</title>", NULL},
    {400, HTML, "<title></title>SSL certificate error", NULL},
    {400, HTML, "<title>SSL certificate error", NULL},
    {400, HTML, "<title>SSL certificate error</titlex>", NULL},
    {400, HTML, "<titles>SSL certificate error</titles>", NULL},
    {400, HTML, "<title><!-- </title>SSL certificate error", NULL},
    {400, HTML, "<!-- <title>SSL certificate error</title> -->", NULL},
    {400, HTML, "<!-- <title>SSL certificate error</title>", NULL},
    {400, HTML, "<meta content='<title>SSL certificate error</title>'>", NULL},
    {400, HTML, "<meta content = \"><title>SSL certificate error</title>\">", NULL},
    {400, HTML, "<script>\"<title>SSL certificate error</title>\"</script>", NULL},
    {400, HTML, "<style><title>SSL certificate error</title></style>", NULL},
    {400, HTML, "<title lang=\"SSL certificate error\">x</title>", NULL},
    {400, HTML, "", NULL},
};

TEST(refusals_are_known_by_status_media_type_and_place)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *found =
            sf_refusal_find(cases[i].status, slice_of(cases[i].type), slice_of(cases[i].content));
        CHECK_TEXT(found == NULL ? "none" : found,
                   cases[i].phrase == NULL ? "none" : cases[i].phrase, cases[i].content);
    }
}

TEST(a_body_that_is_cut_off_counts_as_far_as_it_goes)
{
    size_t n = sizeof(gate) - 1, known = strstr(gate, "2]") + 2 - gate;

    for (size_t i = 0; i <= n; i++) {
        const char *found = sf_refusal_find(401, SLICE(JSON), (struct slice){gate, i});
        CHECK_INT(found != NULL, i >= known, "AUTH0032");
    }
}

/* The first 4 KiB, and no byte behind. */
TEST(what_comes_later_is_not_looked_at)
{
    static const char head[] = "{\"error\":{" FAILED ",\"details\":\"";

    for (size_t behind = 0; behind < 2; behind++) {
        struct buf b = {0};
        buf_add_string(&b, head);
        while (b.n < ERROR_BODY_LOOK - sizeof("[AUTH0032]") + 1 + behind)
            buf_add(&b, " ", 1);
        buf_add_string(&b, "[AUTH0032]\"}}");
        CHECK_INT(sf_refusal_find(401, SLICE(JSON), buf_slice(&b)) != NULL, behind == 0, "cut");
        buf_free(&b);
    }
}

/* ---- what a caller can have quoted ---- */

/* A server's ways to write text that is not its own. '"' ends no string, '<' begins no tag. */
enum quoting { IN_JSON, IN_JSON_HEX, IN_MARKUP };

static void quote(struct buf *out, struct slice text, enum quoting how)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (how == IN_MARKUP)
            buf_addf(out, strchr("<>&\"'", c) == NULL ? "%c" : "&#%d;", c);
        else if (how == IN_JSON_HEX || c < ' ')
            buf_addf(out, "\\u%04x", c);
        else
            buf_addf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
}

static void check_echo(int status, const char *type, const char *form, struct slice echo,
                       enum quoting how)
{
    const char *at = strchr(form, '@');
    struct buf body = {0};

    buf_add(&body, form, (size_t)(at - form));
    quote(&body, echo, how);
    buf_add_string(&body, at + 1);
    CHECK_MSG(sf_refusal_find(status, slice_of(type), buf_slice(&body)) == NULL, "%.*s",
              (int)body.n, body.p);
    buf_free(&body);
}

/* Pieces of what a refusal consists of. */
static void make_echo(struct buf *out)
{
    static const char *const pieces[] = {
        "[AUTH0032]",
        "SSL certificate error",
        "No required SSL certificate was sent",
        "AuthenticationFailed",
        "error",
        "code",
        "details",
        "message",
        "title",
        "\"",
        ":",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\\",
        "\\u0022",
        "<",
        ">",
        "/",
        "</",
        "<title>",
        "</title>",
        "<!--",
        "-->",
        "<head>",
        "&#60;",
        "&lt;",
        "'",
        "=",
        " ",
        "\n",
        "<script>",
        "</script>",
        "]]>",
        "{\"error\":{\"code\":\"AuthenticationFailed\",\"details\":\"[AUTH0032]\"}}",
        "<title>SSL certificate error</title>",
    };

    for (int n = rand() % 12; n >= 0; n--)
        buf_add_string(out, pieces[(size_t)rand() % ARRAY_LEN(pieces)]);
}

TEST(no_quoted_text_is_a_refusal)
{
    static const char *const json[] = {
        "{\"error\":{" FAILED ",\"message\":\"m\",\"details\":\"d\",\"target\":\"@\"}}",
        "{\"error\":{\"code\":\"BadRequest\",\"message\":\"@\"}}",
        "{\"error\":{\"code\":\"@x\",\"details\":\"[AUTH0032]\"}}",
        "{\"path\":\"@\",\"error\":{" FAILED "}}",
        "{\"error\":{" FAILED ",\"details\":[{\"message\":\"@\",\"details\":\"@\"}]}}",
        "{\"error\":{" FAILED ",\"@\":\"v\"}}",
        "{\"@\":{" FAILED "," TOKEN "}, \"x\":1}",
        "{\"error\":{" FAILED ",\"inner\":{\"details\":\"@\",\"message\":\"@\"}}}",
        "{\"error\":\"@\"}",
        "[\"@\"]",
    };
    static const char *const html[] = {
        PAGE("400 Bad Request") "<p>@</p>",
        "<html><!-- @ --><title>400</title>",
        "<html><meta content=\"@\"><title>400</title>",
        "<html><body id='@'><h1>400</h1>",
        "<h1>@</h1>",
        "<pre>@</pre><title>400</title>",
        "<a href=\"/@\">@</a>",
        "@",
    };

    srand(29);
    for (int i = 0; i < 20000; i++) {
        struct buf echo = {0};
        make_echo(&echo);
        if (!slice_eq(buf_slice(&echo), SLICE("error")))
            check_echo(401, JSON, json[(size_t)i % ARRAY_LEN(json)], buf_slice(&echo),
                       i % 3 == 0 ? IN_JSON_HEX : IN_JSON);
        check_echo(400, HTML, html[(size_t)i % ARRAY_LEN(html)], buf_slice(&echo), IN_MARKUP);
        buf_free(&echo);
    }
}
