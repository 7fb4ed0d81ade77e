/* The result of a check as JSON. See check.h. */
#include "base/json.h"
#include "ops/check.h"

static void add_step(const struct check_report *r, enum check_step s, struct buf *out)
{
    buf_add_string(out, "{");
    json_add_member(out, "step", slice_of(check_step_name(s)));
    json_add_member(out, "result", slice_of(check_result_name(r->result)));
    if (r->code != NULL)
        json_add_member(out, "code", slice_of(r->code));
    if (r->sentence != NULL)
        json_add_member(out, "sentence", slice_of(r->sentence));
    if (r->cure != NULL)
        json_add_member(out, "cure", slice_of(r->cure));
    if (r->result == CHECK_SKIPPED && !r->left_out)
        json_add_member(out, "needs", slice_of(check_step_name(r->needs)));
    if (r->evidence.n > 0)
        buf_addf(out, ",\"evidence\":{%.*s}", (int)r->evidence.n, r->evidence.p);
    buf_add_string(out, "}");
}

static void add_walk(const struct check_walk *w, struct buf *out)
{
    buf_add_string(out, "{");
    json_add_member(out, "tenant", slice_of(w->tenant->name));
    json_add_member(out, "server", slice_of(w->tenant->host_field));
    json_add_member(out, "identity",
                    slice_of(w->identity == IDENTITY_CURRENT ? "current" : "next"));
    json_add_member(out, "result", slice_of(check_result_name(w->result)));
    buf_add_string(out, ",\"steps\":[");
    for (int s = 0; s < CHECK_STEPS; s++) {
        if (!check_has_step(w, (enum check_step)s))
            continue;
        buf_add_string(out, s == 0 ? "" : ",");
        add_step(&w->steps[s], (enum check_step)s, out);
    }
    buf_add_string(out, "]}");
}

void check_write_json(const struct check *c, struct buf *out)
{
    buf_add_string(out, "{\"version\":1,\"tenants\":[");
    for (size_t i = 0; i < c->nwalks; i++) {
        buf_add_string(out, i == 0 ? "" : ",");
        add_walk(&c->walks[i], out);
    }
    buf_add_string(out, "]}");
}
