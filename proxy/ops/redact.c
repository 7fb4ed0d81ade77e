#include "ops/redact.h"

#include "base/status.h"

enum { SHOWN_BYTES = 4, MAX_KEY = 64 };

/* Members whose texts are the program's own words, numbers or times. */
static const char *const harmless[] = {
    "version",    "result",     "step",     "needs",        "code",      "token",   "cure",
    "identity",   "state",      "slot",     "time",         "first",     "started", "loaded",
    "not_before", "not_after",  "key_type", "cipher",       "outcome",   "blame",   "libevent",
    "openssl",    "sfmtls",     "system",   "distribution", "libc",      "machine", "kernel",
    "key",        "kind",       "value",    "last_success", "last_used", "since",   "switched",
    "refused_at", "last_answer"};

static bool is_harmless(struct slice key)
{
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
        if (slice_eq(key, slice_of(harmless[i])))
            return true;
    return false;
}

void redactor_start(struct redactor *r, bool keeps_names)
{
    r->keeps_names = keeps_names;
    secret_make_key(r->key);
}

/* Appends a text without JSON quotes: its hash, for example "#1f83d9ab", or the text itself if
 * names are kept. */
static void add_text(const struct redactor *r, struct slice text, struct buf *out)
{
    unsigned char mac[SECRET_MAC_SIZE];

    if (r->keeps_names) {
        buf_add_slice(out, text);
        return;
    }
    secret_mac(r->key, &text, 1, mac);
    buf_add_string(out, "#");
    for (int i = 0; i < SHOWN_BYTES; i++)
        buf_addf(out, "%02x", mac[i]);
}

/* Returns the string that begins after the quote at *i, and moves *i past its end. */
static struct slice next_string(struct slice json, size_t *i)
{
    size_t start = ++*i;

    while (*i < json.n && json.p[*i] != '"')
        *i += json.p[*i] == '\\' ? 2 : 1;
    size_t end = *i < json.n ? *i : json.n;
    *i = end + 1;
    return (struct slice){json.p + start, end - start};
}

/* The members of an array have the array's name. */
void redact_json(const struct redactor *r, struct slice json, struct buf *out)
{
    struct slice key = {"", 0};

    for (size_t i = 0; i < json.n;) {
        if (json.p[i] == '}' || json.p[i] == ']')
            key = (struct slice){"", 0}; /* the rest of the array does not belong to this key */
        if (json.p[i] != '"') {
            buf_add(out, json.p + i++, 1);
            continue;
        }
        struct slice text = next_string(json, &i);
        bool is_key = i < json.n && json.p[i] == ':';
        if (is_key)
            key = text;
        buf_add(out, "\"", 1);
        if (is_key || text.n == 0 || is_harmless(key))
            buf_add_slice(out, text);
        else
            add_text(r, text, out);
        buf_add(out, "\"", 1);
    }
}
