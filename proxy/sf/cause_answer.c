/* Finds the cause of a server's error answer. See cause.h. */
#include <stdio.h>
#include <string.h>

#include "sf/cause.h"

/* Places in an error body, as bits. */
enum {
    CODES = 1 << ERROR_CODE,
    TEXTS = 1 << ERROR_MESSAGE | 1 << ERROR_MESSAGE_VALUE | 1 << ERROR_DETAILS |
            1 << ERROR_ERROR_MESSAGE,
    PAGE = 1 << ERROR_TITLE | 1 << ERROR_HEADING,
};

/* One way to recognise a cause. The first row that fits is used. */
struct sign {
    enum cause_id cause;
    int status; /* 0: any error status */
    /* The words are in one of these places; 0: the status is enough. */
    unsigned places;
    const char *words; /* if places is CODES: the whole text */
    /* The text that must also be in ERROR_CODE; NULL: any. */
    const char *code;
};

static const struct sign signs[] = {
    {CAUSE_EDGE_CERTIFICATE_ERROR, 400, PAGE, "SSL certificate error", NULL},
    {CAUSE_EDGE_NO_CERTIFICATE, 400, PAGE, "No required SSL certificate was sent", NULL},
    {CAUSE_SFAPI_ADDRESS, 0, TEXTS, "(status code = 8)", "FAILED_AUTHENTICATION"},
    {CAUSE_SFAPI_LOGIN, 0, CODES, "FAILED_AUTHENTICATION", NULL},
    {CAUSE_SFAPI_SESSION, 0, CODES, "INVALID_SESSION", NULL},
    {CAUSE_OAUTH_CLIENT, 401, 1 << ERROR_ERROR_MESSAGE, "Unable to authenticate the client", NULL},
    {CAUSE_METADATA, 0, TEXTS | PAGE, "metadata is being generated", NULL},
    {CAUSE_BATCH_SIZE, 400, TEXTS, "exceeds the maximum request count", NULL},
    {CAUSE_UPSERT_SIZE, 400, TEXTS, "Upsert content exceeds the limitation", NULL},
    {CAUSE_TOO_MANY_REQUESTS, 429, 0, NULL, NULL},
    {CAUSE_MAINTENANCE, 503, TEXTS | PAGE, "aintenance", NULL},
    {CAUSE_UNAVAILABLE, 503, 0, NULL, NULL},
    {CAUSE_BAD_GATEWAY, 502, 0, NULL, NULL},
    {CAUSE_GATEWAY_TIMEOUT, 504, 0, NULL, NULL},
};

/* Codes of login errors, which stand in brackets in a text; `unknown` is the cause for codes
 * without a row of their own. */
static const struct family {
    const char *prefix;
    enum cause_id unknown;
} families[] = {
    {"AUTH", CAUSE_AUTH_UNKNOWN},
    {"LGN", CAUSE_LGN_UNKNOWN},
};

static bool has_words(const struct error_body *b, const struct sign *s)
{
    struct slice words = slice_of(s->words);

    if (s->places == CODES)
        return slice_eq(b->text[ERROR_CODE], words);
    for (int place = 0; place < ERROR_PLACES; place++)
        if ((s->places & 1U << place) != 0 &&
            error_body_has(b, (enum error_body_place)place, words))
            return true;
    return false;
}

static bool fits(const struct error_body *b, int status, const struct sign *s)
{
    if (s->status != 0 && s->status != status)
        return false;
    if (s->code != NULL && !slice_eq(b->text[ERROR_CODE], slice_of(s->code)))
        return false;
    return s->places == 0 || has_words(b, s);
}

/* The length of a code like "LGN0013" at p; 0: it is not a code. */
static size_t code_length(const char *p, size_t n, const struct family *f)
{
    size_t prefix = strlen(f->prefix), i = prefix;

    if (n < prefix || memcmp(p, f->prefix, prefix) != 0)
        return 0;
    while (i < n && p[i] >= '0' && p[i] <= '9')
        i++;
    return i == prefix + 4 ? i : 0;
}

static bool take_code(struct slice code, const struct family *f, struct cause_found *found)
{
    if (code_length(code.p, code.n, f) != code.n || code.n == 0)
        return false;
    (void)snprintf(found->raw, sizeof(found->raw), "%.*s", (int)code.n, code.p);
    return true;
}

/* Finds the first code like "[LGN0013]" in the text. */
static bool find_code(struct slice text, const struct family *f, struct cause_found *found)
{
    const char *open;

    while (text.n > 0 && (open = memchr(text.p, '[', text.n)) != NULL) {
        text.n -= (size_t)(open + 1 - text.p);
        text.p = open + 1;
        size_t n = code_length(text.p, text.n, f);
        if (n > 0 && n < text.n && text.p[n] == ']')
            return take_code((struct slice){text.p, n}, f, found);
    }
    return false;
}

static const struct cause *by_raw_code(const struct family *f, const struct cause_found *found)
{
    char code[CAUSE_RAW_SIZE];
    size_t i = 0;

    for (; found->raw[i] != '\0'; i++)
        code[i] = ascii_lower(found->raw[i]);
    code[i] = '\0';
    const struct cause *c = cause_find(code);
    return c != NULL ? c : cause_of(f->unknown);
}

static const struct cause *find_login_code(const struct error_body *b, struct cause_found *found)
{
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        const struct family *f = &families[i];
        if (take_code(b->text[ERROR_CODE], f, found))
            return by_raw_code(f, found);
        for (int place = 0; place < ERROR_PLACES; place++)
            if (find_code(b->text[place], f, found))
                return by_raw_code(f, found);
    }
    return NULL;
}

const struct cause *cause_of_answer(const struct cause_answer *a, struct cause_found *found)
{
    struct error_body b;

    found->raw[0] = '\0';
    if (!cause_status(a->status))
        return NULL;
    error_body_read(&b, a->content_type, a->content);
    const struct cause *c = find_login_code(&b, found);
    for (size_t i = 0; c == NULL && i < ARRAY_LEN(signs); i++)
        if (fits(&b, a->status, &signs[i]))
            c = cause_of(signs[i].cause);
    return c;
}

const char *cause_words(enum cause_id id)
{
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (signs[i].cause == id)
            return signs[i].words;
    return NULL;
}
