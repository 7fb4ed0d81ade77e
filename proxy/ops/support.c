#include "ops/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <event2/event.h>
#include <gnu/libc-version.h>
#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/option.h"
#include "config/reader.h"
#include "ops/call.h"
#include "ops/check.h"
#include "ops/redact.h"

/* ---- versions and platform ---- */

/* PRETTY_NAME of os-release(5). */
static char *distribution(void)
{
    static const char name[] = "PRETTY_NAME=\"";
    struct buf text = {0};
    struct diag ignored;
    const char *at = NULL;
    char *found = mem_copy_string("unknown");

    if (file_read("/etc/os-release", &text, &ignored) == ST_OK)
        at = memmem(text.p, text.n, name, sizeof(name) - 1);
    if (at != NULL) {
        at += sizeof(name) - 1;
        free(found);
        found = mem_copy_bytes(at, strcspn(at, "\"\n"));
    }
    buf_free(&text);
    return found;
}

static void add_platform(struct buf *out)
{
    struct utsname u;
    char now[CLOCK_TEXT_SIZE], *system = distribution();

    (void)uname(&u);
    clock_text(clock_wall_us(), now);
    json_add_member(out, "time", slice_of(now));
    buf_add_string(out, ",\"versions\":{");
    json_add_member(out, "sfmtls", slice_of(SFMTLS_VERSION));
    json_add_member(out, "openssl", slice_of(OpenSSL_version(OPENSSL_VERSION)));
    json_add_member(out, "libevent", slice_of(event_get_version()));
    json_add_member(out, "libc", slice_of(gnu_get_libc_version()));
    buf_add_string(out, "},\"platform\":{");
    json_add_member(out, "system", slice_of(u.sysname));
    json_add_member(out, "kernel", slice_of(u.release));
    json_add_member(out, "machine", slice_of(u.machine));
    json_add_member(out, "distribution", slice_of(system));
    buf_add_string(out, "}");
    free(system);
}

/* ---- the configuration ---- */

struct settings {
    struct buf *out;
    enum option_section section;
    bool open, first; /* a section is open; it has no setting yet */
};

static void end_section(struct settings *s)
{
    if (s->open)
        buf_add_string(s->out, "]}");
    s->open = false;
}

static enum status on_section(void *ctx, const char *name, int line, struct diag *why)
{
    struct settings *s = ctx;
    bool before = s->out->p[s->out->n - 1] == '}' || s->open;

    (void)why;
    end_section(s);
    s->section = strcmp(name, "proxy") == 0 ? SECTION_PROXY : SECTION_TENANT;
    buf_addf(s->out, "%s{", before ? "," : "");
    json_add_member(s->out, "kind", slice_of(s->section == SECTION_PROXY ? "proxy" : "tenant"));
    if (s->section == SECTION_TENANT)
        json_add_member(s->out, "name", slice_of(name + strlen("tenant ")));
    buf_addf(s->out, ",\"line\":%d,\"settings\":[", line);
    s->open = s->first = true;
    return ST_OK;
}

/* Words of a list, numbers and durations identify nobody. */
static bool is_plain(const struct option *o)
{
    return o->choices != NULL || o->max != 0;
}

static enum status on_setting(void *ctx, const char *key, const char *value, int line,
                              struct diag *why)
{
    struct settings *s = ctx;
    const struct option *o = option_find(s->section, key);

    (void)why;
    if (o == NULL)
        return ST_OK;
    buf_add_string(s->out, s->first ? "{" : ",{");
    s->first = false;
    json_add_member(s->out, "key", slice_of(o->key)); /* the user has chosen the name of a header */
    if (!option_is_prefix(o))
        json_add_member(s->out, is_plain(o) ? "value" : "text", slice_of(value));
    buf_addf(s->out, ",\"line\":%d}", line);
    return ST_OK;
}

static void add_configuration(const struct config *c, struct buf *out)
{
    static const struct reader_sink sink = {on_section, on_setting};
    struct settings s = {.out = out};
    struct diag ignored; /* it was read just before */

    json_add_member(out, "file", slice_of(c->file));
    buf_add_string(out, ",\"sections\":[");
    if (c->file != NULL)
        (void)(reader_run(c->file, &sink, &s, &ignored) == ST_OK);
    end_section(&s);
    buf_add_string(out, "],\"notes\":[");
    for (size_t i = 0; i < c->nnotes; i++) {
        buf_add_string(out, i == 0 ? "\"" : ",\"");
        json_add(out, slice_of(c->notes[i].sentence));
        buf_add_string(out, "\"");
    }
    buf_add_string(out, "]");
}

/* ---- the current state ---- */

static void add_check(struct config *c, struct buf *out)
{
    const struct check_options o = {
        .identities = {[IDENTITY_CURRENT] = true, [IDENTITY_NEXT] = true},
        .path = CHECK_PATH,
        .skip = {[CHECK_BTP_TOKEN] = true, [CHECK_BTP_CERTIFICATE] = true}};
    struct check result;

    check_run(c, &o, &result);
    check_write_json(&result, out);
    check_free(&result);
}

/* Adds the failure token of an answer that the proxy itself has made; Proxy-Status has it too. */
static void add_token(const struct buf *problem, struct buf *out)
{
    static const char name[] = "\"token\":\"";
    const char *at =
        problem->n == 0 ? NULL : memmem(problem->p, problem->n, name, sizeof(name) - 1);
    struct slice rest = {at == NULL ? "unknown" : at + sizeof(name) - 1, 0};

    rest.n = at == NULL ? strlen(rest.p) : (size_t)(problem->p + problem->n - rest.p);
    json_add_member(out, "code", slice_split(&rest, '"'));
}

/* Adds the status with the last failures. null: there is no address to ask, or status_error says
 * why it failed. */
static void add_status(struct config *c, struct buf *out)
{
    struct call_room *room = call_room_new(c);
    struct call_result r = {0};

    if (c->nadmins > 0)
        call_local(room, &c->admins[0].address, "/status", &r);
    if (c->nadmins == 0) {
        buf_add_string(out, ",\"status\":null");
    } else if (!r.failed && r.status == 200) {
        buf_add_string(out, ",\"status\":");
        buf_add_slice(out, slice_trim(buf_slice(&r.content)));
    } else {
        buf_add_string(out, ",\"status\":null,\"status_error\":{");
        if (r.failed)
            json_add_member(out, "code", slice_of(failure_code(&r.failure)));
        else
            add_token(&r.content, out);
        buf_add_string(out, "}");
    }
    call_result_free(&r);
    call_room_free(room);
}

void support_write(struct config *c, bool names, struct buf *out)
{
    struct redactor r;
    struct buf all = {0};

    redactor_start(&r, names);
    buf_add_string(&all, "{\"version\":1,");
    buf_addf(&all, "\"names\":%s", names ? "true" : "false");
    add_platform(&all);
    buf_add_string(&all, ",\"configuration\":{");
    add_configuration(c, &all);
    buf_add_string(&all, "},\"check\":");
    add_check(c, &all);
    add_status(c, &all);
    buf_add_string(&all, "}");
    redact_json(&r, buf_slice(&all), out);
    secret_wipe(r.key, sizeof(r.key));
    buf_free(&all);
}
