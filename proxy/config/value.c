#include "config/value.h"

#include <string.h>

#include "base/mem.h"
#include "http/chars.h"

/* Reads the leading digits of text; *unit is the rest. */
static bool split_number(const char *text, int64_t max, int64_t *number, const char **unit)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t value;

    if (!slice_to_u64((struct slice){text, digits}, (uint64_t)max, &value))
        return false;
    *number = (int64_t)value;
    *unit = text + digits;
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

static enum status with_unit(const char *text, const struct unit *units, int64_t *out)
{
    int64_t number;
    const char *unit;

    if (!split_number(text, INT64_C(1000000000000), &number, &unit))
        return ST_BAD_INPUT;
    if (number == 0 && *unit == '\0') {
        *out = 0;
        return ST_OK;
    }
    for (const struct unit *u = units; u->name != NULL; u++) {
        if (strcmp(unit, u->name) == 0) {
            *out = number * u->factor;
            return ST_OK;
        }
    }
    return ST_BAD_INPUT;
}

enum status value_duration(const char *text, int64_t *ms, struct diag *why)
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};

    enum status st = with_unit(text, units, ms);
    if (st != ST_OK)
        diag_set(why,
                 "`%s` is not a duration; write a whole number and a unit: 500ms, 30s, 7m or 1h",
                 text);
    return st;
}

enum status value_size(const char *text, int64_t *bytes, struct diag *why)
{
    static const struct unit units[] = {{"", 1},     {"k", 1024},    {"m", 1048576},
                                        {"K", 1024}, {"M", 1048576}, {NULL, 0}};

    enum status st = with_unit(text, units, bytes);
    if (st != ST_OK)
        diag_set(why, "`%s` is not a size; write a number of bytes, or one with k or m: 64k", text);
    return st;
}

enum status value_count(const char *text, int64_t *count, struct diag *why)
{
    const char *rest;

    if (split_number(text, INT64_C(1000000000), count, &rest) && *rest == '\0')
        return ST_OK;
    diag_set(why, "`%s` is not a whole number; write it in digits only, as in 64", text);
    return ST_BAD_INPUT;
}

enum status value_choice(const char *text, const char *choices, int *index, struct diag *why)
{
    struct slice rest = slice_of(choices);

    for (int i = 0; rest.n > 0; i++) {
        if (slice_eq(slice_split(&rest, '|'), slice_of(text))) {
            *index = i;
            return ST_OK;
        }
    }
    char list[128];
    size_t n = 0;
    for (const char *p = choices; *p != '\0' && n < sizeof(list) - 8; p++) {
        if (*p != '|') {
            list[n++] = *p;
        } else {
            memcpy(list + n, " or ", 4);
            n += 4;
        }
    }
    list[n] = '\0';
    diag_set(why, "`%s` is not possible here; write %s", text, list);
    return ST_BAD_INPUT;
}

enum status value_endpoint(const char *text, bool url, int default_port, struct endpoint *out,
                           struct diag *why)
{
    struct slice s = slice_of(text);
    struct authority a;

    if (url && s.n > 8 && slice_eq_nocase((struct slice){s.p, 8}, SLICE("https://"))) {
        s = (struct slice){s.p + 8, s.n - 8};
        if (s.n > 0 && s.p[s.n - 1] == '/')
            s.n--;
    }
    if (!authority_parse(s, &a) || (a.port == 0 && default_port == 0)) {
        bool plain = url && slice_of(text).n > 7 && strncmp(text, "http://", 7) == 0;
        diag_set(why,
                 plain ? "`%s` is not possible, for servers speak TLS; write https://HOST or HOST"
                 : url
                     ? "`%s` is not a server; write HOST, HOST:PORT or https://HOST, without a path"
                     : "`%s` is not HOST:PORT; write it as in 127.0.0.1:8443",
                 text);
        return ST_BAD_INPUT;
    }
    if (a.host.n > 1 && a.host.p[a.host.n - 1] == '.')
        a.host.n--;
    out->host = mem_copy_bytes(a.host.p, a.host.n);
    for (char *p = out->host; *p != '\0'; p++)
        *p = ascii_lower(*p);
    out->port = a.port == 0 ? default_port : a.port;
    return ST_OK;
}
