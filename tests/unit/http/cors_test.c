#include <stdlib.h>

#include "head_reader.h"
#include "http/cors.h"

static const struct {
    const char *text, *want; /* NULL: refused */
} origins[] = {
    {"https://app.example", "https://app.example"},
    {"HTTPS://App.Example", "https://app.example"},
    {"https://app.example:443", "https://app.example"},
    {"http://app.example:80", "http://app.example"},
    {"http://app.example:443", "http://app.example:443"},
    {"http://localhost:3000", "http://localhost:3000"},
    {"http://127.0.0.1:3000", "http://127.0.0.1:3000"},
    {"http://[0:0:0::1]:3000", "http://[::1]:3000"},
    {"https://app.example.", "https://app.example."},
    {"chrome-extension://abcdef", "chrome-extension://abcdef"},
    {"app+x.y-1://h:80", "app+x.y-1://h:80"},
    {"az+z.09-a://h:80", "az+z.09-a://h:80"},
    {"https://app.example/", NULL},
    {"https://app.example/path", NULL},
    {"https://app.example?x", NULL},
    {"https://app.example#x", NULL},
    {"https://u@app.example", NULL},
    {"https://u:p@app.example", NULL},
    {"https://*.example", NULL},
    {"https://", NULL},
    {"https:/app.example", NULL},
    {"https:app.example", NULL},
    {"https", NULL},
    {"app.example", NULL},
    {"app.example:443", NULL},
    {"//app.example", NULL},
    {"://app.example", NULL},
    {"1https://app.example", NULL},
    {"ht tp://app.example", NULL},
    {"https://app.example:0", NULL},
    {"https://app.example:65536", NULL},
    {"https://[::1", NULL},
    {"https://[x]", NULL},
    {"file:///x", NULL},
    {"null", NULL},
    {"*", NULL},
    {"", NULL},
};

TEST(origins_are_written_as_browsers_do)
{
    for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
        char *out = NULL;
        CHECK_INT(cors_parse_origin(slice_of(origins[i].text), &out), origins[i].want != NULL,
                  origins[i].text);
        if (origins[i].want != NULL)
            CHECK_TEXT(out, origins[i].want, origins[i].text);
        free(out);
    }
}

#define ASKS "OPTIONS /x HTTP/1.1\r\nHost: h\r\nAccess-Control-Request-Method: PUT\r\n"
#define TOLD                                                                                       \
    "HTTP/1.1 204 No Content\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"                           \
    "Cache-Control: no-store\r\nAccess-Control-Allow-Origin: https://a\r\n"                        \
    "Access-Control-Expose-Headers: *\r\nVary: Origin\r\n"                                         \
    "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, MERGE, DELETE, OPTIONS\r\n"
#define END "Access-Control-Max-Age: 600\r\n\r\n"

static const struct {
    const char *name, *request, *want;
} preflights[] = {
    {"a method", ASKS "\r\n", TOLD END},
    {"fields", ASKS "Access-Control-Request-Headers: x-a,\tX-B , c\r\n\r\n",
     TOLD "Access-Control-Allow-Headers: x-a,\tX-B , c\r\n" END},
    {"what are no names", ASKS "Access-Control-Request-Headers: a;b\r\n\r\n", TOLD END},
    {"no names", ASKS "Access-Control-Request-Headers:\r\n\r\n", TOLD END},
    {"a private network", ASKS "Access-Control-Request-Private-Network: true\r\n\r\n",
     TOLD "Access-Control-Allow-Private-Network: true\r\n" END},
    {"or not", ASKS "Access-Control-Request-Private-Network: no\r\n\r\n", TOLD END},
};

TEST(preflights_are_answered)
{
    for (size_t i = 0; i < ARRAY_LEN(preflights); i++) {
        struct head *h = read_request(preflights[i].request);
        struct buf out = {0}, fields = {0};
        cors_add_fields(&fields, "https://a");
        buf_add(&fields, "", 1);
        CHECK_MSG(cors_is_preflight(h), "%s", preflights[i].name);
        cors_write_preflight(&out, h, fields.p, PERSIST_DEFAULT, 0);
        buf_add(&out, "", 1);
        CHECK_TEXT(out.p, preflights[i].want, preflights[i].name);
        buf_free(&out);
        buf_free(&fields);
        head_free(h);
    }
}

TEST(other_requests_are_none)
{
    static const char *const others[] = {
        "OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n",
        "OPTIONS / HTTP/1.1\r\nHost: h\r\nAccess-Control-Request-Headers: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct head *h = read_request(others[i]);
        CHECK_MSG(!cors_is_preflight(h), "%s", others[i]);
        head_free(h);
    }
}
