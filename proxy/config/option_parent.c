/* Options of the parent proxy. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/option_set.h"
#include "config/parent_proxy.h"

enum status option_set_parent_proxy(const struct option *o, void *section, const struct setting *s,
                                    struct diag *why)
{
    enum parent_kind kind;
    struct endpoint at = {NULL, 0};
    enum status st = parent_proxy_parse(s->value, &kind, &at, why);

    free(at.host);
    return st == ST_OK ? option_set_text(o, section, s, why) : st;
}

static bool begins(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* KEYRING: would need system calls that the sandbox takes for an intruder's. */
enum status option_set_ccache(const struct option *o, void *section, const struct setting *s,
                              struct diag *why)
{
    char **out = (char **)(void *)((char *)section + o->offset);
    const char *path = begins(s->value, "FILE:") ? s->value + 5 : s->value;
    const char *colon = strchr(s->value, ':');

    if (begins(s->value, "DIR:/") || begins(s->value, "KCM:"))
        return option_set_text(o, section, s, why);
    if (path == s->value && colon != NULL &&
        memchr(s->value, '/', (size_t)(colon - path)) == NULL) {
        diag_set(why, "`%s` is not possible here; write a file, FILE:/PATH, DIR:/PATH or KCM:",
                 s->value);
        return ST_BAD_INPUT;
    }
    free(*out);
    *out = mem_format("FILE:%s%s", path[0] == '/' ? "" : s->folder, path);
    return ST_OK;
}
