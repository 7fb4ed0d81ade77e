#include "cli/serve.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/serve_reload.h"
#include "cli/serve_report.h"
#include "net/inherit.h"
#include "net/name_service.h"
#include "ops/admin.h"
#include "ops/descriptors.h"
#include "ops/notify.h"
#include "policy/validity.h"
#include "tls/credential.h"
#include "upstream/gss_login.h"

bool serve_parse_ready_fd(const char *command, const char *text, int *fd)
{
    uint64_t number;

    if (!slice_to_u64(slice_of(text), 1 << 20, &number) || fcntl((int)number, F_GETFD) < 0) {
        (void)cli_usage(command, "--ready-fd %s: not an open descriptor", text);
        return false;
    }
    *fd = (int)number;
    return true;
}

/* ---- orders by `admin` ---- */

/* Runs in the main thread, like reload(). A second call does not cut off exchanges. */
static void quit(void *arg)
{
    struct serve *s = arg;

    if (!process_is_stopping(s->process))
        process_stop(s->process);
}

static void reload(void *arg)
{
    log_say(LOG_NOTICE, "a reload was asked for at the admin listener");
    serve_reload(arg);
}

static void order_quit(void *ctx)
{
    const struct serve *s = ctx;

    loop_post(process_loop(s->process), quit, ctx);
}

static void order_reload(void *ctx)
{
    const struct serve *s = ctx;

    loop_post(process_loop(s->process), reload, ctx);
}

/* ---- when the process is ready ---- */

static void on_ready(void *ctx, const struct process *process)
{
    struct serve *s = ctx;

    serve_announce(s);
    if (geteuid() == 0 && s->scratch == NULL)
        log_say(LOG_WARNING, "running as root, whose files can be read and written even without "
                             "privileges; name a `user` in [proxy]");
    serve_reload_start(s);
    if (s->renewal != NULL && !renewal_watch(s->renewal))
        log_say(LOG_ERROR, "there is no thread for the renewal of certificates; restart sfmtls");
    serve_report_listeners(s, process);
    serve_report_ready(s, process);
    notify_systemd("READY=1");
    watchdog_start(&s->watchdog, process_loop(process));
    if (s->on_ready != NULL)
        s->on_ready(s->ctx, process);
}

static void on_reload(void *ctx)
{
    serve_reload(ctx);
}

static void on_stopping(void *ctx)
{
    (void)ctx;
    notify_systemd("STOPPING=1");
}

static void on_log_reopen(void *ctx)
{
    (void)ctx;
    log_reopen();
}

static void on_record(void *ctx, const struct record *r)
{
    struct serve *s = ctx;

    access_log_write(&s->log, r);
    if (s->config->nadmins > 0)
        admin_note(s->admin, r);
}

static struct process_hooks hooks = {.on_record = on_record,
                                     .on_ready = on_ready,
                                     .on_stopping = on_stopping,
                                     .on_reload = on_reload,
                                     .on_log_reopen = on_log_reopen};

/* ---- opening ---- */

static enum status open_log(const struct config *c, bool just_try, struct diag *why)
{
    enum status st = c->log_path == NULL ? ST_OK
                     : just_try          ? log_try(c->log_path, why)
                                         : log_open(c->log_path, why);

    if (st != ST_OK && config_where(c, "log") != NULL)
        diag_place(why, config_where(c, "log"));
    return st;
}

/* Gives up privileges and enters the sandbox. Open files stay open. Libraries that would be loaded
 * on demand are loaded before. */
static enum status give_up(struct serve *s, const struct process *process, struct diag *why)
{
    enum status st = user_become(&s->user, s->config, process, why);

    if (st != ST_OK)
        return st;
    gss_load(s->config);
    st = gss_check(s->config, why);
    if (st != ST_OK)
        return st;
    if (s->config->sandbox) {
        name_service_load();
        credential_prepare();
    }
    if (!s->just_try && s->renewal_arguments != NULL &&
        config_first_that_fetches(s->config) != NULL)
        st = renewal_start(s->config, s->renewal_arguments, &s->renewal, why);
    s->sandbox = sandbox_enter(s->config, s->scratch);
    if (st == ST_OK)
        st = sandbox_check_fetching(s->sandbox, s->config, why);
    admin_show_renewal(s->admin, s->renewal);
    return st;
}

static void forget(struct serve *s)
{
    (void)close(s->nowhere);
    user_free(&s->user);
    renewal_stop(s->renewal);
    s->renewal = NULL;
    sandbox_free(s->sandbox);
    s->sandbox = NULL;
}

static void end(struct serve *s, struct process *process)
{
    process_free(process);
    admin_free(s->admin);
    forget(s);
}

enum status serve_open(struct serve *s, struct process **out, struct diag *why)
{
    (void)signal(SIGPIPE, SIG_IGN); /* the reader of the log may end */
    if (getpid() == 1)
        (void)signal(
            SIGCHLD,
            SIG_IGN); /* a container's orphans become our children, and must not stay as zombies */
    descriptors_raise();
    s->nowhere =
        open("/dev/null", O_RDWR | O_CLOEXEC); /* the sandbox forbids writing to it later */
    h1_reader_setup();
    hooks.ctx = s;
    s->log =
        (struct access_log){s->config->log_format, s->config->path_mode, s->config->log_caller};
    enum status st = user_find(s->config, &s->user, why);
    if (st != ST_OK)
        return st;
    st = inherit_take(why);
    if (st == ST_OK)
        st = process_new(s->config, &hooks, s->just_try, out, why);
    if (st != ST_OK) {
        forget(s);
        return st;
    }
    s->doors = process_door_count(*out);
    s->admin = admin_new(&(struct admin_actions){order_quit, order_reload, s});
    st = admin_listen(s->admin, s->config, s->just_try, *out, why);
    if (st == ST_OK)
        st = inherit_check(why);
    if (st == ST_OK)
        st = open_log(s->config, s->just_try, why);
    if (st == ST_OK)
        st = give_up(s, *out, why);
    if (st == ST_OK && !s->just_try)
        st = log_start(s->config->log_format, why); /* this starts the first thread */
    if (st == ST_OK) {
        log_set_level(s->config->log_level);
        return ST_OK;
    }
    end(s, *out);
    return st;
}

static bool is_any_presentable(const struct config *c)
{
    for (size_t i = 0; i < c->ntenants; i++)
        if (tenant_is_presentable(c->tenants[i]) || tenant_fetches(c->tenants[i]))
            return true;
    return false;
}

enum status serve_try(struct serve *s, struct process *process, struct diag *why)
{
    enum status st = ST_OK;

    log_tell_terminal();
    process_announce(process);
    serve_announce(s);
    if (!is_any_presentable(s->config)) {
        diag_at(why,
                s->config->file != NULL ? s->config->file
                                        : tenant_where(s->config->tenants[0], "certificate"),
                "no tenant can be served, because none has a certificate that is valid now; "
                "have one renewed, or set the clock of this machine");
        st = ST_BAD_INPUT;
    }
    expiry_free(&s->expiry);
    end(s, process);
    return st;
}

int serve_run(struct serve *s, struct process *process)
{
    s->process = process;
    bool drained = process_run(process);

    bool stuck = !serve_reload_stop(s);
    watchdog_stop(&s->watchdog);
    if (s->on_stopped != NULL)
        s->on_stopped(s->ctx);
    process_free(process);
    if (!stuck)
        admin_free(s->admin);
    renewal_stop(s->renewal);
    s->renewal = NULL;
    expiry_free(&s->expiry);
    log_say(LOG_NOTICE, "stopped");
    log_stop();
    if (stuck)
        _exit(drained ? EXIT_DONE : EXIT_FAILED); /* the reloader's thread still runs */
    forget(s);
    return drained ? EXIT_DONE : EXIT_FAILED;
}
