#include "sf/link_field.h"

#include "test.h"

static const struct link_place places[] = {
    {{"https://api4.successfactors.com", 31}, 443, 443},
    {{"http://api4.successfactors.com", 30}, 80, 80},
};

static const struct link_rules rules = {places, ARRAY_LEN(places), "http://localhost:8080",
                                        "http:\\/\\/localhost:8080"};

#define S "https://api4.successfactors.com"
#define B "http://localhost:8080"

struct row {
    const char *value, *want;
};

static const struct row targets[] = {
    {"<" S "/x>; rel=next", "<" B "/x>; rel=next"},
    {"</y>, <" S "/x>;t=\"<" S "/a>\", <" S ">", "</y>, <" B "/x>;t=\"<" S "/a>\", <" B ">"},
    {"a=\"\\\"<" S ">\", <" S "/x>", "a=\"\\\"<" S ">\", <" B "/x>"},
    {"<" S "/open", "<" B "/open"},
    {"a=\"b\\", "a=\"b\\"},
    {S, S},
    {"<", "<"},
    {"", ""},
};

static const struct row hosts[] = {
    {"api4.successfactors.com", "localhost:8080"},
    {"API4.successfactors.com:443", "localhost:8080"},
    {"api4.successfactors.com:80", "localhost:8080"},
    {"api4.successfactors.com:8443", "api4.successfactors.com:8443"},
    {"api4.successfactors.com/", "api4.successfactors.com/"},
    {"api4.successfactors.com.evil.example", "api4.successfactors.com.evil.example"},
    {"", ""},
};

static const struct row urls[] = {
    {S, B},
    {S "/x", B "/x"},
    {S ".evil.example/", S ".evil.example/"},
    {"/x", "/x"},
};

/* What follows a value is not read as a part of it. */
static void check(void (*write)(const struct link_rules *, struct slice, struct buf *),
                  const struct row *rows, size_t count)
{
    struct buf text = {0}, out = {0};

    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(rows[i].value);
        text.n = out.n = 0;
        buf_addf(&text, "%s<" S "/behind>", rows[i].value);
        write(&rules, (struct slice){text.p, n}, &out);
        CHECK_SLICE(buf_slice(&out), rows[i].want, rows[i].value);
    }
    buf_free(&text);
    buf_free(&out);
}

TEST(links_in_fields_lead_to_the_other_side)
{
    check(link_write_targets, targets, ARRAY_LEN(targets));
    check(link_write_host, hosts, ARRAY_LEN(hosts));
    check(link_write_url, urls, ARRAY_LEN(urls));
}
