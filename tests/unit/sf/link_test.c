#include "sf/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { ROOM = 4096, PIECES = 16 };

static const struct link_place places[] = {
    {{"https://api4.successfactors.com", 31}, 443, 9443},
    {{"https://api4.cert.successfactors.com", 36}, 443, 9443},
    {{"http://api4.successfactors.com", 30}, 80, 9443},
};

static const struct link_rules rules = {places, ARRAY_LEN(places), "http://localhost:8080",
                                        "http:\\/\\/localhost:8080"};

/* Collects what the rewriter yields for one piece of input. */
static void feed(struct link_rewriter *r, const char *p, size_t n, char *out, size_t *total)
{
    char *copy = malloc(n > 0 ? n : 1); /* so that reading beyond it is noticed */
    struct slice in = {copy, n};
    struct iovec pieces[PIECES];

    memcpy(copy, p, n);
    do {
        size_t count = link_run(r, &in, pieces, PIECES);
        CHECK(count <= PIECES);
        for (size_t i = 0; i < count; i++) {
            CHECK(*total + pieces[i].iov_len <= ROOM);
            memcpy(out + *total, pieces[i].iov_base, pieces[i].iov_len);
            *total += pieces[i].iov_len;
        }
    } while (in.n > 0);
    free(copy);
}

static size_t finish(struct link_rewriter *r, char *out, size_t total)
{
    struct iovec piece;

    if (link_finish(r, &piece) == 1) {
        memcpy(out + total, piece.iov_base, piece.iov_len);
        total += piece.iov_len;
    }
    return total;
}

/* In one piece, in steps of each size, and cut in two at each place. */
static void check(enum link_syntax syntax, const char *text, const char *want)
{
    size_t n = strlen(text);
    char out[ROOM];

    for (size_t step = 1; step <= n; step++) {
        struct link_rewriter r;
        size_t total = 0;
        link_start(&r, syntax, &rules);
        for (size_t at = 0; at < n; at += step)
            feed(&r, text + at, n - at < step ? n - at : step, out, &total);
        total = finish(&r, out, total);
        CHECK_SLICE(((struct slice){out, total}), want, text);
    }
    for (size_t cut = 0; cut <= n; cut++) {
        struct link_rewriter r;
        size_t total = 0;
        link_start(&r, syntax, &rules);
        feed(&r, text, cut, out, &total);
        feed(&r, text + cut, n - cut, out, &total);
        total = finish(&r, out, total);
        CHECK_SLICE(((struct slice){out, total}), want, text);
    }
}

#define S "https://api4.successfactors.com"
#define B "http://localhost:8080"

TEST(json_links_come_home)
{
    static const char *const cases[][2] = {
        {"{\"__next\":\"" S ":443/odata/v2/User?$skiptoken=x\"}",
         "{\"__next\":\"" B "/odata/v2/User?$skiptoken=x\"}"},
        {"{\"d\":{\"results\":[{\"__metadata\":{\"uri\":\"" S
         "/odata/v2/User('a')\",\"type\":\"t\"}}]}}",
         "{\"d\":{\"results\":[{\"__metadata\":{\"uri\":\"" B
         "/odata/v2/User('a')\",\"type\":\"t\"}}]}}"},
        {"{\"uri\" : \n\t\"" S ":9443/x\", \"uri\":\"" S "\",\"uri\":\"" S "?a\",\"uri\":\"" S
         "#b\"}",
         "{\"uri\" : \n\t\"" B "/x\", \"uri\":\"" B "\",\"uri\":\"" B "?a\",\"uri\":\"" B "#b\"}"},
        {"{\"uri\":\"https:\\/\\/api4.successfactors.com:443\\/odata\"}",
         "{\"uri\":\"http:\\/\\/localhost:8080\\/odata\"}"},
        {"{\"uri\":\"https:\\/\\/api4.successfactors.com\"}",
         "{\"uri\":\"http:\\/\\/localhost:8080\"}"},
        {"{\"uri\":\"https://API4.cert.SuccessFactors.com/x\"}", "{\"uri\":\"" B "/x\"}"},
        {"{\"uri\":\"http://api4.successfactors.com:80/x\"}", "{\"uri\":\"" B "/x\"}"},
        {"{\"a@odata.navigationLink\":\"" S "/x\",\"@odata.nextLink\":\"" S "/y\"}",
         "{\"a@odata.navigationLink\":\"" B "/x\",\"@odata.nextLink\":\"" B "/y\"}"},
        {"{\"meta\":{\"location\":\"" S "/x\"},\"manager\":{\"$ref\":\"" S "/y\"}}",
         "{\"meta\":{\"location\":\"" B "/x\"},\"manager\":{\"$ref\":\"" B "/y\"}}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(LINK_JSON, cases[i][0], cases[i][1]);
}

TEST(arrays_of_links_come_home)
{
    static const char *const cases[][2] = {
        {"{\"x@odata.bind\":[\"" S "/a\",\"" S "/b\"],\"y\":[\"" S "/c\"]}",
         "{\"x@odata.bind\":[\"" B "/a\",\"" B "/b\"],\"y\":[\"" S "/c\"]}"},
        {"{\"x@bind\" : [ \"User('a')\",\n\"" S "/b\" , null, 1e5, \"\", \"a\\\"\\\\\", \"" S
         ":443\" ]}",
         "{\"x@bind\" : [ \"User('a')\",\n\"" B "/b\" , null, 1e5, \"\", \"a\\\"\\\\\", \"" B
         "\" ]}"},
        {"{\"uri\":[],\"note\":\"" S "/a\",\"uri\":[\"https:\\/\\/api4.successfactors.com\\/b\"]}",
         "{\"uri\":[],\"note\":\"" S "/a\",\"uri\":[\"http:\\/\\/localhost:8080\\/b\"]}"},
        {"{\"uri\":[{\"note\":\"" S "/a\",\"uri\":\"" S "/b\"}],\"uri\":[\"[\",\"]\",\"{\",\"" S
         "/c\"]}",
         "{\"uri\":[{\"note\":\"" S "/a\",\"uri\":\"" B "/b\"}],\"uri\":[\"[\",\"]\",\"{\",\"" B
         "/c\"]}"},
        {"{\"uri\":[\"" S "\\\"x\",\"" S "\\\\\",\"" S "/a\"]}",
         "{\"uri\":[\"" S "\\\"x\",\"" S "\\\\\",\"" B "/a\"]}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(LINK_JSON, cases[i][0], cases[i][1]);
}

TEST(json_that_is_no_link_stays)
{
    static const char *const cases[] = {
        "",
        "\"",
        "{}",
        "\"h\"",
        "{\"comments\":\"" S "/x\"}",
        "{\"comments\":\"see " S "/x\"}",
        "{\"uri\":\"see " S "/x\"}",
        "{\"comments\":\"\\\"uri\\\":\\\"" S "/x\\\"\"}",
        "{\"x\\\"uri\":\"" S "/x\"}",
        "{\"uri\":\"https://api4.successfactors.com.evil.example/x\"}",
        "{\"uri\":\"https://api4.successfactors.comx/x\"}",
        "{\"uri\":\"https://api4.successfactors.com:4430/x\"}",
        "{\"uri\":\"https://api4.successfactors.com:443x/x\"}",
        "{\"uri\":\"https://api4.successfactors.com:/x\"}",
        "{\"uri\":\"https://api4.successfactors.com:8443/x\"}",
        "{\"uri\":\"https://api4.successfactors.com@evil.example/x\"}",
        "{\"uri\":\"https://api4.successfactors.com\\\\x\"}",
        "{\"uri\":\"https://user@api4.successfactors.com/x\"}",
        "{\"uri\":\"https://xapi4.successfactors.com/x\"}",
        "{\"uri\":\"https:/api4.successfactors.com/x\"}",
        "{\"uri\":\"https:\\//api4.successfactors.com/x\"}",
        "{\"uri\":\"https://api5.successfactors.com/x\"}",
        "{\"uri\":\"ftp://api4.successfactors.com/x\"}",
        "{\"uri\":\"User('a')\",\"hireDate\":\"h\"}",
        "{\"uri\":\"https://api4.successfactors.com",
        "{\"uri\":\"https://api4.successfactors.com\\",
        "{\"uri\":\"https:\\/\\/api4.succ",
        "[\"" S "/x\"]",
        "{\"note\":[\"" S "/x\"],\"uri\":[[\"" S "/x\"]],\"uri\":[{},\"" S "/x\"]}",
        "{\"note\":\"\\\"uri\\\":[\",\"x\":\"" S "/x\"}",
        "{\"uri\":[\"x\",\"see " S "/x\",\"" S ".evil.example\",\"" S "",
        "{\"x@odata.bindx\":\"" S "/x\",\"@x.bind\":[\"" S "/x\"],\"bind\":\"" S "/x\"}",
        "{\"URI\":\"" S "/x\",\"odata.uri\":\"" S "/x\",\"@odata.uri\":\"" S "/x\"}",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(LINK_JSON, cases[i], cases[i]);
}

TEST(xml_links_come_home)
{
    static const char *const cases[][2] = {
        {"<link rel=\"next\" href=\"" S ":443/odata/v2/User?$select=a&amp;$skiptoken=b\"/>",
         "<link rel=\"next\" href=\"" B "/odata/v2/User?$select=a&amp;$skiptoken=b\"/>"},
        {"<feed xml:base='" S ":443/odata/v2/'><id>" S ":443/odata/v2/User</id></feed>",
         "<feed xml:base='" B "/odata/v2/'><id>" B "/odata/v2/User</id></feed>"},
        {"<a:id>\n  " S "\n</a:id><id x='1'>" S "</id>",
         "<a:id>\n  " B "\n</a:id><id x='1'>" B "</id>"},
        {"<soap:address location = \"" S "/sfapi/v1/soap\" />",
         "<soap:address location = \"" B "/sfapi/v1/soap\" />"},
        {"<?xml version='1.0'?><!-- --->-> --><!DOCTYPE a><content src=\"" S "/x\"></content>",
         "<?xml version='1.0'?><!-- --->-> --><!DOCTYPE a><content src=\"" B "/x\"></content>"},
        {"<x a=\"1>2\" href='" S "'>t</x>", "<x a=\"1>2\" href='" B "'>t</x>"},
        {"<links><uri>" S "/a</uri><uri>" S "/b</uri></links>",
         "<links><uri>" B "/a</uri><uri>" B "/b</uri></links>"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(LINK_XML, cases[i][0], cases[i][1]);
}

TEST(lists_and_texts_in_pieces_come_home)
{
    static const char *const cases[][2] = {
        {"<a xsi:schemaLocation=' " S "/ns\n" S "/a.xsd  urn:b\t" S ":443/b.xsd ' b='" S "'/>",
         "<a xsi:schemaLocation=' " S "/ns\n" B "/a.xsd  urn:b\t" B "/b.xsd ' b='" S "'/>"},
        {"<a x:schemaLocation=\"urn:a\"/><a x:schemaLocation=\"\" href='" S "'/>",
         "<a x:schemaLocation=\"urn:a\"/><a x:schemaLocation=\"\" href='" B "'/>"},
        {"<xs:import schemaLocation='" S "/a.xsd' namespace='" S "/ns'/>",
         "<xs:import schemaLocation='" B "/a.xsd' namespace='" S "/ns'/>"},
        {"<w:Metadata wsdli:wsdlLocation='" S "/ns " S "/a.wsdl'/>",
         "<w:Metadata wsdli:wsdlLocation='" S "/ns " B "/a.wsdl'/>"},
        {"<x PolicyURIs='" S "/a  #b " S "'/>", "<x PolicyURIs='" B "/a  #b " B "'/>"},
        {"<id><![CDATA[" S "/a]]></id><id> <![CDATA[ " S "]]></id>",
         "<id><![CDATA[" B "/a]]></id><id> <![CDATA[ " B "]]></id>"},
        {"<id><![CDATA[ ]]> <![CDATA[]]>" S "/a</id>",
         "<id><![CDATA[ ]]> <![CDATA[]]>" B "/a</id>"},
        {"<id><![CDATA[" S "]]></id><a href='" S "'/><id><![CDATA[" S "]x]]></id><a href='" S "'/>",
         "<id><![CDATA[" B "]]></id><a href='" B "'/><id><![CDATA[" S "]x]]></id><a href='" B
         "'/>"},
        {"<id><!-- <a> --> <?p i?>" S "/a</id><b>" S "</b>",
         "<id><!-- <a> --> <?p i?>" B "/a</id><b>" S "</b>"},
        {"<w:To x='1'>" S "/a</w:To><w:ReplyTo><w:Address>" S "/b</w:Address></w:ReplyTo>",
         "<w:To x='1'>" B "/a</w:To><w:ReplyTo><w:Address>" B "/b</w:Address></w:ReplyTo>"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(LINK_XML, cases[i][0], cases[i][1]);
}

TEST(xml_that_is_no_link_stays)
{
    static const char *const cases[] = {
        "<a>" S "/x</a>",
        "<id>see " S "/x</id>",
        "<id><b/>" S "/x</id>",
        "<id/>" S "/x",
        "<a>href=\"" S "/x\"</a>",
        "<!-- <id>" S "/x</id> --><b/>",
        "<![CDATA[<id>" S "/x</id>]]>",
        "<?x href=\"" S "/x\"?>",
        "<a title=\"" S "/x\" hrefs='" S "'/>",
        "<a href=\"" S "x/\"/>",
        "<id>" S ".evil.example</id>",
        "<id>" S "&amp;</id>",
        "<id>https:\\/\\/api4.successfactors.com/</id>",
        "<a-very-long-name-that-is-longer-than-any-name-that-is-known-id>" S "/</a>",
        "<id>https://api4.successfactors.chttps://api4.successfactors.com/</id>",
        "<id>" S,
        "<a xmlns:href='" S "/x' xml:id='" S "/x' schemalocation='" S "/x'/>",
        "<a x:schemaLocation='urn:a urn:b " S "/x' type='" S "/x' context='" S "/x'/>",
        "<id>x<!-- -->" S "/x</id><id><![CDATA[]x]]>" S "/x</id><id><![CDATA[x]]>" S "/x</id>",
        "<id>" S "\"x</id><a href='" S "\"x' uri=\"" S "'x\"/><id>" S "]]></id>",
        "<id></id>" S "<id><!DOCTYPE x><b/><!-- -->" S "</id>",
        "<id><![CDATA[" S "]x]]></id>",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(LINK_XML, cases[i], cases[i]);
}

TEST(context_has_an_end_wherever_the_input_is_cut)
{
    char text[700], want[700];

    for (int blanks = 235; blanks < 265; blanks++) {
        bool seen = blanks + 6 <= LINK_CONTEXT; /* "uri": */
        (void)snprintf(text, sizeof(text), "{\"uri\":%*s\"" S "/x\"}", blanks, "");
        (void)snprintf(want, sizeof(want), "{\"uri\":%*s\"%s/x\"}", blanks, "", seen ? B : S);
        check(LINK_JSON, text, want);
    }
}

TEST(long_json_with_many_links)
{
    char text[ROOM] = "[", want[ROOM] = "[";

    for (int i = 0; i < 30; i++) {
        char *t = text + strlen(text), *w = want + strlen(want);
        (void)snprintf(t, 100, "{\"n\":\"%*s\",\"uri\":\"" S "/%d\"},", i, "", i);
        (void)snprintf(w, 100, "{\"n\":\"%*s\",\"uri\":\"" B "/%d\"},", i, "", i);
    }
    check(LINK_JSON, text, want);
}

TEST(prefix_of_a_url_in_a_field)
{
    CHECK_INT(link_prefix(&rules, slice_of(S ":443/x")), strlen(S ":443"), "with port");
    CHECK_INT(link_prefix(&rules, slice_of(S)), strlen(S), "alone");
    CHECK_INT(link_prefix(&rules, slice_of(S ".evil.example/")), 0, "another host");
    CHECK_INT(link_prefix(&rules, slice_of("/relative")), 0, "relative");
    CHECK_INT(link_prefix(&rules, slice_of("")), 0, "empty");

    char longer[LINK_LONGEST + 9] = S "/";
    memset(longer + strlen(S "/"), 'x', sizeof(longer) - strlen(S "/"));
    for (size_t n = LINK_LONGEST - 1; n < sizeof(longer); n++)
        CHECK_INT(link_prefix(&rules, (struct slice){longer, n}), strlen(S), "a long one");
}
