#include "ops/access_log.h"

#include "base/clock.h"
#include "base/json.h"
#include "http/mask.h"
#include "sf/cause.h"

static void add_path(struct buf *out, enum path_mode mode, struct slice path)
{
    if (path.n == 0 || mode == PATH_OFF)
        buf_add(out, "-", 1);
    else if (mode == PATH_MASKED)
        mask_path(out, path);
    else
        mask_invisible(out, path);
}

/* Writes microseconds as milliseconds with three decimals. */
static void add_ms(struct buf *out, int64_t us)
{
    if (us < 0) {
        buf_add(out, "-", 1);
        return;
    }
    int rest = (int)(us % 1000);
    char decimals[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                       (char)('0' + rest % 10)};
    buf_add_u64(out, (uint64_t)us / 1000);
    buf_add(out, decimals, sizeof(decimals));
}

/* One part of the way to the server; us < 0: there was no such part. */
struct way_part {
    const char *text, *json;
    int64_t us;
};

enum { WAY_PARTS = 4 };

static void list_way(const struct way_times *w, struct way_part parts[WAY_PARTS])
{
    parts[0] = (struct way_part){" queue-ms=", "queue_ms", w->queue};
    parts[1] = (struct way_part){" dns-ms=", "dns_ms", w->dns};
    parts[2] = (struct way_part){" connect-ms=", "connect_ms", w->connect};
    parts[3] = (struct way_part){" tls-ms=", "tls_ms", w->tls};
}

static void add_text_way(struct buf *out, const struct way_times *w)
{
    struct way_part parts[WAY_PARTS];

    list_way(w, parts);
    for (size_t i = 0; i < WAY_PARTS; i++) {
        if (parts[i].us < 0)
            continue;
        buf_add_string(out, parts[i].text);
        add_ms(out, parts[i].us);
    }
}

static inline void add_named(struct buf *out, const char *name, const char *value)
{
    buf_add_string(out, name);
    buf_add_string(out, value == NULL ? "-" : value);
}

/* Is it one word of visible ASCII, without a quote or a backslash? */
static bool is_word(const char *s)
{
    for (; *s > 0x20 && *s < 0x7f && *s != '"' && *s != '\\'; s++)
        ;
    return *s == '\0';
}

/* Appends the caller, escaped for the inside of a JSON string. */
static void add_caller(struct buf *out, const struct record *r)
{
    char text[CALLER_ID_TEXT_SIZE];

    if (r->user == NULL) {
        caller_id_text(r->caller, text);
        buf_add_string(out, text);
        return;
    }
    buf_add_string(out, "user:");
    json_add(out, slice_of(r->user));
}

static bool is_caller_known(const struct record *r)
{
    return r->user != NULL || r->caller->kind != CALLER_UNKNOWN;
}

static void add_text_caller(struct buf *out, const struct record *r)
{
    const char *quote = r->user != NULL && !is_word(r->user) ? "\"" : "";

    buf_add_string(out, " caller=");
    buf_add_string(out, quote);
    if (is_caller_known(r))
        add_caller(out, r);
    else
        buf_add(out, "-", 1);
    buf_add_string(out, quote);
}

static void add_json_caller(struct buf *out, const struct record *r)
{
    if (!is_caller_known(r)) {
        buf_add_string(out, ",\"caller\":null");
        return;
    }
    buf_add_string(out, ",\"caller\":\"");
    add_caller(out, r);
    buf_add(out, "\"", 1);
}

/* hint= comes with each error of the server whose cause is known, whether or not the proxy failed
 * too. code= comes if it says more than error=. */
static void add_text_words(struct buf *out, const struct record *r)
{
    struct record_words words;

    if (r->cause != NULL)
        add_named(out, " hint=", r->cause->code);
    if (!record_words(r, &words))
        return;
    if (words.token != NULL) {
        add_named(out, " error=", words.token);
        if (strcmp(words.code, words.token) != 0)
            add_named(out, " code=", words.code);
    }
    buf_add_string(out, " detail=\"");
    json_add(out, slice_of(words.sentence));
    buf_add_string(out, "\" cure=\"");
    json_add(out, slice_of(words.cure));
    buf_add_string(out, "\"");
}

static void add_json_words(struct buf *out, const struct record *r)
{
    struct record_words words;
    bool failed = record_words(r, &words);

    if (r->cause != NULL)
        json_add_member(out, "hint", slice_of(r->cause->code));
    json_add_member(out, "error", slice_of(failed ? words.token : NULL));
    if (failed) {
        json_add_member(out, "detail", slice_of(words.sentence));
        json_add_member(out, "code", slice_of(words.code));
        json_add_member(out, "cure", slice_of(words.cure));
    }
}

static void format_text(struct buf *out, const struct access_log *l, const struct record *r)
{
    char time[CLOCK_TEXT_SIZE];

    clock_text(r->begun_wall_us, time);
    buf_add(out, time, CLOCK_TEXT_SIZE - 1);
    add_named(out, " id=", r->id);
    add_named(out, " tenant=", r->tenant);
    buf_add(out, " ", 1);
    buf_add_slice(out, r->method.n == 0 ? SLICE("-") : r->method);
    buf_add(out, " ", 1);
    add_path(out, l->path_mode, r->path);
    buf_add_string(out, " status=");
    buf_add_u64(out, (uint64_t)r->status);
    buf_add_string(out, " in=");
    buf_add_u64(out, r->bytes_in);
    buf_add_string(out, " out=");
    buf_add_u64(out, r->bytes_out);
    buf_add_string(out, " first-ms=");
    add_ms(out, r->first_us);
    buf_add_string(out, " total-ms=");
    add_ms(out, r->total_us);
    add_named(out, " conn=", r->tls == NULL ? NULL : r->reused ? "reused" : "new");
    add_named(out, " tls=", r->tls);
    if (r->way != NULL && way_times_has_any(r->way))
        add_text_way(out, r->way);
    if (l->caller)
        add_text_caller(out, r);
    add_text_words(out, r);
}

static void add_number(struct buf *out, const char *name, int64_t us)
{
    buf_addf(out, ",\"%s\":", name);
    if (us < 0)
        buf_add_string(out, "null");
    else
        add_ms(out, us);
}

static void add_json_way(struct buf *out, const struct way_times *w)
{
    struct way_part parts[WAY_PARTS];

    list_way(w, parts);
    for (size_t i = 0; i < WAY_PARTS; i++)
        if (parts[i].us >= 0)
            add_number(out, parts[i].json, parts[i].us);
}

static void format_json(struct buf *out, const struct access_log *l, const struct record *r)
{
    char time[CLOCK_TEXT_SIZE];
    struct buf path = {0};

    clock_text(r->begun_wall_us, time);
    if (r->path.n > 0)
        add_path(&path, l->path_mode, r->path);
    buf_addf(out, "{\"time\":\"%s\"", time);
    json_add_member(out, "id", slice_of(r->id));
    json_add_member(out, "tenant", slice_of(r->tenant));
    json_add_member(out, "method", r->method.n == 0 ? (struct slice){NULL, 0} : r->method);
    json_add_member(out, "path", buf_slice(&path));
    buf_addf(out, ",\"status\":%d,\"bytes_in\":%llu,\"bytes_out\":%llu", r->status,
             (unsigned long long)r->bytes_in, (unsigned long long)r->bytes_out);
    add_number(out, "first_ms", r->first_us);
    add_number(out, "total_ms", r->total_us);
    buf_addf(out, ",\"reused\":%s", r->tls == NULL ? "null" : r->reused ? "true" : "false");
    json_add_member(out, "tls", slice_of(r->tls));
    if (r->way != NULL && way_times_has_any(r->way))
        add_json_way(out, r->way);
    if (l->caller)
        add_json_caller(out, r);
    add_json_words(out, r);
    buf_add_string(out, "}");
    buf_free(&path);
}

void access_log_format(struct buf *out, const struct access_log *l, const struct record *r)
{
    if (l->format == LOG_JSON)
        format_json(out, l, r);
    else
        format_text(out, l, r);
}

void access_log_write(void *ctx, const struct record *r)
{
    access_log_format(r->room, ctx, r);
    (void)log_line(buf_slice(r->room));
}
