#include <stdlib.h>

#include "base/mem.h"
#include "config/option_set.h"

enum status option_add_listen(struct listen_address **list, size_t *count, const char *text,
                              const struct setting *s, int tenant, struct diag *why)
{
    struct address found[ADDRESS_FAMILIES];
    size_t n;
    enum status st = address_parse_listen(text, found, &n, why);

    if (st != ST_OK)
        return st;
    *list = mem_grow(*list, (*count + n) * sizeof(**list));
    for (size_t i = 0; i < n; i++)
        (*list)[(*count)++] = (struct listen_address){.where = mem_copy_string(s->where),
                                                      .address = found[i],
                                                      .of_localhost = n == ADDRESS_FAMILIES,
                                                      .tenant = tenant};
    return ST_OK;
}

enum status option_set_admin(const struct option *o, void *section, const struct setting *s,
                             struct diag *why)
{
    struct config *c = section;

    (void)o;
    return option_add_listen(&c->admins, &c->nadmins, s->value, s, -1, why);
}
