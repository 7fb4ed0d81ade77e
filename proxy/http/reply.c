#include "http/reply.h"

#include "base/json.h"
#include "http/date.h"

const char *reply_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {414, "URI Too Long"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].status == status)
            return known[i].reason;
    return "Unknown";
}

void reply_write(struct buf *out, const struct reply *r, int64_t wall_us)
{
    buf_addf(out, "HTTP/1.1 %d %s\r\n", r->status,
             r->reason != NULL ? r->reason : reply_reason(r->status));
    buf_add_string(out, "Date: ");
    date_write(out, (r->date_us != 0 ? r->date_us : wall_us) / 1000000);
    buf_add_string(out, "\r\n");
    if (r->content_type != NULL)
        buf_addf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", r->content_type, r->body.n);
    buf_add_string(out, "Cache-Control: no-store\r\n");
    if (r->fields != NULL)
        buf_add_string(out, r->fields);
    if (r->persistence == PERSIST_CLOSE)
        buf_add_string(out, "Connection: close\r\n");
    else if (r->persistence == PERSIST_KEEP_ALIVE)
        buf_add_string(out, "Connection: keep-alive\r\n");
    buf_add_string(out, "\r\n");
    if (!r->head_only)
        buf_add_slice(out, r->body);
}

static void add_problem(struct buf *b, const struct failure *f, const char *request_id)
{
    const struct fail_info *info = fail_info(f->id);

    buf_addf(b, "{\"type\":\"urn:sfmtls:error:%s\"", info->token);
    json_add_member(b, "title", slice_of(info->title));
    buf_addf(b, ",\"status\":%d", info->status);
    json_add_member(b, "detail", slice_of(f->detail.text));
    json_add_member(b, "token", slice_of(info->token));
    json_add_member(b, "code", slice_of(failure_code(f)));
    json_add_member(b, "cure", slice_of(failure_cure(f)));
    json_add_member(b, "request_id", slice_of(request_id));
    buf_add_string(b, "}\n");
}

/* Adds the challenge of a 401 or 407 (RFC 9110, 11.6.1 and 11.7.1). */
static void add_challenge(struct buf *fields, const struct failure *f)
{
    if (f->id == FAIL_CALLER_TOKEN || f->id == FAIL_ADMIN_TOKEN)
        buf_add_string(fields, "WWW-Authenticate: Bearer realm=\"sfmtls\"\r\n");
    else if (f->id == FAIL_PROXY_TOKEN)
        buf_add_string(fields, "Proxy-Authenticate: Bearer realm=\"sfmtls\"\r\n");
    else if (fail_info(f->id)->status == 401)
        buf_addf(fields, "WWW-Authenticate: Basic realm=\"sfmtls: user@COMPANY\"%s\r\n",
                 f->id == FAIL_CALLER_UNKNOWN ? ", charset=\"UTF-8\"" : ""); /* RFC 7617, 2.1 */
}

/* The value of Allow in a 405 (RFC 9110, 10.2.1). */
static const char *allowed_methods(enum fail id)
{
    return id == FAIL_ADMIN_METHOD ? "GET, HEAD" : id == FAIL_ADMIN_POST ? "POST" : REPLY_METHODS;
}

void reply_problem(struct buf *out, const struct failure *f, const char *request_id, bool head_only,
                   enum persistence persistence, const char *more, int64_t wall_us)
{
    const struct fail_info *info = fail_info(f->id);
    struct buf body = {0}, fields = {0};

    add_problem(&body, f, request_id);
    buf_addf(&fields, "Proxy-Status: sfmtls; error=%s; details=\"%s\"\r\n", info->proxy_error,
             info->token);
    /* Otherwise, a browser that a foreign page has sent here would ask for /favicon.ico in the name
     * of this page. */
    buf_add_string(&fields, "Content-Security-Policy: default-src 'none'\r\n");
    if (failure_retry_after(f) > 0)
        buf_addf(&fields, "Retry-After: %d\r\n", failure_retry_after(f));
    add_challenge(&fields, f);
    if (info->status == 405)
        buf_addf(&fields, "Allow: %s\r\n", allowed_methods(f->id));
    if (more != NULL)
        buf_add_string(&fields, more);
    buf_add(&fields, "", 1); /* reply_write() expects a string */
    reply_write(out,
                &(struct reply){.status = info->status,
                                .reason = info->token,
                                .content_type = "application/problem+json",
                                .body = buf_slice(&body),
                                .head_only = head_only,
                                .persistence = persistence,
                                .fields = fields.p},
                wall_us);
    buf_free(&body);
    buf_free(&fields);
}

void reply_options(struct buf *out, const char *more, enum persistence persistence, int64_t wall_us)
{
    struct buf fields = {0};

    buf_addf(&fields, "Allow: " REPLY_METHODS "\r\n%s", more == NULL ? "" : more);
    buf_add(&fields, "", 1); /* reply_write() expects a string */
    reply_write(out, &(struct reply){.status = 204, .persistence = persistence, .fields = fields.p},
                wall_us);
    buf_free(&fields);
}
