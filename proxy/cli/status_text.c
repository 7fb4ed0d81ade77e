#include "cli/status_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/utf8.h"

enum { SHOWN = 5 }; /* failures that are shown */

/* ---- members ---- */

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "-" : text;
}

static long long number_of(json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void add_visible(struct buf *b, const char *text)
{
    char *visible = utf8_escape(text);

    buf_add_string(b, visible);
    free(visible);
}

/* Shows "2026-11-22T08:15:30.123Z" as "2026-11-22 08:15:30". */
static void add_time(struct buf *b, json_t *object, const char *name)
{
    const char *t = text_of(object, name);

    if (strlen(t) < 19)
        add_visible(b, t);
    else
        buf_addf(b, "%.10s %.8s", t, t + 11);
}

static void add_quota(struct buf *b, json_t *object, const char *name)
{
    json_t *quota = json_object_get(object, name);

    buf_addf(b, "%lld of %lld", number_of(quota, "used"), number_of(quota, "limit"));
}

/* ---- parts ---- */

static void add_process(struct buf *b, json_t *status)
{
    json_t *configuration = json_object_get(status, "configuration");
    json_t *refused = json_object_get(configuration, "refused");
    long long lost = number_of(json_object_get(status, "log"), "lost");

    buf_add_string(b, "sfmtls ");
    add_visible(b, text_of(status, "version"));
    buf_addf(b, ", pid %lld, since ", number_of(status, "pid"));
    add_time(b, status, "started");
    buf_add_string(b, " UTC\nconfiguration ");
    add_visible(b, text_of(configuration, "file"));
    buf_add_string(b, ", loaded ");
    add_time(b, configuration, "loaded");
    buf_add_string(b, "\n");
    if (json_is_object(refused)) {
        buf_add_string(b, "  the last reload was refused, ");
        add_time(b, refused, "time");
        buf_add_string(b, ": ");
        add_visible(b, text_of(refused, "reason"));
        buf_add_string(b, "\n");
    }
    buf_add_string(b, "callers ");
    add_quota(b, status, "callers");
    buf_add_string(b, ", waiting requests ");
    add_quota(b, status, "queue");
    if (lost > 0)
        buf_addf(b, ", lost log lines %lld", lost);
    buf_add_string(b, "\n");
}

static void add_certificate(struct buf *b, json_t *c)
{
    buf_addf(b, "  %s %s", json_is_true(json_object_get(c, "in_use")) ? "*" : " ",
             text_of(c, "option"));
    buf_addf(b, ", %s, %lld days left (%.10s): ", text_of(c, "state"), number_of(c, "days_left"),
             text_of(c, "not_after"));
    add_visible(b, text_of(c, "subject"));
    buf_add_string(b, "\n");
}

static void add_gates(struct buf *b, const json_t *gates)
{
    for (size_t i = 0; i < json_array_size(gates); i++) {
        json_t *g = json_array_get(gates, i);
        const json_t *rate = json_object_get(g, "rate");
        buf_add_string(b, "    ");
        add_visible(b, text_of(g, "path"));
        if (rate != NULL)
            buf_addf(b, ": at most %lld/s", number_of(g, "rate"));
        else
            buf_addf(b, ": the server asks to wait %lld s", number_of(g, "seconds"));
        buf_addf(b, ", waiting %lld\n", number_of(g, "waiting"));
    }
}

/* For a tenant whose certificate is fetched from BTP. */
static void add_fetch(struct buf *b, json_t *fetch)
{
    json_t *failure = json_object_get(fetch, "failure");

    buf_add_string(b, "    from BTP: last fetched ");
    add_time(b, fetch, "last_success");
    buf_add_string(b, ", next look ");
    add_time(b, fetch, "next_look");
    buf_add_string(b, "\n");
    if (!json_is_object(failure))
        return;
    buf_addf(b, "      fails: %s: ", text_of(failure, "code"));
    add_visible(b, text_of(failure, "sentence"));
    buf_add_string(b, "\n      Cure: ");
    add_visible(b, text_of(failure, "cure"));
    buf_add_string(b, "\n");
}

static void add_tenant(struct buf *b, json_t *t)
{
    const json_t *certificates = json_object_get(t, "certificates");

    buf_addf(b, "\ntenant %s: %s, company ", text_of(t, "name"), text_of(t, "state"));
    add_visible(b, text_of(t, "company_id"));
    buf_add_string(b, " at ");
    add_visible(b, text_of(t, "server"));
    if (json_is_string(json_object_get(t, "parent_proxy"))) {
        buf_add_string(b, ", through the parent proxy ");
        add_visible(b, text_of(t, "parent_proxy"));
    }
    buf_addf(b, "\n    %lld calls, %lld succeeded, %lld failed, %lld with a hint; connections ",
             number_of(t, "calls"), number_of(t, "succeeded"), number_of(t, "failed"),
             number_of(t, "hinted"));
    add_quota(b, t, "connections");
    buf_addf(b, ", waiting %lld\n", number_of(t, "waiting"));
    for (size_t i = 0; i < json_array_size(certificates); i++)
        add_certificate(b, json_array_get(certificates, i));
    add_gates(b, json_object_get(t, "limits"));
    add_gates(b, json_object_get(t, "held"));
    if (json_is_object(json_object_get(t, "fetch")))
        add_fetch(b, json_object_get(t, "fetch"));
}

static void add_failure(struct buf *b, json_t *f)
{
    buf_add_string(b, "  ");
    add_time(b, f, "time");
    buf_addf(b, "  %s  %s, status %lld, %lld times\n      ", text_of(f, "tenant"),
             text_of(f, "code"), number_of(f, "status"), number_of(f, "count"));
    add_visible(b, text_of(f, "sentence"));
    buf_add_string(b, "\n      Cure: ");
    add_visible(b, text_of(f, "cure"));
    buf_add_string(b, "\n");
}

static void add_failures(struct buf *b, json_t *failures)
{
    const size_t count = json_array_size(failures);

    buf_addf(b, "\n%s\n", count == 0 ? "no failures so far" : "last failures, the latest first:");
    for (size_t i = 0; i < count && i < SHOWN; i++)
        add_failure(b, json_array_get(failures, i));
    if (count > SHOWN)
        buf_addf(b, "  and %zu more kinds: --json shows them all\n", count - SHOWN);
}

bool status_print(const char *json)
{
    json_t *status = json_loads(json, 0, NULL), *tenants = json_object_get(status, "tenants");
    bool known = json_is_array(tenants);
    struct buf b = {0};

    if (known) {
        add_process(&b, status);
        for (size_t i = 0; i < json_array_size(tenants); i++)
            add_tenant(&b, json_array_get(tenants, i));
        add_failures(&b, json_object_get(status, "failures"));
        (void)fwrite(b.p, 1, b.n, stdout);
    }
    buf_free(&b);
    json_decref(status);
    return known;
}
