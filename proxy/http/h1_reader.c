#include "http/h1_reader.h"

#include <assert.h>

#include <http_parser.h>

#include "base/block.h"
#include "http/chars.h"
#include "http/h1_fields.h"

enum {
    MAX_EMPTY_LINES = 2 * 2,     /* bytes: two lines before a request (RFC 9112, 2.2) */
    START_LINE_EXTRA = 64,       /* bytes of a request line beside the target */
    TLS_HANDSHAKE_RECORD = 0x16, /* RFC 8446, 5.1 */
    /* Where the parts of a status line are: "HTTP/1.1 200 OK" (RFC 9112, 4). */
    STATUS_MINOR = 7,
    STATUS_CODE = 9,
    STATUS_CODE_END = 12,
    STATUS_REASON = 13,
    STATUS_MAX = 599,
};

/* The failures of one flaw in a request and in a response. */
struct flaws {
    enum fail malformed, ambiguous, too_large;
};

static const struct flaws request_flaws = {FAIL_REQUEST_MALFORMED, FAIL_REQUEST_AMBIGUOUS,
                                           FAIL_HEAD_TOO_LARGE};
static const struct flaws response_flaws = {FAIL_ANSWER_MALFORMED, FAIL_ANSWER_MALFORMED,
                                            FAIL_ANSWER_TOO_LARGE};

void h1_reader_setup(void)
{
    http_parser_set_max_header_size(UINT32_MAX); /* our own limit is exact; the library's is not */
}

static struct slice part(struct slice s, size_t from, size_t to)
{
    return (struct slice){s.p + from, to - from};
}

/* Cuts the first line off a head whose lines all end with CRLF. Returns it without the CRLF. */
static struct slice cut_line(struct slice *head)
{
    struct slice line = slice_split(head, '\n');

    assert(line.n > 0);
    return part(line, 0, line.n - 1);
}

/* Does the LF at that offset end the head, or come without CR? */
static bool is_remarkable(const char *b, size_t at)
{
    return b[at] == '\n' && (at == 0 || b[at - 1] != '\r' || (at > 1 && b[at - 2] == '\n'));
}

static block find_remarkable_in(const char *p)
{
    return block_find(p, '\n') & (~block_find(p - 1, '\r') | block_find(p - 2, '\n'));
}

/* The first remarkable LF at or after `from`; n if there is none. */
static size_t find_remarkable(const char *b, size_t from, size_t n)
{
    size_t at, first = from < 2 ? 2 : from;

    for (; from < first && from < n; from++)
        if (is_remarkable(b, from))
            return from;
    for (; n - from >= BLOCK_SIZE; from += BLOCK_SIZE) {
        at = block_first(find_remarkable_in(b + from));
        if (at < BLOCK_SIZE)
            return from + at;
    }
    /* The rest, together with some bytes before it that have none. */
    if (n >= first + BLOCK_SIZE) {
        from = n - BLOCK_SIZE;
        at = block_first(find_remarkable_in(b + from));
        return at < BLOCK_SIZE ? from + at : n;
    }
    while (from < n && !is_remarkable(b, from))
        from++;
    return from;
}

/* Skips empty lines before the start line (RFC 9112, 2.2). */
static bool skip_empty_lines(struct h1_reader *r, struct slice b, const struct flaws *flaws)
{
    while (b.n - r->start >= 2 && b.p[r->start] == '\r' && b.p[r->start + 1] == '\n') {
        r->start += 2;
        r->scanned = r->start;
        if (flaws == &response_flaws || r->start > MAX_EMPTY_LINES)
            return false;
    }
    return true;
}

/* Finds the empty line that ends the head. *end: the offset after it. */
static enum h1_result find_end(struct h1_reader *r, size_t max_head, struct slice b,
                               const struct flaws *flaws, size_t *end, struct failure *why)
{
    if (!skip_empty_lines(r, b, flaws)) {
        failure_set(why, flaws->malformed, "There are empty lines before the message.");
        return H1_REFUSED;
    }
    size_t at = find_remarkable(b.p, r->scanned, b.n);
    r->scanned = at < b.n ? at + 1 : at;
    if (at < b.n && (at == 0 || b.p[at - 1] != '\r')) {
        failure_set(why, flaws->malformed, "A line of the head ends in LF without CR.");
        return H1_REFUSED;
    }
    if (at < b.n)
        *end = r->scanned;
    if (r->scanned - r->start > max_head) {
        failure_plain(why, flaws->too_large);
        return H1_REFUSED;
    }
    return *end == 0 ? H1_MORE : H1_DONE;
}

/* lines: each ends with CRLF. */
static bool read_fields(struct slice lines, struct head *head, const struct flaws *flaws,
                        struct failure *why)
{
    const char *flaw;

    switch (h1_read_fields(lines, flaws == &response_flaws, head, &flaw)) {
    case H1_FIELDS_READ:
        head_read_options(head);
        return true;
    case H1_FIELDS_TOO_MANY:
        failure_plain(why, flaws->too_large);
        return false;
    default:
        failure_set(why, flaws->malformed, "%s", flaw);
        return false;
    }
}

/* Reads what the fields say about the body's length (RFC 9112, 6). Refuses what two readers could
 * understand differently. */
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
        flaw = "Some servers take a field for Content-Length or Transfer-Encoding because of its "
               "name.";
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

/* Feeds the request line, which ends with CRLF. A target that not all builds of the library accept
 * is replaced by a stand-in. */
static bool feed_request_line(struct http_parser *p, struct slice line, struct slice target,
                              struct slice stand_in)
{
    size_t before = target.n == 0 ? 0 : (size_t)(target.p - line.p);

    if (target.n > 0 && (!feed(p, part(line, 0, before)) || !feed(p, stand_in)))
        return false;
    return feed(p, part(line, before + target.n, line.n));
}

/* Feeds the fields that agrees() is about, and the end of the head. Of any other field the library
 * checks only the characters, and h1_read_fields() allows fewer. */
static bool feed_fields(struct http_parser *p, const struct head *h, struct slice lines)
{
    const uint64_t framing = field_bit(FIELD_CONTENT_LENGTH) | field_bit(FIELD_TRANSFER_ENCODING);

    for (size_t i = 0; (h->seen & framing) != 0 && i < h->nfields; i++) {
        const struct field *f = &h->fields[i];
        size_t from = (size_t)(f->name.p - lines.p);
        size_t to = i + 1 < h->nfields ? (size_t)(f[1].name.p - lines.p) : lines.n;
        if ((field_bit(f->id) & framing) != 0 && !feed(p, part(lines, from, to)))
            return false;
    }
    return feed(p, SLICE("\r\n"));
}

/* Has the library read the same as we have? */
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

/* Reads the request line: method SP request-target SP HTTP-version, with exactly one blank each
 * (RFC 9112, 3). */
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
    struct slice line = cut_line(&rest);
    struct http_parser parser;

    if (!read_request_line(line, limits->max_target, head, why) ||
        !read_fields(rest, head, &request_flaws, why) || !read_framing(head, &request_flaws, why))
        return false;
    bool connect = slice_eq(head->method_name, SLICE("CONNECT"));
    http_parser_init(&parser, HTTP_REQUEST);
    bool replaced = connect || head->target_needs_encoding;
    if (!feed_request_line(&parser, part(message, 0, (size_t)(rest.p - message.p)),
                           replaced ? head->target : (struct slice){0},
                           connect ? SLICE("h:1") : SLICE("/")) ||
        !feed_fields(&parser, head, rest) || !agrees(&parser, head)) {
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

/* Garbage is refused at its first byte, because its sender may never send the end of a line. */
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

static bool in_first_line(const struct h1_reader *r, struct slice b)
{
    return memchr(b.p + r->start, '\n', b.n - r->start) == NULL;
}

enum h1_result h1_read_request(struct h1_reader *r, const struct h1_limits *limits,
                               struct slice bytes, struct head *head, size_t *used,
                               struct failure *why)
{
    size_t end = 0;

    if (!check_first_byte(r, bytes, why))
        return H1_REFUSED;
    enum h1_result found = find_end(r, limits->max_head, bytes, &request_flaws, &end, why);
    if (found == H1_REFUSED) {
        if (why->id == FAIL_HEAD_TOO_LARGE && end == 0 && in_first_line(r, bytes))
            failure_plain(why, FAIL_TARGET_TOO_LONG);
        return H1_REFUSED;
    }
    if (!check_first_byte(r, bytes, why)) /* empty lines may have come before it */
        return H1_REFUSED;
    if (found == H1_MORE && bytes.n - r->start > limits->max_target + START_LINE_EXTRA &&
        in_first_line(r, bytes)) {
        failure_plain(why, FAIL_TARGET_TOO_LONG);
        return H1_REFUSED;
    }
    if (found == H1_MORE)
        return H1_MORE;
    *used = end;
    return read_request_head(part(bytes, r->start, end), limits, head, why) ? H1_DONE : H1_REFUSED;
}

/* Reads the status line: HTTP-version SP status-code SP [reason] (RFC 9112, 4). The last blank is
 * often missing. */
static bool read_status_line(struct slice line, struct head *h, struct failure *why)
{
    uint64_t status = 0;

    h->reason = (struct slice){NULL, 0};
    if (line.n < STATUS_CODE_END || memcmp(line.p, "HTTP/1.", STATUS_MINOR) != 0 ||
        (line.p[STATUS_MINOR] != '0' && line.p[STATUS_MINOR] != '1') ||
        line.p[STATUS_CODE - 1] != ' ' ||
        !slice_to_u64(part(line, STATUS_CODE, STATUS_CODE_END), STATUS_MAX, &status) ||
        status < 100 || (line.n > STATUS_CODE_END && line.p[STATUS_CODE_END] != ' ')) {
        failure_set(why, FAIL_ANSWER_MALFORMED,
                    "The server's answer does not begin like one of HTTP/1.1.");
        return false;
    }
    if (line.n > STATUS_REASON)
        h->reason = part(line, STATUS_REASON, line.n);
    if (!chars_are(h->reason, CHAR_VALUE)) {
        failure_set(why, FAIL_ANSWER_MALFORMED,
                    "The answer's status line holds a control character.");
        return false;
    }
    h->minor = line.p[7] - '0';
    h->status = (int)status;
    return true;
}

/* Is there a tab after the value that frames the message? Blanks there mean nothing, but not every
 * reader accepts a tab as a blank. */
static bool is_framed_with_tab(const struct head *h)
{
    struct slice value = head_value(h, head_has(h, FIELD_CONTENT_LENGTH) ? FIELD_CONTENT_LENGTH
                                                                         : FIELD_TRANSFER_ENCODING);
    const char *behind = value.p == NULL ? "" : value.p + value.n;

    while (*behind == ' ')
        behind++;
    return *behind == '\t';
}

static bool only_begins_like_transfer_encoding(const struct field *f)
{
    return f->id == FIELD_FRAMING_ALIAS && f->name.n > SLICE("transfer-encoding").n;
}

/* Would http-parser and similar readers frame the answer differently? For them a name that only
 * begins like Transfer-Encoding cancels the framing before it. In requests all such names are
 * refused, and http-parser itself reads the blanks. */
static bool is_framed_oddly(const struct head *h)
{
    bool framed = h->has_length;

    for (size_t i = 0; head_has(h, FIELD_FRAMING_ALIAS) && i < h->nfields; i++) {
        if (framed && only_begins_like_transfer_encoding(&h->fields[i]))
            return true;
        framed |= h->fields[i].id == FIELD_TRANSFER_ENCODING;
    }
    return is_framed_with_tab(h);
}

static bool begins_like_a_response(struct slice b, struct failure *why)
{
    size_t n = b.n < 7 ? b.n : 7;

    if (memcmp(b.p, "HTTP/1.", n) == 0)
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

    if (!begins_like_a_response(bytes, why))
        return H1_REFUSED;
    enum h1_result found = find_end(r, limits->max_head, bytes, &response_flaws, &end, why);
    if (found != H1_DONE)
        return found;
    struct slice rest = part(bytes, 0, end - 2);
    struct slice line = cut_line(&rest);
    if (!read_status_line(line, head, why) || !read_fields(rest, head, &response_flaws, why) ||
        !read_framing(head, &response_flaws, why))
        return H1_REFUSED;
    if (is_framed_oddly(head)) {
        failure_plain(why, FAIL_ANSWER_MALFORMED);
        return H1_REFUSED;
    }
    *used = end;
    return H1_DONE;
}

bool h1_read_trailers(struct slice section, bool is_answer, struct head *head)
{
    const char *ignored;

    return h1_read_fields(section, is_answer, head, &ignored) == H1_FIELDS_READ;
}
