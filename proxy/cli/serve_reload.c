#include "cli/serve_reload.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ops/admin.h"
#include "ops/announce.h"
#include "ops/notify.h"
#include "ops/reload.h"
#include "upstream/gss_login.h"

enum { EXPIRY_LOOK_MS = 60 * 1000, SOON_LOOK_MS = 1000 };

struct loaded {
    struct serve *serve;
    struct config *config;
};

void serve_reload(struct serve *s)
{
    if (s->load == NULL)
        log_say(LOG_NOTICE, "not reloaded: the demo keeps what it read at its start");
    if (s->reloader == NULL)
        return;
    char state[64];
    (void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long)clock_monotonic_us());
    notify_systemd(state);
    reloader_wake(s->reloader);
}

/* Looks once a minute, and each second if look_again of the configuration is near: see config.h. */
static void plan_look(struct serve *s)
{
    int64_t due = process_config(s->process)->look_again, now = clock_wall_s();
    bool soon = due != 0 && due != s->looked && due - now < EXPIRY_LOOK_MS / 1000;

    timer_stop(&s->expiry_timer);
    timer_start(process_loop(s->process), &s->expiry_timer, soon ? SOON_LOOK_MS : EXPIRY_LOOK_MS);
}

static void on_look(void *ctx)
{
    struct serve *s = ctx;
    int64_t due = process_config(s->process)->look_again;

    announce_expiry(process_config(s->process), &s->expiry);
    if (due != 0 && due != s->looked && due <= clock_wall_s()) {
        s->looked = due; /* only once, even if nothing has changed */
        serve_reload(s);
    }
    plan_look(s);
}

/* May be called in any thread. */
static void refuse_reload(struct serve *s, const struct diag *why)
{
    admin_note_reload(s->admin, why); /* first, so that a reader of the log finds it there */
    log_say(LOG_ERROR, "not reloaded, what was loaded before stays in use: %s", why->text);
    notify_systemd("READY=1"); /* the former configuration stays in use */
}

/* Runs in the main thread. */
static void install(void *arg)
{
    struct loaded *l = arg;
    struct diag why;

    config_keep_identities(l->config, process_config(l->serve->process));
    user_limit(&l->serve->user, l->config);
    gss_load(l->config);
    if (gss_check(l->config, &why) == ST_OK &&
        process_reload(l->serve->process, l->config, &why) == ST_OK) {
        admin_note_reload(l->serve->admin, NULL);
        log_say(LOG_NOTICE, "reloaded");
        announce_config(l->config, &l->serve->expiry);
        renewal_reloaded(l->serve->renewal, l->config);
        plan_look(l->serve);
        notify_systemd("READY=1");
    } else {
        sandbox_explain(l->serve->sandbox, l->config, &why);
        refuse_reload(l->serve, &why);
    }
    config_unref(l->config);
    free(l);
}

/* Explains by the files that the configuration names now; if it cannot be read, by those that it
 * named at the start. */
static void explain_failure(const struct serve *s, struct diag *why)
{
    struct config *names = NULL;
    struct diag ignored;

    if (s->load_names(s->load_ctx, &names, &ignored) != ST_OK)
        names = config_ref(s->config);
    sandbox_explain(s->sandbox, names, why);
    config_unref(names);
}

/* The guard that fetches certificates starts before the sandbox, or not at all. */
static enum status check_fetching(const struct serve *s, const struct config *c, struct diag *why)
{
    const struct tenant *t = config_first_that_fetches(c);

    if (t == NULL || s->renewal != NULL)
        return sandbox_check_fetching(s->sandbox, c, why);
    diag_at(why, tenant_where(t, "certificate-source"),
            "the process that fetches certificates starts with sfmtls only; restart sfmtls");
    return ST_BAD_INPUT;
}

/* Runs in the reloader's thread, like on_failed() and on_loaded(). */
static enum status load_again(void *ctx, struct config **out, struct diag *why)
{
    const struct serve *s = ctx;
    enum status st = s->load(s->load_ctx, out, why);

    if (st != ST_OK) {
        explain_failure(s, why);
        return st;
    }
    st = check_fetching(s, *out, why);
    if (st != ST_OK)
        config_unref(*out);
    return st;
}

static void on_failed(void *ctx, const struct diag *why)
{
    refuse_reload(ctx, why);
}

static void on_loaded(void *ctx, struct config *c)
{
    struct serve *s = ctx;
    struct loaded *l = NEW(struct loaded);

    *l = (struct loaded){s, c};
    loop_post(process_loop(s->process), install, l);
}

/* ---- beginning and end ---- */

void serve_reload_start(struct serve *s)
{
    timer_init(&s->expiry_timer, on_look, s);
    plan_look(s);
    if (s->load != NULL)
        s->reloader =
            reloader_start(s->config, &(struct reload_hooks){load_again, on_loaded, on_failed, s});
}

bool serve_reload_stop(struct serve *s)
{
    bool ended = s->reloader == NULL || reloader_stop(s->reloader);

    s->reloader = NULL; /* later requests for a reload are ignored */
    timer_stop(&s->expiry_timer);
    return ended;
}
