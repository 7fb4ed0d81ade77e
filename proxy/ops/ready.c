#include "ops/ready.h"

#include "base/json.h"
#include "policy/validity.h"

/* Adds why none of the tenant's certificates can be presented: the reason of the first. */
static void add_reason(struct buf *b, const struct tenant *t)
{
    struct failure why;

    if (identity_is_presentable(t, IDENTITY_CURRENT, &why))
        return; /* it has become valid just now */
    json_add_member(b, "token", slice_of(fail_info(why.id)->token));
    json_add_member(b, "reason", slice_of(why.detail.text));
}

static void add_tenant(struct buf *b, const struct tenant *t, bool ready)
{
    json_add_member(b, "name", slice_of(t->name));
    buf_addf(b, ",\"ready\":%s", ready ? "true" : "false");
    if (!ready)
        add_reason(b, t);
}

static bool is_meant(const struct tenant *t, struct slice name)
{
    return name.p == NULL || slice_eq(slice_of(t->name), name);
}

bool ready_write(struct buf *b, const struct clients *clients, struct slice tenant, bool reasons)
{
    const struct config *c = clients->config;
    struct buf list = {0};
    bool any = false, found = false;

    for (size_t i = 0; i < c->ntenants; i++) {
        const struct tenant *t = c->tenants[i];
        bool ready = is_meant(t, tenant) && tenant_is_presentable(t);
        any = any || ready;
        if (!is_meant(t, tenant))
            continue;
        buf_add_string(&list, found ? ",{" : "{");
        add_tenant(&list, t, ready);
        buf_add_string(&list, "}");
        found = true;
    }
    bool ready = any && !clients->draining;
    buf_addf(b, "{\"ready\":%s", ready ? "true" : "false");
    if (reasons) {
        buf_addf(b, ",\"draining\":%s", clients->draining ? "true" : "false");
        if (clients->draining)
            json_add_member(b, "reason", SLICE("The program is ending."));
        else if (!found)
            json_add_member(b, "reason", SLICE("No tenant of that name is configured."));
        else if (!any)
            json_add_member(b, "reason", SLICE("No certificate is valid now."));
        buf_addf(b, ",\"tenants\":[%.*s]", (int)list.n, list.n == 0 ? "" : list.p);
    }
    buf_add_string(b, "}\n");
    buf_free(&list);
    return ready;
}
