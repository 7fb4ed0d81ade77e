/*
 * Any bytes as a script of what callers, servers and time do, in any order: callers send requests,
 * whole, in portions, or garbage; they half-close, reset, stop reading. Servers take or refuse
 * connections, answer well or badly, end in order or in the middle. Between the steps stands the
 * real proxy: a worker with its loop, streams, exchanges, pool and queue (see memory_sockets.h).
 *
 * Whatever happens: a server gets sound requests only, each under its own tenant's name and without
 * what must not travel, nothing that is not idempotent twice, and the next one only when the one
 * before is answered. A caller gets one sound answer for each request, in order, each the one that
 * a server gave to that very request; one that is cut off can be told from a whole one. In the end
 * nothing is left: no caller, no connection, no descriptor, no memory.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "caller/checker.h"
#include "caller/arrival.h"
#include "config/config.h"
#include "exchange/cookies.h"
#include "exchange/exchange.h"
#include "http/chars.h"
#include "memory_sockets.h"
#include "process/worker.h"
#include "tls/issue.h"

enum {
    SLOTS = 4,        /* callers at a time */
    CALLERS_MAX = 16, /* in one script */
    REQUESTS_MAX = 16,
    TAG_SIZE = 12,
    ACME_PORT = 9001,
    GLOBEX_PORT = 9002,
    TUNNEL_PORT = 7777,
    COLLECTED_AT_MOST = 100000,  /* of all requests together */
    BOMB_SIZE = 2 * 1024 * 1024, /* of blanks, in gzip */
    TURN_AT_MOST =
        3 * 256 * 1024, /* bytes for one caller in one turn; what waited in its queue, too */
};

/* ---- the script ---- */

static const uint8_t *script;
static size_t script_left;

static unsigned next_byte(void)
{
    if (script_left == 0)
        return 0;
    script_left--;
    return *script++;
}

static struct slice next_bytes(void)
{
    size_t n = next_byte();

    n = n < script_left ? n : script_left;
    struct slice s = {(const char *)script, n};
    script += n;
    script_left -= n;
    return s;
}

/* ---- what callers ask ---- */

struct canned {
    const char *method, *fields, *body;
    size_t filler;                 /* bytes of body more */
    bool absolute, http_1_0, once; /* once: must not be sent twice */
};

#define ACME   "successfactors-companyid: ACME\r\n"
#define GLOBEX "SuccessFactors_CompanyID: GLOBEX\r\n"
#define JSON   "Content-Type: application/json\r\n"

static const struct canned requests[] = {
    {"GET", ACME, ""},
    {"GET", GLOBEX, ""},
    {"POST", ACME "Content-Length: 10\r\n", "0123456789", .once = true},
    {"POST", GLOBEX "Transfer-Encoding: chunked\r\n", "5;x\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
     .once = true},
    {"HEAD", ACME, ""},
    {"GET", ACME, "", .http_1_0 = true},
    {"GET", ACME "Connection: keep-alive\r\n", "", .http_1_0 = true},
    {"POST", ACME "Expect: 100-continue\r\nContent-Length: 5\r\n", "hello", .once = true},
    {"PUT", ACME "Content-Length: 80000\r\n", "", .filler = 80000},
    {"GET",
     "Authorization: Basic dXNlckBBQ01FOnNlY3JldA==\r\nProxy-Authorization: x\r\n"
     "X-CLIENT-CERT: x\r\nConnection: close, x-a\r\nX-A: b\r\nTE: trailers\r\n",
     ""},
    {"GET", "", "", .absolute = true},
    {"DELETE", GLOBEX, ""},
    {"GET", ACME "Origin: http://evil.example\r\n", ""},
    {"POST", ACME "Content-Type: application/json\r\nContent-Length: 35\r\n",
     "{\"uri\":\"http://localhost/odata/v2\"}", .once = true},
    {"GET", ACME "Upgrade: h2c\r\nConnection: upgrade\r\nCookie: a=b\r\n", ""},
    {"PUT", GLOBEX "Content-Length: 20\r\n", "01234567890123456789"},
    {"POST", ACME "X-HTTP-Method: MERGE\r\nContent-Length: 2\r\n", "{}", .once = true},
    {"OPTIONS", ACME, ""},
    {"GET", "", ""}, /* whose? */
    {"CONNECT", "", ""},
    {"POST", ACME JSON "Expect: 100-continue\r\nContent-Length: 35\r\n",
     "{\"uri\":\"http://localhost/odata/v2\"}", .once = true},
    {"PUT", GLOBEX JSON "Content-Length: 60000\r\n", "", .filler = 60000},
    {"POST", ACME "Content-Type: text/xml\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n", "",
     .filler = 70000, .once = true},
    {"PUT", ACME JSON "Content-Length: 300000\r\n", "", .filler = 300000},
    {"GET", ACME "Range: bytes=0-1\r\nIf-Range: \"e\"\r\n", ""},
    {"HEAD", GLOBEX "Range: bytes=5-\r\n", ""},
    {"POST", GLOBEX "Range: bytes=5-\r\nContent-Length: 2\r\n", "{}", .once = true},
};

struct asked {
    const struct canned *what;
    char tag[TAG_SIZE];
    unsigned arrivals; /* at a server, the whole head */
    bool spoilt;       /* its server said more than the answer */
};

struct caller {
    int fd;
    bool pure;   /* it has sent nothing but canned requests, and no CONNECT */
    bool holds;  /* what it sends waits for STEP_CALLER_FEEDS */
    bool stalls; /* it reads nothing by itself */
    struct buf pending;
    struct asked asked[REQUESTS_MAX];
    size_t nasked;
};

static struct caller callers[CALLERS_MAX];
static size_t ncallers;
static int slots[SLOTS]; /* index into callers, -1: nobody */

/* ---- what servers do ---- */

enum body_kind { BODY_EMPTY, BODY_LENGTH, BODY_CHUNKED, BODY_TO_CLOSE, BODY_JSON, BODY_BOMB };

struct reply {
    const char *status, *fields;
    enum body_kind body;
    size_t length;
    const char *before; /* interim answers */
    bool last;          /* nothing more on this connection */
};

static const struct reply replies[] = {
    {"200 OK", "", BODY_LENGTH, 40},
    {"200 OK", "", BODY_CHUNKED, 100},
    {"200 OK", "Connection: close\r\n", BODY_TO_CLOSE, 50, .last = true},
    {"204 No Content", "", BODY_EMPTY, 0},
    {"304 Not Modified", "Content-Length: 7\r\n", BODY_EMPTY, 0},
    {"200 OK", "", BODY_LENGTH, 10, .before = "HTTP/1.1 100 Continue\r\n\r\n"},
    {"200 OK", "", BODY_LENGTH, 10, .before = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"},
    {"200 OK", "", BODY_LENGTH, 100000},
    {"200 OK", "", BODY_CHUNKED, 150000},
    {"200 OK", JSON, BODY_JSON, 0},
    {"101 Switching Protocols", "Upgrade: x\r\nConnection: upgrade\r\n", BODY_EMPTY, 0,
     .last = true},
    {"200 OK", "Connection: close\r\n", BODY_LENGTH, 20, .last = true},
    {"500 Broken", "", BODY_LENGTH, 5000},
    {"200 OK", "Keep-Alive: timeout=2\r\n", BODY_LENGTH, 1},
    {"401 Unauthorized", "", BODY_LENGTH, 20},
    {"400 Bad", "X-Refuses: yes\r\n", BODY_LENGTH, 60},
    {"200 OK", "", BODY_LENGTH, 0},
    {"206 Partial Content", JSON "Content-Range: bytes 0-40/99\r\n", BODY_JSON, 0},
    {"206 Partial Content", "Content-Range: bytes 0-9/99\r\n", BODY_LENGTH, 10},
    {"416 Range Not Satisfiable", "Content-Range: bytes */9\r\n", BODY_LENGTH, 0},
    {"200 OK", JSON, BODY_LENGTH, 0},
    {"200 OK", "X-Blank\t : y\r\n", BODY_LENGTH, 30},
    {"200 OK", JSON "Content-Encoding: gzip\r\n", BODY_BOMB, 0},
    {"200 OK", JSON "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", BODY_BOMB, 700},
    {"200 OK", JSON "Content-Encoding: gzip\r\nConnection: close\r\n", BODY_BOMB, 0, .last = true},
};

struct server {
    bool pure;  /* it has sent nothing but canned answers */
    bool holds; /* what it sends waits for STEP_SERVER_FEEDS */
    bool stalls;
    bool shook; /* its hello is said */
    struct buf pending;
    /* what it got */
    size_t at;
    uint64_t left; /* of a body or chunk */
    enum { WANTS_HEAD, WANTS_BODY, WANTS_SIZE, WANTS_CHUNK, WANTS_CHUNK_END, WANTS_TRAILERS } wants;
    size_t nrequests;
    bool head_only;
    bool answered;                /* the last request; the answer may be in pending */
    bool is_last;                 /* it says that no other may follow */
    char tag[TAG_SIZE];           /* of the last request; empty: it had none */
    const struct caller *filling; /* the request's body is known: so many bytes of filler */
    size_t filler, filled;
};

static struct server servers[SOCKETS_MAX]; /* by socket */

static enum { HAND_AUTO, HAND_MANUAL } connecting, shaking;

/* ---- the proxy ---- */

static struct config *configs[2];
static struct shared shared;
static struct generation *generation;
static struct worker *worker;
static struct cookies *cookies;
static struct checker *checker;
static int64_t begun_wall_us;
static uint64_t runs;
static bool rewrites; /* the links of all tenants, so far */
static struct buf bomb;

int64_t __real_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void);

int64_t __wrap_clock_wall_us(void)
{
    return begun_wall_us == 0 ? __real_clock_wall_us() : begun_wall_us + clock_monotonic_us();
}

/* Nobody reads what is logged. */
void __wrap_log_say(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

void __wrap_log_say(enum log_level level, const char *format, ...)
{
    char line[512];
    va_list args;

    (void)level;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
}

static void on_record(void *ctx, const struct record *r)
{
    (void)ctx;
    if (r->failure == NULL ? r->status < 200 : fail_info(r->failure->id)->token[0] == '\0')
        abort();
}

static void on_drained(void *ctx, struct clients *c)
{
    (void)ctx;
    if (!c->draining)
        abort();
}

/* ---- setting up, once ---- */

/* Half of the time would go into remembering what was freed long ago. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=8";
}

static void must(enum status st, const struct diag *why)
{
    if (st == ST_OK)
        return;
    (void)fprintf(stderr, "%s\n", why->text);
    abort();
}

static void make_certificate(const char *folder, const char *name)
{
    struct credential *c = NULL;
    struct diag why = {""};
    struct issue_spec spec = {.common_name = name, .organization = "fuzz", .days = 90};
    char *certificate = mem_format("%s/%s.pem", folder, name);
    char *key = mem_format("%s/%s.key", folder, name);

    must(issue_credential(&spec, NULL, &c, &why), &why);
    must(credential_save(c, certificate, key, &why), &why);
    credential_unref(c);
    free(certificate);
    free(key);
}

static struct config *load(const char *folder, const char *text)
{
    char *path = mem_format("%s/sfmtls.ini", folder);
    FILE *f = fopen(path, "w");
    struct config *c = NULL;
    struct diag why = {""};

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
    must(config_load(path, NULL, NULL, &c, &why), &why);
    (void)unlink(path);
    free(path);
    return c;
}

static const char proxy_section[] =
    "[proxy]\nlisten = 127.0.0.1:1\nallow-uid = any\nmax-connections = 3\nqueue = "
    "1\nmax-head = 4k\nmax-fields = 30\n"
    "connect-other = tunnel\nconnect-allow = 127.0.0.1:7777\n";
static const char acme_section[] =
    "[tenant acme]\ncompany-id = ACME\nserver = localhost:9001\nconnect-to = 127.0.0.1:9001\n"
    "max-upstream = 2\nca-file = one.pem\n";
static const char globex_section[] =
    "[tenant globex]\ncompany-id = GLOBEX\nserver = localhost:9002\nconnect-to = 127.0.0.1:9002\n"
    "certificate = one.pem\nprivate-key = one.key\nca-file = one.pem\nallow = * /*, * *\n";

/* RFC 1952: zlib writes it. */
static void make_bomb(void)
{
    static char blanks[BOMB_SIZE];
    z_stream z = {0};

    memset(blanks, ' ', sizeof(blanks));
    buf_reserve(&bomb, 64 * 1024);
    z.next_in = (Bytef *)blanks;
    z.avail_in = sizeof(blanks);
    z.next_out = (Bytef *)bomb.p;
    z.avail_out = (uInt)bomb.cap;
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    bomb.n = bomb.cap - z.avail_out;
    (void)deflateEnd(&z);
}

static void set_up(void)
{
    static const char *const files[] = {"one.pem", "one.key", "two.pem", "two.key"};
    char folder[] = "/tmp/exchange_fuzz_XXXXXX";
    struct buf text = {0};

    if (mkdtemp(folder) == NULL)
        abort();
    make_certificate(folder, "one");
    make_certificate(folder, "two");
    buf_addf(&text,
             "%s%s%scertificate = one.pem\nprivate-key = one.key\ncertificate-next = two.pem\n"
             "private-key-next = two.key\n",
             proxy_section, globex_section, acme_section);
    buf_add(&text, "", 1);
    configs[0] = load(folder, text.p);
    text.n = 0;
    buf_addf(&text, "%s%s%scertificate = two.pem\nprivate-key = two.key\nrewrite-links = off\n",
             proxy_section, globex_section, acme_section);
    buf_add(&text, "", 1);
    configs[1] = load(folder, text.p);
    buf_free(&text);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = mem_format("%s/%s", folder, files[i]);
        (void)unlink(path);
        free(path);
    }
    (void)rmdir(folder);
    h1_reader_setup();
    make_bomb();
    cookies = cookies_new();
    checker = checker_new();
    begun_wall_us = __real_clock_wall_us();
}

/* ---- beginning and end of a script ---- */

static void begin(void)
{
    sockets_begin();
    runs++;
    ncallers = 0;
    rewrites = true;
    for (size_t i = 0; i < SLOTS; i++)
        slots[i] = -1;
    memset(servers, 0, sizeof(servers));
    connecting = shaking = HAND_AUTO;
    generation = generation_new(configs[0], NULL);
    memset(&shared, 0, sizeof(shared));
    quota_init(&shared.clients.connections, configs[0]->max_connections);
    quota_init(&shared.clients.turned_away, 1);
    quota_init(&shared.queue, configs[0]->queue);
    quota_init(&shared.exchanges.collected, COLLECTED_AT_MOST);
    shared.exchanges.cookies = cookies;
    shared.clients.checker = checker;
    shared.clients.on_record = on_record;
    shared.clients.on_drained = on_drained;
    worker = worker_new(generation, &shared);
}

/* ---- what servers got ---- */

static struct asked *find_asked(struct slice tag, size_t *caller)
{
    for (size_t i = 0; i < ncallers; i++) {
        for (size_t k = 0; k < callers[i].nasked; k++) {
            if (!slice_eq(tag, slice_of(callers[i].asked[k].tag)))
                continue;
            *caller = i;
            return &callers[i].asked[k];
        }
    }
    return NULL;
}

static struct slice line_of(struct slice *rest)
{
    const char *end = memmem(rest->p, rest->n, "\r\n", 2);

    if (end == NULL)
        abort();
    struct slice line = {rest->p, (size_t)(end - rest->p)};
    *rest = (struct slice){end + 2, rest->n - line.n - 2};
    return line;
}

/* "name: value", and nothing that could be read otherwise. */
static struct field field_of(struct slice line)
{
    const char *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);

    if (colon == NULL || colon == line.p)
        abort();
    struct field f = {{line.p, (size_t)(colon - line.p)},
                      slice_trim((struct slice){colon + 1, line.n - (size_t)(colon + 1 - line.p)}),
                      FIELD_OTHER};
    if (!chars_are(f.name, CHAR_TOKEN) || !chars_are(f.value, CHAR_VALUE))
        abort();
    f.id = field_identify(f.name);
    return f;
}

static void note_arrival(struct server *v, struct slice target)
{
    struct slice mark = {target.p + 3, target.n < 3 ? 0 : target.n - 3};
    size_t whose;

    v->tag[0] = '\0';
    v->filling = NULL;
    struct asked *a = mark.n == TAG_SIZE - 1 ? find_asked(mark, &whose) : NULL;
    if (a == NULL)
        return;
    memcpy(v->tag, a->tag, TAG_SIZE);
    a->arrivals++;
    if (a->what->once && a->arrivals > 1)
        abort();
    if (a->what->filler > 0 && callers[whose].pure)
        v->filling = &callers[whose];
    v->filler = a->what->filler;
    v->filled = 0;
}

static void note_body(struct server *v, struct slice piece)
{
    for (size_t i = 0; v->filling != NULL && i < piece.n; i++)
        if (piece.p[i] != 'f' && v->filling->pure)
            abort();
    v->filled += piece.n;
}

static void end_request(struct server *v)
{
    v->wants = WANTS_HEAD;
    if (v->filling != NULL && v->filling->pure && v->filled != v->filler)
        abort();
}

static void check_request(struct server *v, int port, struct slice head)
{
    const uint64_t forbidden = FIELDS_HOP_BY_HOP | FIELDS_STRIPPED |
                               field_bit(FIELD_AUTHORIZATION) | field_bit(FIELD_FRAMING_ALIAS);
    struct slice target = line_of(&head), method = slice_split(&target, ' ');
    size_t counts[FIELD_COUNT] = {0};
    bool chunked = false;
    uint64_t length = 0;

    if (target.n < 10 || memcmp(target.p + target.n - 9, " HTTP/1.1", 9) != 0 ||
        !chars_are(method, CHAR_TOKEN))
        abort();
    target.n -= 9;
    if (!chars_are(target, CHAR_TARGET))
        abort();
    while (head.n > 0) {
        struct field f = field_of(line_of(&head));
        counts[f.id]++;
        if ((field_bit(f.id) & forbidden) != 0)
            abort();
        if (f.id == FIELD_HOST &&
            !slice_eq(f.value, slice_of(port == ACME_PORT ? "localhost:9001" : "localhost:9002")))
            abort();
        if (f.id == FIELD_COMPANY_ID &&
            !slice_eq(f.value, slice_of(port == ACME_PORT ? "ACME" : "GLOBEX")))
            abort();
        if (f.id == FIELD_CONTENT_LENGTH && !slice_to_u64(f.value, INT64_MAX, &length))
            abort();
        if (f.id == FIELD_TRANSFER_ENCODING) {
            chunked = true;
            if (!slice_eq(f.value, SLICE("chunked")))
                abort();
        }
    }
    if (counts[FIELD_HOST] != 1 || counts[FIELD_COMPANY_ID] != 1 ||
        counts[FIELD_CONTENT_LENGTH] + counts[FIELD_TRANSFER_ENCODING] > 1)
        abort();
    if (rewrites && counts[FIELD_RANGE] > 0 && slice_eq(method, SLICE("POST")))
        abort();
    /* Nobody asks before the answer to the last question is there. */
    if (v->pure && v->nrequests > 0 && (!v->answered || v->is_last || v->pending.n > 0))
        abort();
    v->nrequests++;
    v->answered = false;
    v->head_only = slice_eq(method, SLICE("HEAD"));
    v->left = length;
    v->wants = chunked ? WANTS_SIZE : length > 0 ? WANTS_BODY : WANTS_HEAD;
    note_arrival(v, target);
}

/* A chunk's first line; canonical: digits and nothing else. */
static void read_size(struct server *v, struct slice line)
{
    if (line.n == 0 || line.n > 15)
        abort();
    v->left = 0;
    for (size_t i = 0; i < line.n; i++) {
        if (char_hex(line.p[i]) < 0)
            abort();
        v->left = v->left * 16 + (uint64_t)char_hex(line.p[i]);
    }
    v->wants = v->left == 0 ? WANTS_TRAILERS : WANTS_CHUNK;
}

static void check_trailer(struct field f)
{
    if (!field_may_be_trailer(&f))
        abort();
}

static void read_line(struct server *v, struct slice line)
{
    switch (v->wants) {
    case WANTS_SIZE:
        read_size(v, line);
        break;
    case WANTS_CHUNK_END:
        if (line.n > 0)
            abort();
        v->wants = WANTS_SIZE;
        break;
    default:
        v->wants = WANTS_TRAILERS;
        if (line.n == 0)
            end_request(v);
        else
            check_trailer(field_of(line));
    }
}

static bool read_some(struct server *v, int port, struct slice got)
{
    const char *end;

    if (got.n == 0)
        return false;
    if (v->wants == WANTS_BODY || v->wants == WANTS_CHUNK) {
        size_t n = got.n < v->left ? got.n : (size_t)v->left;
        note_body(v, (struct slice){got.p, n});
        v->left -= n;
        v->at += n;
        if (v->left == 0 && v->wants == WANTS_BODY)
            end_request(v);
        else if (v->left == 0)
            v->wants = WANTS_CHUNK_END;
        return true;
    }
    if (v->wants == WANTS_HEAD) {
        end = memmem(got.p, got.n, "\r\n\r\n", 4);
        if (end == NULL)
            return false;
        v->at += (size_t)(end + 4 - got.p);
        check_request(v, port, (struct slice){got.p, (size_t)(end + 2 - got.p)});
        return true;
    }
    end = memmem(got.p, got.n, "\r\n", 2);
    if (end == NULL)
        return false;
    v->at += (size_t)(end + 2 - got.p);
    read_line(v, (struct slice){got.p, (size_t)(end - got.p)});
    return true;
}

static void read_requests(size_t i)
{
    struct memory_socket *s = sockets_at(i);
    struct server *v = &servers[i];

    if (s->port == TUNNEL_PORT)
        return;
    while (s->out_taken > v->at &&
           read_some(v, s->port, (struct slice){s->out.p + v->at, s->out_taken - v->at}))
        continue;
}

/* ---- what servers answer ---- */

/* Of a tagged answer: the tag again and again. */
static void add_pattern(struct buf *out, const char *tag, size_t from, size_t n)
{
    size_t size = strlen(tag), begun = out->n, done = n < size ? n : size;

    buf_reserve(out, n);
    for (size_t i = 0; i < done; i++)
        out->p[begun + i] = tag[(from + i) % size];
    for (; done < n; done += done < n - done ? done : n - done)
        memcpy(out->p + begun + done, out->p + begun, done < n - done ? done : n - done);
    out->n += n;
}

/* In chunks of so many bytes; 0: without. */
static void add_bomb(struct buf *out, size_t chunk)
{
    if (chunk == 0) {
        buf_add_slice(out, buf_slice(&bomb));
        return;
    }
    for (size_t at = 0; at < bomb.n; at += chunk) {
        size_t n = bomb.n - at < chunk ? bomb.n - at : chunk;
        buf_addf(out, "%zx\r\n", n);
        buf_add(out, bomb.p + at, n);
        buf_add_string(out, "\r\n");
    }
    buf_add_string(out, "0\r\n\r\n");
}

static void add_body(struct buf *out, const struct reply *r, const char *tag)
{
    if (r->body == BODY_CHUNKED) {
        for (size_t at = 0; at < r->length;) {
            size_t n = at == 0 ? 1 : r->length - at < 70000 ? r->length - at : 70000;
            buf_addf(out, "%zX\r\n", n);
            add_pattern(out, tag, at, n);
            buf_add_string(out, "\r\n");
            at += n;
        }
        buf_add_string(out, "0\r\nX-Trailer: x\r\n\r\n");
    } else if (r->body == BODY_BOMB) {
        add_bomb(out, r->length);
    } else if (r->body == BODY_JSON) {
        buf_add_string(out, "{\"__next\":\"https://localhost:9001/odata\"}");
    } else {
        add_pattern(out, tag, 0, r->length);
    }
}

/* To the last request, if it is not answered yet. */
static void answer(const struct memory_socket *s, struct server *v, const struct reply *r)
{
    const char *tag = v->pure && v->tag[0] != '\0' ? v->tag : "untagged";
    struct buf *out = &v->pending;

    if (v->nrequests == 0 || v->answered || v->is_last || s->in_ended)
        return;
    v->answered = true;
    v->is_last = r->last;
    buf_addf(out, "%sHTTP/1.1 %s\r\n%s", r->before == NULL ? "" : r->before, r->status, r->fields);
    if (r->body == BODY_BOMB && v->pure)
        buf_add_string(out, "X-Bomb: y\r\n");
    if (r->body == BODY_BOMB && r->length == 0 && !r->last)
        buf_addf(out, "Content-Length: %zu\r\n", bomb.n);
    if (r->body != BODY_BOMB && v->pure && v->tag[0] != '\0' && r->body != BODY_JSON)
        buf_addf(out, "X-Tag: %s\r\nX-Length: %zu\r\n", v->tag, r->length);
    if (r->body == BODY_CHUNKED)
        buf_add_string(out, "Transfer-Encoding: chunked\r\n");
    else if (r->body == BODY_LENGTH)
        buf_addf(out, "Content-Length: %zu\r\n", r->length);
    else if (r->body == BODY_JSON)
        buf_add_string(out, "Content-Length: 41\r\n");
    buf_add_string(out, "\r\n");
    if (!v->head_only)
        add_body(out, r, tag);
}

/* ---- going on ---- */

static void feed(struct memory_socket *s, struct buf *pending, size_t n)
{
    n = n < pending->n ? n : pending->n;
    if (s->state == SOCKET_OPEN && !s->in_ended && !s->reset && !s->vanished)
        buf_add(&s->in, pending->p, n);
    pending->n -= n;
    if (pending->n > 0)
        memmove(pending->p, pending->p + n, pending->n);
}

/* Whoever reads by itself does so in portions that get somewhere. */
static void take_step(struct memory_socket *s, bool stalls)
{
    if (stalls)
        return;
    s->out_taken = s->out.n;
    if (s->room < 2000)
        s->room = 2000;
}

static void hello(size_t i)
{
    struct memory_socket *s = sockets_at(i);
    const char byte = SOCKET_HELLO;

    if (servers[i].shook || s->state != SOCKET_OPEN || s->vanished || s->port == TUNNEL_PORT)
        return;
    servers[i].shook = true;
    buf_add(&s->in, &byte, 1);
}

static void move_servers(void)
{
    for (size_t i = 0; i < sockets_count(); i++) {
        struct memory_socket *s = sockets_at(i);
        if (s->port == 0)
            continue;
        if (s->state == SOCKET_CONNECTING && s->error == 0 && connecting == HAND_AUTO) {
            s->state = SOCKET_OPEN;
            servers[i].pure = true;
        }
        if (shaking == HAND_AUTO)
            hello(i);
        take_step(s, servers[i].stalls);
        read_requests(i);
        if (!servers[i].holds && (servers[i].shook || s->port == TUNNEL_PORT))
            feed(s, &servers[i].pending, SIZE_MAX);
    }
}

static void move_callers(void)
{
    for (size_t i = 0; i < ncallers; i++) {
        struct memory_socket *s = sockets_of(callers[i].fd);
        take_step(s, callers[i].stalls);
        if (!callers[i].holds)
            feed(s, &callers[i].pending, SIZE_MAX);
    }
}

/* No caller gets so much at once that others would have to wait for long. */
static void turn(void)
{
    size_t before[CALLERS_MAX];

    for (size_t i = 0; i < ncallers; i++)
        before[i] = sockets_of(callers[i].fd)->out.n;
    loop_turn(worker->loop, false);
    for (size_t i = 0; i < ncallers; i++)
        if (sockets_of(callers[i].fd)->out.n - before[i] > TURN_AT_MOST)
            abort();
}

/* Turns until nothing happens any more. Nothing may go on forever. */
static void settle(void)
{
    int quiet = 0, turns = 0;

    while (quiet < 3) {
        move_callers();
        move_servers();
        quiet = sockets_are_ready() ? 0 : quiet + 1;
        turn();
        if (++turns > 100000)
            abort();
    }
}

/* ---- steps of callers ---- */

static struct caller *caller_in(unsigned slot)
{
    int *place = &slots[slot % SLOTS];

    if (*place >= 0 && sockets_of(callers[*place].fd)->state == SOCKET_OPEN)
        return &callers[*place];
    if (ncallers == CALLERS_MAX)
        return NULL;
    static const struct client_door door = {.service = &exchange_service};
    int fd = sockets_accept();
    if (fd < 0)
        return NULL;
    *place = (int)ncallers++;
    struct caller *c = &callers[*place];
    *c = (struct caller){.fd = fd, .pure = true};
    arrival_take(&worker->clients, &door, &(struct accepted){fd, {.any.sa_family = AF_UNSPEC}}, 1);
    return c;
}

/* Never the same twice, over all scripts: nothing that the fuzzer learns is one. */
static void make_tag(const struct caller *c, char out[TAG_SIZE])
{
    uint64_t mix = (runs * REQUESTS_MAX + c->nasked) * UINT64_C(0x9e3779b97f4a7c15);

    (void)snprintf(out, TAG_SIZE, "T%x%x%08x", (unsigned)(c - callers), (unsigned)c->nasked,
                   (unsigned)(mix >> 32));
}

static void ask(struct caller *c, const struct canned *r)
{
    if (c->nasked == REQUESTS_MAX)
        return;
    struct asked *a = &c->asked[c->nasked];
    struct buf *out = &c->pending;

    *a = (struct asked){.what = r};
    make_tag(c, a->tag);
    c->nasked++;
    if (strcmp(r->method, "CONNECT") == 0) {
        c->pure = false;
        buf_add_string(out, "CONNECT 127.0.0.1:7777 HTTP/1.1\r\nHost: x\r\n\r\n");
        return;
    }
    buf_addf(out, "%s %s/t/%s HTTP/1.%d\r\nHost: localhost\r\n%s\r\n%s", r->method,
             r->absolute ? "http://localhost:9002" : "", a->tag, r->http_1_0 ? 0 : 1, r->fields,
             r->body);
    buf_reserve(out, r->filler + 1);
    memset(out->p + out->n, 'f', r->filler);
    out->n += r->filler;
}

static const size_t sizes[] = {0, 1, 2, 3, 5, 16, 64, 100, 1000, 4000, 20000, 70000, SIZE_MAX};

static size_t next_size(void)
{
    return sizes[next_byte() % ARRAY_LEN(sizes)];
}

enum caller_step {
    CALLER_ASKS,
    CALLER_ASKS_HELD,
    CALLER_FEEDS,
    CALLER_SAYS,
    CALLER_ENDS,
    CALLER_RESETS,
    CALLER_STALLS,
    CALLER_READS,
    CALLER_PORTIONS,
    CALLER_STEPS
};

static void step_of_caller(struct caller *c, enum caller_step step)
{
    struct memory_socket *s = sockets_of(c->fd);

    switch (step) {
    case CALLER_ASKS:
    case CALLER_ASKS_HELD:
        c->holds = step == CALLER_ASKS_HELD;
        ask(c, &requests[next_byte() % ARRAY_LEN(requests)]);
        break;
    case CALLER_FEEDS:
        feed(s, &c->pending, next_size());
        break;
    case CALLER_SAYS: {
        struct slice bytes = next_bytes();
        c->pure = c->pure && bytes.n == 0;
        buf_add_slice(&c->pending, bytes);
        break;
    }
    case CALLER_ENDS:
        s->in_ended = true;
        break;
    case CALLER_RESETS:
        s->reset = true;
        c->pure = false; /* what it had not read is lost */
        break;
    case CALLER_STALLS:
        c->stalls = true;
        s->room = next_size() / 2;
        break;
    case CALLER_READS:
        c->stalls = (next_byte() & 1) != 0;
        s->out_taken = s->out.n - s->out_taken < 30000 ? s->out.n : s->out_taken + 30000;
        break;
    default:
        s->portion = next_size() / 2;
    }
}

/* ---- steps of servers ---- */

enum server_step {
    SERVER_ANSWERS,
    SERVER_ANSWERS_HELD,
    SERVER_FEEDS,
    SERVER_SAYS,
    SERVER_ENDS,
    SERVER_CUTS,
    SERVER_RESETS,
    SERVER_ALERTS,
    SERVER_STALLS,
    SERVER_READS,
    SERVER_PORTIONS,
    SERVER_SHAKES,
    SERVER_GOES,
    SERVER_STEPS
};

/* Among the connections that are open or being opened; -1: there is none. */
static int server_in(unsigned nth)
{
    int found[SOCKETS_MAX], n = 0;

    for (size_t i = 0; i < sockets_count(); i++)
        if (sockets_at(i)->port != 0 && sockets_at(i)->state != SOCKET_CLOSED)
            found[n++] = (int)i;
    return n == 0 ? -1 : found[nth % (unsigned)n];
}

static void decide_connecting(struct memory_socket *s, struct server *v)
{
    static const int errors[] = {0, 0, 111 /* ECONNREFUSED */, 113 /* EHOSTUNREACH */};

    s->error = errors[next_byte() % ARRAY_LEN(errors)];
    if (s->error != 0)
        return;
    s->state = SOCKET_OPEN;
    v->pure = true;
}

static void end_server(struct memory_socket *s, struct server *v, enum server_step step)
{
    feed(s, &v->pending, SIZE_MAX);
    s->said_notify = step == SERVER_ENDS;
    s->said_alert = step == SERVER_ALERTS;
    s->in_ended = true;
}

static void say(struct server *v, struct slice bytes)
{
    size_t whose;
    struct asked *a = v->tag[0] == '\0' ? NULL : find_asked(slice_of(v->tag), &whose);

    v->pure = false;
    if (a != NULL)
        a->spoilt = true;
    buf_add_slice(&v->pending, bytes);
}

static void step_of_server(size_t i, enum server_step step)
{
    struct memory_socket *s = sockets_at(i);
    struct server *v = &servers[i];

    if (s->state == SOCKET_CONNECTING)
        decide_connecting(s, v);
    if (s->state == SOCKET_CONNECTING || s->vanished)
        return;
    switch (step) {
    case SERVER_ANSWERS:
    case SERVER_ANSWERS_HELD:
        v->holds = step == SERVER_ANSWERS_HELD;
        answer(s, v, &replies[next_byte() % ARRAY_LEN(replies)]);
        break;
    case SERVER_FEEDS:
        feed(s, &v->pending, next_size());
        break;
    case SERVER_SAYS:
        say(v, next_bytes());
        break;
    case SERVER_ENDS:
    case SERVER_CUTS:
    case SERVER_ALERTS:
        end_server(s, v, step);
        break;
    case SERVER_RESETS:
        s->reset = true;
        break;
    case SERVER_STALLS:
        v->stalls = true;
        s->room = next_size() / 2;
        break;
    case SERVER_READS:
        v->stalls = (next_byte() & 1) != 0;
        s->out_taken = s->out.n - s->out_taken < 30000 ? s->out.n : s->out_taken + 30000;
        read_requests(i);
        break;
    case SERVER_PORTIONS:
        s->portion = next_size() / 2;
        break;
    case SERVER_SHAKES:
        hello(i);
        break;
    default:
        s->gone = true;
    }
}

/* ---- other steps ---- */

static void pass_time(unsigned choice)
{
    static const int64_t times[] = {1,     10,    250,   1000,  2000,   5000,   9999,  10000,
                                    15000, 30000, 60000, 75000, 100000, 450000, 600000};

    sockets_pass(times[choice % ARRAY_LEN(times)]);
}

static void vanish(unsigned who)
{
    int i = server_in(who);

    if (i >= 0 && sockets_at((size_t)i)->state == SOCKET_OPEN)
        sockets_vanish(sockets_at((size_t)i));
}

static void reload(unsigned choice)
{
    struct generation *g = generation_new(configs[choice & 1], generation);

    rewrites = rewrites && (choice & 1) == 0;
    worker_adopt(worker, g);
    generation_unref(generation);
    generation = g;
}

static void step(unsigned what)
{
    unsigned who = next_byte();

    what %= CALLER_STEPS + SERVER_STEPS + 8;
    if (what < CALLER_STEPS) {
        struct caller *c = caller_in(who);
        if (c != NULL)
            step_of_caller(c, (enum caller_step)what);
        return;
    }
    what -= CALLER_STEPS;
    if (what < SERVER_STEPS) {
        int i = server_in(who);
        if (i >= 0)
            step_of_server((size_t)i, (enum server_step)what);
        return;
    }
    switch (what - SERVER_STEPS) {
    case 0:
        connecting = (who & 1) != 0 ? HAND_MANUAL : HAND_AUTO;
        break;
    case 1:
        shaking = (who & 1) != 0 ? HAND_MANUAL : HAND_AUTO;
        break;
    case 2:
        sockets_reverse((who & 1) != 0);
        break;
    case 3:
        reload(who);
        break;
    case 4:
        if (who == 77 && !worker->clients.draining)
            client_drain_all(&worker->clients);
        break;
    case 5:
        vanish(who);
        break;
    default:
        pass_time(who);
    }
}

/* ---- what callers got ---- */

/* Another one's answer is the worst that a proxy can give. */
static void check_tags(size_t i, struct slice got)
{
    size_t whose;

    for (const char *t; got.n >= TAG_SIZE && (t = memchr(got.p, 'T', got.n - TAG_SIZE)) != NULL;) {
        got.n -= (size_t)(t + 1 - got.p);
        got.p = t + 1;
        if (char_hex(t[1]) != (int)i && find_asked((struct slice){t, TAG_SIZE - 1}, &whose) != NULL)
            abort();
    }
}

/* One answer as it is read. */
struct read_answer {
    int status;
    bool chunked, has_length, closes, json, coded, bomb;
    uint64_t length;
    struct slice tag;
    uint64_t full_length; /* of the body as the server gave it, if tagged */
};

static bool read_answer_head(struct slice *got, struct read_answer *a)
{
    const char *end = got->n == 0 ? NULL : memmem(got->p, got->n, "\r\n\r\n", 4);
    uint64_t status;

    *a = (struct read_answer){0};
    if (end == NULL)
        return false;
    struct slice head = {got->p, (size_t)(end + 2 - got->p)};
    *got = (struct slice){end + 4, got->n - head.n - 2};
    struct slice line = line_of(&head);
    if (line.n < 13 || memcmp(line.p, "HTTP/1.1 ", 9) != 0 || line.p[12] != ' ' ||
        !slice_to_u64((struct slice){line.p + 9, 3}, 599, &status) || status < 100 ||
        !chars_are(line, CHAR_VALUE))
        abort();
    a->status = (int)status;
    while (head.n > 0) {
        struct field f = field_of(line_of(&head));
        if (f.id == FIELD_TRANSFER_ENCODING) {
            if (a->chunked || !slice_eq(f.value, SLICE("chunked")))
                abort();
            a->chunked = true;
        } else if (f.id == FIELD_CONTENT_LENGTH) {
            if (a->has_length || !slice_to_u64(f.value, INT64_MAX, &a->length))
                abort();
            a->has_length = true;
        } else if (f.id == FIELD_CONNECTION) {
            a->closes = slice_eq_nocase(f.value, SLICE("close"));
        } else if (f.id == FIELD_CONTENT_TYPE) {
            a->json = slice_eq(f.value, SLICE("application/json"));
        } else if (f.id == FIELD_CONTENT_ENCODING) {
            a->coded = true;
        } else if (slice_eq(f.name, SLICE("X-Bomb"))) {
            a->bomb = true;
        } else if (slice_eq(f.name, SLICE("X-Tag"))) {
            a->tag = f.value;
        } else if (slice_eq(f.name, SLICE("X-Length")) &&
                   !slice_to_u64(f.value, INT64_MAX, &a->full_length)) {
            abort();
        }
    }
    if (a->chunked && a->has_length)
        abort();
    return true;
}

/* True if the last chunk is there; the content, whole or not, is in *body. */
static bool read_chunks(struct slice *got, struct buf *body)
{
    for (;;) {
        const char *end = got->n == 0 ? NULL : memmem(got->p, got->n, "\r\n", 2);
        uint64_t n = 0;
        if (end == NULL)
            return false;
        struct slice line = line_of(got);
        if (line.n == 0 || line.n > 15)
            abort();
        for (size_t i = 0; i < line.n; i++) {
            if (char_hex(line.p[i]) < 0)
                abort();
            n = n * 16 + (uint64_t)char_hex(line.p[i]);
        }
        if (n == 0)
            break;
        size_t there = got->n < n ? got->n : (size_t)n;
        buf_add(body, got->p, there);
        *got = (struct slice){got->p + there, got->n - there};
        if (there < n || got->n < 2)
            return false;
        if (line_of(got).n > 0)
            abort();
    }
    for (;;) {
        if (got->n == 0 || memmem(got->p, got->n, "\r\n", 2) == NULL)
            return false;
        struct slice line = line_of(got);
        if (line.n == 0)
            return true;
        (void)field_of(line);
    }
}

static void check_bomb(const struct read_answer *a, const struct buf *body, bool whole)
{
    size_t size = a->coded ? bomb.n : BOMB_SIZE;

    if (whole ? body->n != size : body->n > size)
        abort();
    for (size_t i = 0; i < body->n; i++)
        if (body->p[i] != (a->coded ? bomb.p[i] : ' '))
            abort();
}

static void check_body(const struct read_answer *a, const struct buf *body, bool whole)
{
    if (a->bomb)
        check_bomb(a, body, whole);
    if (a->tag.p == NULL)
        return;
    size_t n = body->n < a->tag.n ? body->n : a->tag.n;
    if (n > 0 && (memcmp(body->p, a->tag.p, n) != 0 || memcmp(body->p + n, body->p, body->n - n)))
        abort();
    if (whole ? body->n != a->full_length : body->n > a->full_length)
        abort();
}

/* Takes one final answer off; false if it is not whole, and so has to be the last. */
static bool read_body(const struct memory_socket *s, struct slice *got, const struct read_answer *a,
                      bool has_none)
{
    struct buf body = {0};
    bool whole = true;

    if (has_none || a->status == 204 || a->status == 304)
        return true;
    if (a->chunked) {
        whole = read_chunks(got, &body);
        if (!whole)
            got->n = 0; /* a line that was cut in the middle */
    } else {
        size_t n = a->has_length && a->length < got->n ? (size_t)a->length : got->n;
        buf_add(&body, got->p, n);
        *got = (struct slice){got->p + n, got->n - n};
        whole = a->has_length ? n == a->length : s->out_ended && !s->lingers_not;
        if (!a->has_length && s->state != SOCKET_CLOSED && !s->out_ended)
            abort(); /* its end could never be told */
    }
    check_body(a, &body, whole);
    buf_free(&body);
    return whole && (a->chunked || a->has_length);
}

/* In the end, when all is over: a sequence of answers, one for each request, the last one maybe cut
 * off. */
static void check_answers(const struct caller *c)
{
    const struct memory_socket *s = sockets_of(c->fd);
    struct slice got = {s->out.p, s->lingers_not ? s->out_taken : s->out.n};
    struct read_answer a;
    size_t k = 0;
    bool more = true;

    while (got.n > 0 && read_answer_head(&got, &a)) {
        const struct asked *asked = k < c->nasked ? &c->asked[k] : NULL;
        if (!more)
            abort();
        if (a.status < 200) {
            if (asked == NULL || asked->what->http_1_0)
                abort();
            continue;
        }
        if (asked == NULL && ((a.status != 408 && a.status != 503) || !a.closes))
            abort();
        if (a.tag.p != NULL && !slice_eq(a.tag, slice_of(asked->tag)))
            abort();
        if (asked != NULL && asked->spoilt) {
            a.tag.p = NULL;
            a.bomb = false;
        }
        if (a.status == 206 && a.json && rewrites)
            abort();
        /* Whoever is turned away before the request was read gets a body even for a HEAD. */
        bool has_none = asked != NULL && strcmp(asked->what->method, "HEAD") == 0 &&
                        !(a.closes && (a.status == 408 || a.status == 503));
        more = read_body(s, &got, &a, has_none) && !a.closes;
        k++;
    }
    if (!more && got.n > 0)
        abort();
}

/* ---- the end ---- */

static void finish(void)
{
    for (size_t i = 0; i < ncallers; i++) {
        struct memory_socket *s = sockets_of(callers[i].fd);
        if (s->state == SOCKET_OPEN && i % 2 == 0)
            s->in_ended = true;
    }
    for (int i = 0; i < 3 || (i < 60 && !list_empty(&worker->clients.list)); i++) {
        settle();
        sockets_pass(500000);
    }
    settle();
    if (!list_empty(&worker->clients.list) || atomic_load(&shared.clients.connections.used) != 0 ||
        atomic_load(&shared.queue.used) != 0 ||
        atomic_load(&shared.clients.turned_away.used) != 0 ||
        atomic_load(&shared.exchanges.collected.used) != 0)
        abort();
    for (size_t i = 0; i < generation->config->ntenants; i++)
        if (atomic_load(&generation->tenants[i]->places.used) != 0)
            abort();
    for (size_t i = 0; i < ncallers; i++) {
        const struct memory_socket *s = sockets_of(callers[i].fd);
        check_tags(i, buf_slice(&s->out));
        if (callers[i].pure)
            check_answers(&callers[i]);
    }
}

static void clean_up(void)
{
    worker_end(worker);
    worker_free(worker);
    generation_unref(generation);
    for (size_t i = 0; i < sockets_count(); i++)
        if (sockets_at(i)->state != SOCKET_CLOSED)
            abort();
    for (size_t i = 0; i < ncallers; i++)
        buf_free(&callers[i].pending);
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        buf_free(&servers[i].pending);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (configs[0] == NULL)
        set_up();
    script = data;
    script_left = size;
    begin();
    while (script_left > 0) {
        unsigned what = next_byte();
        step(what & 0x7f);
        if ((what & 0x80) == 0) /* else together with the next one */
            settle();
    }
    if (size % 16 != 7) /* else all ends in the middle */
        finish();
    clean_up();
    return 0;
}
