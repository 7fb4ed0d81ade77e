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

enum status option_set_ccache(const struct option *o, void *section, const struct setting *s,
                              struct diag *why)
{
    char **out = (char **)(void *)((char *)section + o->offset);
    const char *path = strncmp(s->value, "FILE:", 5) == 0 ? s->value + 5 : s->value;

    if (!parent_proxy_can_read_ccache(s->value)) {
        diag_set(why, "`%s` is not possible here; write a file, FILE:/PATH, DIR:/PATH or KCM:",
                 s->value);
        return ST_BAD_INPUT;
    }
    if (strncmp(s->value, "DIR:", 4) == 0 || strncmp(s->value, "KCM:", 4) == 0)
        return option_set_text(o, section, s, why);
    free(*out);
    *out = mem_format("FILE:%s%s", path[0] == '/' ? "" : s->folder, path);
    return ST_OK;
}
