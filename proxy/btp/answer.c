#include "btp/answer.h"

#include <openssl/evp.h>
#include <jansson.h>

#include "base/mem.h"
#include "base/similar.h"
#include "btp/ask.h"
#include "btp/wiping.h"

enum { MAX_TOKEN = 32 * 1024, NEAREST = 3 };

static json_t *load(struct slice json)
{
    wiping_begin();
    return json_loadb(json.p == NULL ? "" : json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
}

/* SAP's documents write the names of members in both ways. */
static const char *text_of(json_t *object, const char *capital, const char *small, size_t *n)
{
    json_t *value = json_object_get(object, capital);

    if (value == NULL)
        value = json_object_get(object, small);
    *n = json_string_length(value);
    return json_string_value(value);
}

static bool is_token(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    return text != NULL && n > 0 && n <= MAX_TOKEN;
}

bool answer_read_token(struct slice json, struct buf *token)
{
    json_t *document = load(json);
    json_t *value = json_object_get(document, "access_token");
    bool read = is_token(json_string_value(value), json_string_length(value));

    if (read)
        buf_add(token, json_string_value(value), json_string_length(value));
    json_decref(document);
    return read;
}

bool answer_decode(struct slice base64, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *text = base64.p;
    size_t padding = 0, n = base64.n;

    if (text == NULL || n == 0 || n % 4 != 0)
        return false;
    while (padding < 2 && text[n - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < n - padding; i++)
        if (memchr(digits, text[i], sizeof(digits) - 1) == NULL)
            return false;
    buf_reserve(out, n / 4 * 3);
    int got = EVP_DecodeBlock((unsigned char *)out->p, (const unsigned char *)text, (int)n);
    out->n = got < 0 ? 0 : (size_t)got - padding;
    return got > 0;
}

bool answer_read_certificate(struct slice json, const char *name, struct buf *content)
{
    json_t *document = load(json);
    size_t n, length;
    const char *its = text_of(document, "Name", "name", &n);
    bool read = its != NULL && strcmp(its, name) == 0;
    const char *text = text_of(document, "Content", "content", &length);

    read = read && answer_decode((struct slice){text, length}, content);
    json_decref(document);
    return read;
}

bool answer_is_java_store(struct slice content)
{
    static const unsigned char jks[] = {0xfe, 0xed, 0xfe, 0xed}, jceks[] = {0xce, 0xce, 0xce, 0xce};

    return content.n > sizeof(jks) && (memcmp(content.p, jks, sizeof(jks)) == 0 ||
                                       memcmp(content.p, jceks, sizeof(jceks)) == 0);
}

/* The nearest names, sorted by distance. */
struct nearest {
    const char *names[NEAREST];
    size_t far[NEAREST], n;
};

static void offer(struct nearest *best, const char *name, size_t far)
{
    size_t i = best->n < NEAREST ? best->n++ : NEAREST;

    if (i == NEAREST && far >= best->far[NEAREST - 1])
        return;
    for (i = i == NEAREST ? NEAREST - 1 : i; i > 0 && best->far[i - 1] > far; i--) {
        best->names[i] = best->names[i - 1];
        best->far[i] = best->far[i - 1];
    }
    best->names[i] = name;
    best->far[i] = far;
}

void answer_write_nearest(struct slice json, const char *name, struct buf *out)
{
    json_t *document = load(json);
    struct nearest best = {.n = 0};
    size_t n;

    for (size_t i = 0; i < json_array_size(document); i++) {
        const char *its = text_of(json_array_get(document, i), "Name", "name", &n);
        if (its != NULL && n < 64 && ask_is_name(its))
            offer(&best, its, similar_distance(name, its));
    }
    for (size_t i = 0; i < best.n; i++)
        buf_addf(out, "%s%s", i == 0 ? "" : ", ", best.names[i]);
    json_decref(document);
}
