#include "ops/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ops/check_btp.h"
#include "ops/check_call.h"
#include "ops/check_files.h"
#include "ops/check_probe.h"
#include "ops/sandbox.h"
#include "ops/user.h"

/* One walk that is being made. */
struct walker {
    struct config *config;
    const struct check_options *options;
    struct call_room *room;
    size_t index; /* index of the tenant */
    const struct tenant *tenant;
    int identity;
    struct check_report *steps;
    const struct diag *file_flaw; /* NULL: the files may be used */
};

static bool wants_call(const struct walker *w)
{
    for (enum check_step s = CHECK_PARENT_PROXY; s <= CHECK_CLIENT_CERTIFICATE; s++)
        if (w->options->skip[s])
            return false;
    return check_succeeded(w->steps, CHECK_CONFIGURATION) &&
           check_succeeded(w->steps, CHECK_CERTIFICATE);
}

static bool fetches(const struct tenant *t, int identity)
{
    return identity == IDENTITY_CURRENT && tenant_fetches(t);
}

bool check_has_step(const struct check_walk *w, enum check_step s)
{
    return (s != CHECK_BTP_TOKEN && s != CHECK_BTP_CERTIFICATE) || fetches(w->tenant, w->identity);
}

/* A certificate that is not there yet is no failure of its own if BTP does not give it. */
static void fetch(struct walker *w)
{
    if (check_succeeded(w->steps, CHECK_CONFIGURATION))
        check_btp(w->steps, w->config, w->config->tenants[w->index]);
    if (w->options->skip[CHECK_BTP_TOKEN] || w->options->skip[CHECK_BTP_CERTIFICATE] ||
        tenant_has_identity(w->tenant, w->identity))
        return;
    (void)check_is_settled(w->steps, CHECK_BTP_TOKEN);
    (void)check_is_settled(w->steps, CHECK_BTP_CERTIFICATE);
    check_lack(w->steps, CHECK_CERTIFICATE, CHECK_BTP_CERTIFICATE);
}

static void walk(struct walker *w)
{
    const struct check_call call = {w->config, w->tenant, w->identity, w->options->path, w->steps};
    struct call_result r = {0};

    for (int s = 0; s < CHECK_STEPS; s++)
        if (w->options->skip[s])
            check_leave_out(w->steps, (enum check_step)s);
    check_configuration(w->steps, w->tenant, w->file_flaw);
    if (fetches(w->tenant, w->identity))
        fetch(w);
    check_certificate(w->steps, w->tenant, w->identity, w->options->fail_days);
    if (wants_call(w)) {
        bool asks = !w->options->skip[CHECK_HTTP] && call_is_allowed(w->room, w->index, call.path);
        call_make(w->room, w->index, w->identity, asks ? call.path : NULL, &r);
        check_call_judge(&call, asks, &r);
        if (w->options->probe)
            check_probe(
                &(struct check_probe){w->config, w->options, w->room, w->index, w->identity},
                &w->steps[CHECK_COMPANY]);
    } else if (check_succeeded(w->steps, CHECK_CERTIFICATE)) {
        check_chain(w->steps, w->tenant, w->identity, &r);
    }
    for (int s = 0; s < CHECK_STEPS; s++)
        if (!check_is_settled(w->steps, (enum check_step)s))
            check_fine(w->steps, (enum check_step)s,
                       check_call_text(&call, (enum check_step)s, &r));
    call_result_free(&r);
}

static enum check_result worst_of(const struct check_report steps[])
{
    enum check_result worst = CHECK_OK;

    for (int s = 0; s < CHECK_STEPS; s++)
        if (steps[s].result > worst)
            worst = steps[s].result;
    return worst == CHECK_SKIPPED ? CHECK_OK : worst;
}

static void add_walk(struct walker *w, struct check *out)
{
    out->walks = mem_grow(out->walks, (out->nwalks + 1) * sizeof(out->walks[0]));
    struct check_walk *new = &out->walks[out->nwalks++];

    *new = (struct check_walk){.tenant = w->tenant, .identity = w->identity};
    w->steps = new->steps;
    walk(w);
    new->result = worst_of(new->steps);
}

static bool is_there(const struct tenant *t, int identity)
{
    return t->identities[identity].certificate != NULL;
}

static enum status become_user(const struct config *c, struct diag *why)
{
    struct user user;
    enum status st = user_find(c, &user, why);

    if (st == ST_OK)
        st = user_become(&user, c, NULL, why);
    user_free(&user);
    return st;
}

/* Refuses what `run` would refuse. as_user: see struct check_options. */
static enum status check_files(struct config *c, bool as_user, struct diag *why)
{
    struct sandbox *plan = sandbox_plan(c);
    enum status st = config_check_files(c, why);

    if (st == ST_OK)
        st = sandbox_check_fetching(plan, c, why);
    if (st == ST_OK && as_user && c->user != NULL && geteuid() == 0)
        st = become_user(c, why);
    sandbox_free(plan);
    return st;
}

void check_run(struct config *c, const struct check_options *o, struct check *out)
{
    struct diag flaw;
    struct walker w = {.config = c, .options = o};

    *out = (struct check){0};
    if (check_files(c, o->as_user, &flaw) != ST_OK)
        w.file_flaw = &flaw;
    w.room = call_room_new(c);
    for (w.index = 0; w.index < c->ntenants; w.index++) {
        w.tenant = c->tenants[w.index];
        for (w.identity = 0; w.identity < IDENTITIES; w.identity++)
            if ((o->tenant == NULL || strcmp(o->tenant, w.tenant->name) == 0) &&
                o->identities[w.identity] && is_there(w.tenant, w.identity))
                add_walk(&w, out);
    }
    call_room_free(w.room);
}

void check_free(struct check *c)
{
    for (size_t i = 0; i < c->nwalks; i++) {
        for (int s = 0; s < CHECK_STEPS; s++) {
            free(c->walks[i].steps[s].sentence);
            buf_free(&c->walks[i].steps[s].evidence);
        }
    }
    free(c->walks);
}
