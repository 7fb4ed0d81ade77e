/*
 * Any bytes as an error answer's body, in each media type that is read. What is found lies in the
 * room for it, and of a JSON body that is cut off each text begins as that of the whole does. And
 * any bytes as what a caller sent and a server quotes: they never make a refusal.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sf/cause.h"
#include "sf/refusal.h"

static const char *const types[] = {"application/json", "text/xml", "text/html", "text/plain"};

/* '@': the text that is quoted. */
static const struct {
    int status;
    const char *type, *form;
} echoes[] = {
    {401, "application/json", "{\"error\":{\"code\":\"AuthenticationFailed\",\"p\":\"@\"}}"},
    {401, "application/json", "{\"p\":\"@\",\"error\":{\"code\":\"AuthenticationFailed\"}}"},
    {401, "application/json",
     "{\"error\":{\"code\":\"AuthenticationFailed\",\"p\":{\"@\":[\"@\",{\"details\":\"@\"}]}}}"},
    {401, "application/json", "{\"error\":{\"code\":\"No\",\"message\":\"@\",\"details\":\"@\"}}"},
    {400, "text/html", "<html><head><title>400</title></head><body><h1>@</h1>@<p id='@'>"},
    {400, "text/html", "<html><head><meta content=\"@\"><title>400</title></head>"},
    {400, "text/html", "<html><!-- @ --><head><title>400</title></head>"},
};

static void quote(struct buf *out, struct slice text, bool json)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (json && (c < ' ' || c == '"' || c == '\\'))
            buf_addf(out, "\\u%04x", c);
        else if (!json && c != '\0' && strchr("<>&\"'", c) != NULL)
            buf_addf(out, "&#%d;", c);
        else
            buf_add(out, &text.p[i], 1);
    }
}

static void check_echo(size_t which, struct slice text)
{
    bool json = strcmp(echoes[which].type, "application/json") == 0;
    struct buf body = {0};

    for (const char *p = echoes[which].form; *p != '\0'; p++)
        if (*p == '@')
            quote(&body, text, json);
        else
            buf_add(&body, p, 1);
    if (sf_refusal_find(echoes[which].status, slice_of(echoes[which].type), buf_slice(&body)) !=
        NULL)
        abort();
    buf_free(&body);
}

/* Whatever is found has a sentence, and every refusal a cause. */
static void check_cause(struct slice type, struct slice text)
{
    static const int statuses[] = {400, 401, 403, 429, 500, 503};
    struct buf sentence = {0};

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        const struct cause_answer a = {statuses[i], type, text};
        struct cause_found found;
        const struct cause *c = cause_of_answer(&a, &found);
        if (c != NULL)
            cause_sentence(&sentence, c, &found);
        if (strnlen(found.raw, sizeof(found.raw)) == sizeof(found.raw) ||
            (c == NULL && sf_refusal_find(statuses[i], type, text) != NULL))
            abort();
    }
    buf_free(&sentence);
}

static void check_room(const struct error_body *b)
{
    for (int i = 0; i < ERROR_PLACES; i++)
        if (b->text[i].p != NULL &&
            (b->text[i].p < b->room || b->text[i].p + b->text[i].n > b->room + b->used ||
             b->text[i].n == 0))
            abort();
}

static void check_prefix(const struct error_body *whole, const struct error_body *cut)
{
    for (int i = 0; i < ERROR_PLACES; i++)
        if (whole->text[i].p != NULL && cut->text[i].p != NULL &&
            (cut->text[i].n > whole->text[i].n ||
             memcmp(cut->text[i].p, whole->text[i].p, cut->text[i].n) != 0))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct error_body whole, cut;

    if (size < 2)
        return 0;
    char *bytes = mem_copy_bytes((const char *)data + 2, size - 2); /* of its own: ends are seen */
    struct slice text = {bytes, size - 2};
    struct slice type = slice_of(types[data[0] % ARRAY_LEN(types)]);

    error_body_read(&whole, type, text);
    check_room(&whole);
    error_body_read(&cut, type, (struct slice){bytes, text.n * data[1] / 256});
    check_room(&cut);
    if (whole.form == ERROR_BODY_JSON)
        check_prefix(&whole, &cut);
    check_cause(type, text);
    check_echo(data[1] % ARRAY_LEN(echoes), text);
    free(bytes);
    return 0;
}
