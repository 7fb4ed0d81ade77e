#include "http/edit.h"

#include "http/chars.h"
#include "http/max_forwards.h"

/* The name of this proxy in Proxy-Status (RFC 9209, 2). */
static const char proxy_name[] = "sfmtls";

static void add_field(struct buf *out, struct slice name, struct slice value)
{
    buf_add_slice(out, name);
    buf_add(out, ": ", 2);
    buf_add_slice(out, value);
    buf_add(out, "\r\n", 2);
}

/* Copies a field as it came. Most fields are written "name: value", so they are copied in one
 * piece. */
static void copy_field(struct buf *out, const struct field *f)
{
    const char *behind = f->name.p + f->name.n;

    if (f->value.p != behind + 2 || behind[0] != ':' || behind[1] != ' ') {
        add_field(out, f->name, f->value);
        return;
    }
    buf_add(out, f->name.p, f->name.n + 2 + f->value.n);
    buf_add(out, "\r\n", 2);
}

bool edit_connection_is_sound(const struct head *request, struct failure *why)
{
    const uint64_t vital = field_bit(FIELD_HOST) | field_bit(FIELD_CONTENT_LENGTH) |
                           field_bit(FIELD_TRANSFER_ENCODING) | field_bit(FIELD_COOKIE) |
                           field_bit(FIELD_COMPANY_ID);
    struct head_list at = {0};
    struct slice option;

    while (head_says(request, OPTION_FIELD) &&
           head_next_member(request, FIELD_CONNECTION, &at, &option)) {
        if ((field_bit(field_identify(option)) & vital) != 0) {
            failure_set(why, FAIL_REQUEST_MALFORMED,
                        "The Connection field names %.*s, which cannot be taken out of a request.",
                        (int)option.n, option.p);
            return false;
        }
    }
    return true;
}

static bool is_replaced(const struct edit_header *headers, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq_nocase(slice_of(headers[i].name), name))
            return true;
    return false;
}

static void add_number(struct buf *out, const struct field *f, uint64_t value)
{
    buf_add_slice(out, f->name);
    buf_add(out, ": ", 2);
    buf_add_u64(out, value);
    buf_add(out, "\r\n", 2);
}

/* One time less than before. The request was judged, so the number can be read. */
static void add_max_forwards(struct buf *out, const struct head *request, const struct field *f)
{
    struct failure ignored;
    uint64_t left;

    if (request->method == METHOD_OPTIONS && max_forwards_read(request, &left, &ignored))
        add_number(out, f, left - 1);
    else
        copy_field(out, f);
}

/* Keeps those content codings that the caller accepts and that can be decoded here (RFC 9110,
 * 12.5.3). */
static void add_accept_encoding(struct buf *out, const struct head *request, const struct field *f)
{
    struct head_list at = {0};
    struct slice member;
    bool any = false;

    if (head_next(request, FIELD_ACCEPT_ENCODING, &(size_t){0}) != f)
        return; /* the first one has listed all */
    buf_add_slice(out, f->name);
    buf_add(out, ": ", 2);
    while (head_next_member(request, FIELD_ACCEPT_ENCODING, &at, &member)) {
        struct slice rest = member, name = slice_trim(slice_split(&rest, ';'));
        if (!slice_eq_nocase(name, SLICE("gzip")) && !slice_eq_nocase(name, SLICE("x-gzip")) &&
            !slice_eq_nocase(name, SLICE("deflate")) && !slice_eq_nocase(name, SLICE("identity")))
            continue;
        buf_add_string(out, any ? ", " : "");
        buf_add_slice(out, member);
        any = true;
    }
    buf_add_string(out, any ? "\r\n" : "identity\r\n");
}

static void add_cookie(struct buf *out, const struct field *f, const struct edit_rules *rules)
{
    size_t start = out->n;

    buf_add_slice(out, f->name);
    buf_add(out, ": ", 2);
    size_t value = out->n;
    rules->write_cookie(rules->ctx, f->value, out);
    if (out->n == value && f->value.n > 0)
        out->n = start;
    else
        buf_add(out, "\r\n", 2);
}

static uint64_t dropped_of_request(const struct head *request, const struct edit_rules *rules)
{
    uint64_t drop = rules->drop | FIELDS_HOP_BY_HOP | FIELDS_STRIPPED | field_bit(FIELD_HOST) |
                    field_bit(FIELD_COMPANY_ID);

    if (!rules->keep_authorization)
        drop |= field_bit(FIELD_AUTHORIZATION);
    if (request->minor == 0)
        drop |= field_bit(FIELD_EXPECT); /* HTTP/1.0: RFC 9110, 10.1.1 */
    if (rules->body == EDIT_BODY_LATER)
        drop |= field_bit(FIELD_EXPECT); /* the proxy itself asks the caller for the body */
    if (rules->body != EDIT_BODY_KEEP)
        drop |= field_bit(FIELD_CONTENT_LENGTH) | field_bit(FIELD_TRANSFER_ENCODING) |
                field_bit(FIELD_BODY_DIGEST);
    return drop;
}

/* Adds the request's fields with the indexes from `from` up to, but not including, `to`. */
static void add_request_fields(struct buf *out, const struct head *request, size_t from, size_t to,
                               const struct edit_rules *rules)
{
    uint64_t drop = dropped_of_request(request, rules);
    /* then each field has to be looked up in Connection */
    bool named = head_says(request, OPTION_FIELD);

    for (size_t i = from; i < to; i++) {
        const struct field *f = &request->fields[i];
        if ((field_bit(f->id) & drop) != 0 ||
            is_replaced(rules->headers, rules->nheaders, f->name) ||
            (named && head_connection_has(request, f->name)))
            continue;
        if (f->id == FIELD_CONTENT_LENGTH)
            add_number(out, f, request->content_length);
        else if (f->id == FIELD_ACCEPT_ENCODING && rules->undoes_codings)
            add_accept_encoding(out, request, f);
        else if (f->id == FIELD_TRANSFER_ENCODING)
            add_field(out, f->name, SLICE("chunked"));
        else if (f->id == FIELD_COOKIE && rules->write_cookie != NULL)
            add_cookie(out, f, rules);
        else if (f->id == FIELD_MAX_FORWARDS)
            add_max_forwards(out, request, f);
        else
            copy_field(out, f);
    }
}

void edit_request_field(struct buf *out, const struct head *request, const struct field *f,
                        const struct edit_rules *rules)
{
    size_t i = (size_t)(f - request->fields);

    add_request_fields(out, request, i, i + 1, rules);
}

void edit_request(struct buf *out, const struct head *request, const struct target *target,
                  const struct edit_rules *rules)
{
    buf_add_slice(out, request->method_name);
    buf_add(out, " ", 1);
    target_write_path(out, request, target);
    buf_add_string(out, " HTTP/1.1\r\nHost: ");
    buf_add_string(out, rules->host);
    buf_add(out, "\r\n", 2);
    add_request_fields(out, request, 0, request->nfields, rules);
    add_field(out, SLICE("successfactors-companyid"), slice_of(rules->company_id));
    for (size_t i = 0; i < rules->nheaders; i++)
        add_field(out, slice_of(rules->headers[i].name), slice_of(rules->headers[i].value));
    if (rules->body == EDIT_BODY_CHUNKED)
        buf_add_string(out, "Transfer-Encoding: chunked\r\n");
    if (rules->body != EDIT_BODY_LATER)
        buf_add(out, "\r\n", 2);
}

/* ---- reasons ---- */

/* tests/unit/http/edit_test.c checks that every field that may be left out has a reason. */
static const char *reason_of_class(uint64_t field)
{
    const struct {
        uint64_t fields;
        const char *why;
    } reasons[] = {
        {FIELDS_HOP_BY_HOP, "it is about the connection between the caller and sfmtls"},
        {field_bit(FIELD_CLIENT_CERT), "only the server's own edge may send it"},
        {field_bit(FIELD_FORWARDED), "nobody has verified the address that it tells"},
        {FIELDS_STRIPPED, "it is meant for sfmtls, not for the server"},
        {field_bit(FIELD_HOST), "the server's own name takes its place"},
        {field_bit(FIELD_COMPANY_ID), "the tenant's company-id takes its place"},
        {field_bit(FIELD_AUTHORIZATION), "the client certificate says who calls"},
        {field_bit(FIELD_EXPECT), "sfmtls asks the caller for the body itself"},
        {field_bit(FIELD_CONTENT_LENGTH) | field_bit(FIELD_TRANSFER_ENCODING),
         "links in the body are rewritten, which can change its length"},
        {field_bit(FIELD_BODY_DIGEST), "links in the body are rewritten, so it does not fit"},
        {field_bit(FIELD_RANGE), "links are rewritten in whole contents, not in parts"},
        {field_bit(FIELD_ORIGIN) | field_bit(FIELD_SEC_FETCH_SITE) | field_bit(FIELD_CORS),
         "sfmtls has judged the web page itself (allow-origin)"},
    };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if ((reasons[i].fields & field) != 0)
            return reasons[i].why;
    return "";
}

static const char *reason_of_change(const struct field *f)
{
    switch (f->id) {
    case FIELD_ACCEPT_ENCODING:
        return "links in the answer are rewritten, so sfmtls must be able to decode it";
    case FIELD_COOKIE:
        return "a server gets only the cookies that it has set";
    case FIELD_MAX_FORWARDS:
        return "sfmtls has forwarded the request once";
    default:
        return "sfmtls writes what it has read, in the one form of RFC 9112";
    }
}

const char *edit_reason(const struct head *request, const struct field *f,
                        const struct edit_rules *rules)
{
    struct buf written = {0};

    edit_request_field(&written, request, f, rules);
    bool stays = written.n > 0;
    buf_free(&written);
    if (stays)
        return reason_of_change(f);
    if ((field_bit(f->id) & dropped_of_request(request, rules)) != 0)
        return reason_of_class(field_bit(f->id));
    return is_replaced(rules->headers, rules->nheaders, f->name)
               ? "the tenant's header option of that name takes its place"
               : "the request's Connection field names it";
}

void edit_finish_head(struct buf *out, uint64_t content_length)
{
    buf_add_string(out, "Content-Length: ");
    buf_add_u64(out, content_length);
    buf_add_string(out, "\r\n\r\n");
}

void edit_finish_head_chunked(struct buf *out, bool expects)
{
    if (expects)
        buf_add_string(out, "Expect: 100-continue\r\n");
    buf_add_string(out, "Transfer-Encoding: chunked\r\n\r\n");
}

void edit_drop_fields(struct buf *head, uint64_t drop)
{
    struct slice rest = buf_slice(head);
    size_t kept = 0;

    while (rest.n > 0) {
        struct slice line = rest, name = slice_split(&rest, '\n');
        line.n -= rest.n;
        name = slice_split(&name, ':');
        if ((field_bit(field_identify(name)) & drop) != 0)
            continue;
        memmove(head->p + kept, line.p, line.n);
        kept += line.n;
    }
    head->n = kept;
}

void edit_trailer_rules_start(struct edit_trailer_rules *r, const struct head *h,
                              const struct edit_header *headers, size_t nheaders)
{
    struct head_list at = {0};
    struct slice option;

    *r = (struct edit_trailer_rules){.headers = headers, .nheaders = nheaders};
    while (head_next_member(h, FIELD_CONNECTION, &at, &option)) {
        buf_add_slice(&r->named, option);
        buf_add(&r->named, ",", 1);
    }
}

void edit_trailer_rules_drop(struct edit_trailer_rules *r, const char *name)
{
    buf_add_string(&r->named, name);
    buf_add(&r->named, ",", 1);
}

void edit_trailer_rules_drop_digests(struct edit_trailer_rules *r)
{
    static const char *const names[] = {"Content-MD5", "Digest", "Content-Digest", "Repr-Digest"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        edit_trailer_rules_drop(r, names[i]);
}

void edit_trailer_rules_free(struct edit_trailer_rules *r)
{
    buf_free(&r->named);
}

bool edit_drops_trailer(const void *rules, struct slice name)
{
    const struct edit_trailer_rules *r = rules;
    struct slice rest = buf_slice(&r->named);

    while (rest.n > 0)
        if (slice_eq_nocase(slice_split(&rest, ','), name))
            return true;
    return is_replaced(r->headers, r->nheaders, name);
}

/* The next member of a structured list (RFC 8941, 3.1). Commas inside strings do not separate. */
static struct slice next_list_member(struct slice *rest)
{
    bool quoted = false;
    size_t i = 0;

    for (; i < rest->n && (quoted || rest->p[i] != ','); i++) {
        if (rest->p[i] == '"')
            quoted = !quoted;
        else if (quoted && rest->p[i] == '\\' && i + 1 < rest->n)
            i++;
    }
    struct slice member = {rest->p, i};
    size_t skip = i < rest->n ? i + 1 : i;
    *rest = (struct slice){rest->p + skip, rest->n - skip};
    return slice_trim(member);
}

/* Is a quoted string still open at the end? A reader that joins lines would continue it in the next
 * line. */
static bool has_open_quote(struct slice s)
{
    bool open = false;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            open = !open;
        else if (open && s.p[i] == '\\')
            i++;
    }
    return open;
}

/* Leaves out members with this proxy's name: only this proxy may speak under it. */
static void add_proxy_status(struct buf *out, const struct field *f)
{
    struct slice rest = f->value;
    size_t start = out->n;

    if (has_open_quote(f->value))
        return;
    buf_add_slice(out, f->name);
    buf_add(out, ": ", 2);
    size_t first = out->n;
    while (rest.n > 0) {
        struct slice member = next_list_member(&rest), name = member;
        name = slice_trim(slice_split(&name, ';'));
        if (name.n >= 2 && name.p[0] == '"')
            name = (struct slice){name.p + 1, name.n - 2};
        if (member.n == 0 || slice_eq_nocase(name, slice_of(proxy_name)))
            continue;
        if (out->n > first)
            buf_add(out, ", ", 2);
        buf_add_slice(out, member);
    }
    if (out->n == first)
        out->n = start;
    else
        buf_add(out, "\r\n", 2);
}

static void add_status_line(struct buf *out, const struct head *response)
{
    buf_add_string(out, "HTTP/1.1 ");
    buf_add_u64(out, (uint64_t)response->status);
    buf_add(out, " ", 1);
    for (size_t i = 0; i < response->reason.n; i++) {
        char c = response->reason.p[i];
        buf_add(out, c >= ' ' && c < 0x7f ? &c : "?", 1);
    }
    buf_add(out, "\r\n", 2);
}

static void add_rewritten(struct buf *out, const struct field *f,
                          const struct edit_response_rules *rules)
{
    buf_add_slice(out, f->name);
    buf_add(out, ": ", 2);
    rules->write(rules->ctx, f, out);
    buf_add(out, "\r\n", 2);
}

void edit_response(struct buf *out, const struct head *response, enum framing body,
                   enum persistence persistence, const struct edit_response_rules *rules)
{
    uint64_t drop = rules->drop | FIELDS_HOP_BY_HOP | field_bit(FIELD_TRANSFER_ENCODING) |
                    field_bit(FIELD_PROXY_AUTHORIZATION) | field_bit(FIELD_PROXY_OTHER) |
                    field_bit(FIELD_HINT);
    bool named = head_says(response, OPTION_FIELD);

    if (response->status < 200 || response->status == 204)
        drop |= field_bit(FIELD_CONTENT_LENGTH); /* RFC 9110, 8.6 */
    add_status_line(out, response);
    for (size_t i = 0; i < response->nfields; i++) {
        const struct field *f = &response->fields[i];
        if ((field_bit(f->id) & drop) != 0)
            continue;
        if (f->id == FIELD_CONTENT_LENGTH)
            add_number(out, f, response->content_length);
        else if (f->id == FIELD_PROXY_STATUS)
            add_proxy_status(out, f);
        else if (named && head_connection_has(response, f->name))
            continue;
        else if ((field_bit(f->id) & rules->rewrite) != 0)
            add_rewritten(out, f, rules);
        else
            copy_field(out, f);
    }
    if (rules->fields != NULL)
        buf_add_string(out, rules->fields);
    if (body == FRAMING_CHUNKED)
        buf_add_string(out, "Transfer-Encoding: chunked\r\n");
    if (persistence == PERSIST_CLOSE)
        buf_add_string(out, "Connection: close\r\n");
    else if (persistence == PERSIST_KEEP_ALIVE)
        buf_add_string(out, "Connection: keep-alive\r\n");
    buf_add(out, "\r\n", 2);
}
