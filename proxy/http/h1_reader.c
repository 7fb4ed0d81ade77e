#include "http/h1_reader.h"

#include <http_parser.h>

#include "http/chars.h"

enum { MAX_EMPTY_LINES = 2 * 2, START_LINE_EXTRA = 64, TLS_HANDSHAKE_RECORD = 0x16 };

/* How the same flaw is called in a request and in a response. */
struct flaws {
    enum fail malformed, ambiguous, too_large;
};

static const struct flaws request_flaws = {FAIL_REQUEST_MALFORMED, FAIL_REQUEST_AMBIGUOUS,
                                           FAIL_HEAD_TOO_LARGE};
static const struct flaws response_flaws = {FAIL_ANSWER_MALFORMED, FAIL_ANSWER_MALFORMED,
                                            FAIL_ANSWER_TOO_LARGE};

void h1_reader_setup(void)
{
    http_parser_set_max_header_size(UINT32_MAX); /* our own limit is exact, the library's is not */
}

static struct slice part(struct slice s, size_t from, size_t to)
{
    return (struct slice){s.p + from, to - from};
}

/* Finds the empty line that ends the head; *end is the offset behind it. */
static enum h1_result find_end(struct h1_reader *r, size_t max_head, struct slice b,
                               const struct flaws *flaws, size_t *end, struct failure *why)
{
    const char *lf;

    while (r->scanned < b.n && (lf = memchr(b.p + r->scanned, '\n', b.n - r->scanned)) != NULL) {
        size_t at = (size_t)(lf - b.p);
        if (at == 0 || b.p[at - 1] != '\r') {
            failure_set(why, flaws->malformed, "A line of the head ends in LF without CR.");
            return H1_REFUSED;
        }
        r->scanned = at + 1;
        if (at - 1 > r->line_start) {
            r->line_start = r->scanned;
        } else if (r->line_start > r->start) {
            *end = r->scanned;
            break;
        } else { /* an empty line before the start line (RFC 9112, 2.2) */
            r->start = r->line_start = r->scanned;
            if (flaws == &response_flaws || r->start > MAX_EMPTY_LINES) {
                failure_set(why, flaws->malformed, "There are empty lines before the message.");
                return H1_REFUSED;
            }
        }
    }
    if (*end == 0)
        r->scanned = b.n;
    if (r->scanned - r->start > max_head) {
        failure_plain(why, flaws->too_large);
        return H1_REFUSED;
    }
    return *end == 0 ? H1_MORE : H1_DONE;
}

/* Fields that frame the message or rule the connection: if a blank stands before the colon, one
 * reader takes them for what they say and another for fields of an unknown name. */
static bool is_framing(enum field_id id)
{
    return (field_bit(id) & (FIELDS_HOP_BY_HOP | field_bit(FIELD_CONTENT_LENGTH) |
                             field_bit(FIELD_TRANSFER_ENCODING) | field_bit(FIELD_FRAMING_ALIAS) |
                             field_bit(FIELD_TRAILER))) != 0;
}

/* RFC 9112, 5.1: of a request such a blank is refused, of an answer a proxy removes it. */
static bool cut_blank(struct field *f, const struct flaws *flaws)
{
    struct slice name = slice_trim(f->name);

    if (name.n == f->name.n)
        return true;
    if (flaws == &request_flaws || is_framing(field_identify(name)))
        return false;
    f->name = name;
    return true;
}

static bool read_field(struct slice line, struct field *f, const struct flaws *flaws,
                       const char **flaw)
{
    const char *colon = memchr(line.p, ':', line.n);

    if (line.p[0] == ' ' || line.p[0] == '\t') {
        *flaw = "A header line begins with a blank (line folding is obsolete).";
        return false;
    }
    if (colon == NULL) {
        *flaw = "A header line has no colon.";
        return false;
    }
    f->name = part(line, 0, (size_t)(colon - line.p));
    f->value = slice_trim(part(line, f->name.n + 1, line.n));
    if (!cut_blank(f, flaws)) {
        *flaw = "A field has a blank before its colon.";
        return false;
    }
    if (f->name.n == 0 || !chars_are(f->name, CHAR_TOKEN)) {
        *flaw = "A field name holds a character that is not allowed there.";
        return false;
    }
    if (!chars_are(f->value, CHAR_VALUE)) {
        *flaw = "A field value holds a control character.";
        return false;
    }
    f->id = field_identify(f->name);
    return true;
}

/* lines: each ended by CRLF. */
static bool read_fields(struct slice lines, struct head *head, const struct flaws *flaws,
                        struct failure *why)
{
    const char *flaw = NULL;

    head->nfields = 0;
    head->seen = 0;
    while (lines.n > 0) {
        struct slice line = slice_split(&lines, '\n');
        line.n--; /* the CR */
        if (head->nfields == head->max_fields) {
            failure_plain(why, flaws->too_large);
            return false;
        }
        struct field *f = &head->fields[head->nfields];
        if (!read_field(line, f, flaws, &flaw)) {
            failure_set(why, flaws->malformed, "%s", flaw);
            return false;
        }
        head->nfields++;
        head->seen |= field_bit(f->id);
    }
    return true;
}

/* RFC 9112, 6: what the fields say of the body's length, if they say it unmistakably. */
static bool read_framing(struct head *h, const struct flaws *flaws, struct failure *why)
{
    const char *flaw = NULL;

    h->has_length = h->chunked = false;
    h->content_length = 0;
    if (head_has(h, FIELD_TRANSFER_ENCODING)) {
        h->chunked = true;
        if (head_count(h, FIELD_TRANSFER_ENCODING) > 1 ||
            !slice_eq_nocase(head_value(h, FIELD_TRANSFER_ENCODING), SLICE("chunked")))
            flaw = "Transfer-Encoding is something else than exactly one chunked.";
        else if (h->minor == 0)
            flaw = "An HTTP/1.0 message has Transfer-Encoding.";
        else if (head_has(h, FIELD_CONTENT_LENGTH))
            flaw = "The message has both Transfer-Encoding and Content-Length.";
    } else if (head_has(h, FIELD_CONTENT_LENGTH)) {
        h->has_length = true;
        if (head_count(h, FIELD_CONTENT_LENGTH) > 1)
            flaw = "Content-Length occurs more than once.";
        else if (!slice_to_u64(head_value(h, FIELD_CONTENT_LENGTH), INT64_MAX, &h->content_length))
            flaw = "Content-Length is not a decimal number.";
    }
    if (flaw == NULL && flaws == &request_flaws && head_has(h, FIELD_FRAMING_ALIAS))
        flaw = "Content_Length and Transfer_Encoding are refused: some servers read '_' as '-'.";
    if (flaw != NULL)
        failure_set(why, flaws->ambiguous, "%s", flaw);
    return flaw == NULL;
}

static bool feed(struct http_parser *p, struct slice bytes)
{
    static const struct http_parser_settings silent;

    return http_parser_execute(p, &silent, bytes.p, bytes.n) == bytes.n &&
           HTTP_PARSER_ERRNO(p) == HPE_OK;
}

/* A target that only some of the library's builds take is replaced by a stand-in. */
static bool feed_request(struct http_parser *p, struct slice message, struct slice target,
                         struct slice stand_in)
{
    size_t before = target.n == 0 ? 0 : (size_t)(target.p - message.p);

    if (target.n > 0 && (!feed(p, part(message, 0, before)) || !feed(p, stand_in)))
        return false;
    return feed(p, part(message, before + target.n, message.n));
}

/* Blanks before colons are left out: only some of the library's builds take them. */
static bool feed_response(struct http_parser *p, struct slice message, const struct head *h)
{
    const char *from = message.p, *end = message.p + message.n;

    for (size_t i = 0; i < h->nfields; i++) {
        const char *behind = h->fields[i].name.p + h->fields[i].name.n;
        if (*behind == ':')
            continue;
        if (!feed(p, (struct slice){from, (size_t)(behind - from)}))
            return false;
        from = memchr(behind, ':', (size_t)(end - behind));
    }
    return feed(p, (struct slice){from, (size_t)(end - from)});
}

/* The library has read what we have read; it must have come to the same result. */
static bool agrees(const struct http_parser *p, const struct head *h)
{
    return p->http_major == 1 && p->http_minor == h->minor &&
           ((p->flags & F_CHUNKED) != 0) == h->chunked &&
           (!h->has_length || p->content_length == h->content_length);
}

static const enum method methods[] = {
    [HTTP_GET] = METHOD_GET,     [HTTP_HEAD] = METHOD_HEAD,       [HTTP_POST] = METHOD_POST,
    [HTTP_PUT] = METHOD_PUT,     [HTTP_DELETE] = METHOD_DELETE,   [HTTP_OPTIONS] = METHOD_OPTIONS,
    [HTTP_PATCH] = METHOD_PATCH, [HTTP_CONNECT] = METHOD_CONNECT, [HTTP_TRACE] = METHOD_TRACE,
};

static enum method method_of(unsigned library_method)
{
    return library_method < ARRAY_LEN(methods) ? methods[library_method] : METHOD_OTHER;
}

/* RFC 9112, 3: method SP request-target SP HTTP-version, one blank each. */
static bool read_request_line(struct slice line, size_t max_target, struct head *h,
                              struct failure *why)
{
    const char *last = memrchr(line.p, ' ', line.n);
    struct slice rest = line;

    h->method_name = slice_split(&rest, ' ');
    if (last == NULL || last < rest.p || !chars_are(h->method_name, CHAR_TOKEN) ||
        h->method_name.n == 0) {
        failure_set(why, FAIL_REQUEST_MALFORMED,
                    "The first line is not of the form `METHOD target HTTP/1.1`.");
        return false;
    }
    struct slice version = {last + 1, line.n - (size_t)(last + 1 - line.p)};
    h->target = (struct slice){rest.p, (size_t)(last - rest.p)};
    if (!slice_eq(version, SLICE("HTTP/1.1")) && !slice_eq(version, SLICE("HTTP/1.0"))) {
        bool other = version.n == 8 && memcmp(version.p, "HTTP/", 5) == 0;
        failure_plain(why, other ? FAIL_REQUEST_VERSION : FAIL_REQUEST_MALFORMED);
        return false;
    }
    h->minor = version.p[7] - '0';
    if (h->target.n > max_target) {
        failure_plain(why, FAIL_TARGET_TOO_LONG);
        return false;
    }
    if (h->target.n == 0 || !chars_are(h->target, CHAR_TARGET | CHAR_ENCODE)) {
        failure_plain(why, FAIL_REQUEST_TARGET);
        return false;
    }
    h->target_needs_encoding = !chars_are(h->target, CHAR_TARGET);
    return true;
}

static bool read_request_head(struct slice message, const struct h1_limits *limits,
                              struct head *head, struct failure *why)
{
    struct slice rest = part(message, 0, message.n - 2); /* without the empty line */
    struct slice line = slice_split(&rest, '\n');
    struct http_parser parser;

    line.n--;
    if (!read_request_line(line, limits->max_target, head, why) ||
        !read_fields(rest, head, &request_flaws, why) || !read_framing(head, &request_flaws, why))
        return false;
    bool connect = slice_eq(head->method_name, SLICE("CONNECT"));
    http_parser_init(&parser, HTTP_REQUEST);
    bool replaced = connect || head->target_needs_encoding;
    if (!feed_request(&parser, message, replaced ? head->target : (struct slice){0},
                      connect ? SLICE("h:1") : SLICE("/")) ||
        !agrees(&parser, head)) {
        bool method = HTTP_PARSER_ERRNO(&parser) == HPE_INVALID_METHOD;
        failure_plain(why, method ? FAIL_METHOD_UNKNOWN : FAIL_REQUEST_MALFORMED);
        return false;
    }
    head->method = method_of(parser.method);
    if (!slice_eq(head->method_name, slice_of(http_method_str((enum http_method)parser.method)))) {
        failure_plain(why, FAIL_METHOD_UNKNOWN);
        return false;
    }
    size_t hosts = head_count(head, FIELD_HOST);
    if (hosts > 1 || (hosts == 0 && head->minor == 1)) {
        failure_plain(why, FAIL_REQUEST_HOST);
        return false;
    }
    return true;
}

/* Garbage is refused at its first byte: whoever sends it would not send a line end either. */
static bool check_first_byte(const struct h1_reader *r, struct slice b, struct failure *why)
{
    if (r->start >= b.n || b.p[r->start] == '\r' || char_is(b.p[r->start], CHAR_TOKEN))
        return true;
    if (b.p[r->start] == TLS_HANDSHAKE_RECORD)
        failure_set(why, FAIL_REQUEST_MALFORMED,
                    "The caller speaks TLS, but this listener serves plain HTTP: use http:// "
                    "instead of https:// in the URL.");
    else
        failure_plain(why, FAIL_REQUEST_MALFORMED);
    return false;
}

enum h1_result h1_read_request(struct h1_reader *r, const struct h1_limits *limits,
                               struct slice bytes, struct head *head, size_t *used,
                               struct failure *why)
{
    size_t end = 0;

    if (!check_first_byte(r, bytes, why))
        return H1_REFUSED;
    enum h1_result found = find_end(r, limits->max_head, bytes, &request_flaws, &end, why);
    bool in_first_line = r->line_start == r->start && end == 0;
    if (found == H1_REFUSED) {
        if (why->id == FAIL_HEAD_TOO_LARGE && in_first_line)
            failure_plain(why, FAIL_TARGET_TOO_LONG);
        return H1_REFUSED;
    }
    if (!check_first_byte(r, bytes, why)) /* it may stand behind empty lines */
        return H1_REFUSED;
    if (in_first_line && bytes.n - r->start > limits->max_target + START_LINE_EXTRA) {
        failure_plain(why, FAIL_TARGET_TOO_LONG);
        return H1_REFUSED;
    }
    if (found == H1_MORE)
        return H1_MORE;
    *used = end;
    return read_request_head(part(bytes, r->start, end), limits, head, why) ? H1_DONE : H1_REFUSED;
}

/* RFC 9112, 4: HTTP-version SP status-code SP [reason]; the last SP is often missing. */
static bool read_status_line(struct slice line, struct head *h, struct failure *why)
{
    uint64_t status = 0;

    h->reason = (struct slice){NULL, 0};
    if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 ||
        (line.p[7] != '0' && line.p[7] != '1') || line.p[8] != ' ' ||
        !slice_to_u64(part(line, 9, 12), 599, &status) || status < 100 ||
        (line.n > 12 && line.p[12] != ' ')) {
        failure_set(why, FAIL_ANSWER_MALFORMED,
                    "The server's answer does not begin like one of HTTP/1.1.");
        return false;
    }
    if (line.n > 13)
        h->reason = part(line, 13, line.n);
    if (!chars_are(h->reason, CHAR_VALUE)) {
        failure_set(why, FAIL_ANSWER_MALFORMED,
                    "The answer's status line holds a control character.");
        return false;
    }
    h->minor = line.p[7] - '0';
    h->status = (int)status;
    return true;
}

static bool begins_like_a_response(const struct h1_reader *r, struct slice b, struct failure *why)
{
    size_t n = b.n < 7 ? b.n : 7;

    if (r->line_start > 0 || memcmp(b.p, "HTTP/1.", n) == 0)
        return true;
    failure_set(why, FAIL_ANSWER_MALFORMED,
                "The server's answer does not begin like one of HTTP/1.1.");
    return false;
}

enum h1_result h1_read_response(struct h1_reader *r, const struct h1_limits *limits,
                                struct slice bytes, struct head *head, size_t *used,
                                struct failure *why)
{
    size_t end = 0;
    struct http_parser parser;

    if (!begins_like_a_response(r, bytes, why))
        return H1_REFUSED;
    enum h1_result found = find_end(r, limits->max_head, bytes, &response_flaws, &end, why);
    if (found != H1_DONE)
        return found;
    struct slice message = part(bytes, 0, end), rest = part(bytes, 0, end - 2);
    struct slice line = slice_split(&rest, '\n');
    line.n--;
    if (!read_status_line(line, head, why) || !read_fields(rest, head, &response_flaws, why) ||
        !read_framing(head, &response_flaws, why))
        return H1_REFUSED;
    http_parser_init(&parser, HTTP_RESPONSE);
    if (!feed_response(&parser, message, head) || !agrees(&parser, head) ||
        parser.status_code != (unsigned)head->status) {
        failure_plain(why, FAIL_ANSWER_MALFORMED);
        return H1_REFUSED;
    }
    *used = end;
    return H1_DONE;
}

bool h1_read_trailers(struct slice section, bool is_answer, struct head *head)
{
    struct failure ignored;

    return read_fields(section, head, is_answer ? &response_flaws : &request_flaws, &ignored);
}
