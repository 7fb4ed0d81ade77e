#include "config/option_set.h"

#include <stdlib.h>

#include "base/mem.h"
#include "http/cors.h"

static enum status add_host_name(struct config *c, struct slice item, struct diag *why)
{
    struct authority a = {.host = item};

    /* An IPv6 address is written without brackets, because there is no port; with brackets it is
     * accepted, too. */
    if (!authority_is_address(item) && (!authority_parse(item, &a) || a.port != 0)) {
        diag_set(why,
                 "`%.*s` is not a host name; write a name or an address as callers do, without "
                 "scheme, port, path or *",
                 (int)item.n, item.p);
        return ST_BAD_INPUT;
    }
    c->host_names = mem_grow(c->host_names, (c->nhost_names + 1) * sizeof(char *));
    c->host_names[c->nhost_names++] = mem_copy_bytes(a.host.p, a.host.n);
    return ST_OK;
}

enum status option_set_host_names(const struct option *o, void *section, const struct setting *s,
                                  struct diag *why)
{
    struct slice rest = slice_of(s->value);
    enum status st = ST_OK;

    (void)o;
    while (st == ST_OK && rest.n > 0)
        st = add_host_name(section, slice_trim(slice_split(&rest, ',')), why);
    return st;
}

static enum status add_origin(struct config *c, struct slice item, struct diag *why)
{
    struct buf fields = {0};
    char *origin;

    if (slice_eq(item, SLICE("*")) || slice_eq_nocase(item, SLICE("null"))) {
        diag_set(why,
                 "`%.*s` would let in pages of anybody; name the origins of your own pages, as in "
                 "https://app.example.com",
                 (int)item.n, item.p);
        return ST_BAD_INPUT;
    }
    if (!cors_parse_origin(item, &origin)) {
        diag_set(
            why,
            "`%.*s` is not the origin of a web page; write SCHEME://HOST[:PORT] without a path or "
            "*, as in https://app.example.com",
            (int)item.n, item.p);
        return ST_BAD_INPUT;
    }
    cors_add_fields(&fields, origin);
    c->origins = mem_grow(c->origins, (c->norigins + 1) * sizeof(c->origins[0]));
    c->origins[c->norigins++] = (struct page_origin){origin, mem_copy_bytes(fields.p, fields.n)};
    buf_free(&fields);
    return ST_OK;
}

enum status option_set_allow_origin(const struct option *o, void *section, const struct setting *s,
                                    struct diag *why)
{
    struct slice rest = slice_of(s->value);
    enum status st = ST_OK;

    (void)o;
    while (st == ST_OK && rest.n > 0)
        st = add_origin(section, slice_trim(slice_split(&rest, ',')), why);
    return st;
}
