#include "cli/given.h"

#include "base/mem.h"

char *given_text(const struct config_given *g)
{
    return mem_format("%s%s%s = %s (%s%s%s)", g->tenant == NULL ? "" : g->tenant,
                      g->tenant == NULL ? "" : ".", g->key, g->value, g->where,
                      g->replaced == NULL ? "" : " in place of ",
                      g->replaced == NULL ? "" : g->replaced);
}
