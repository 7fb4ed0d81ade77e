#include "cli/serve.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "net/inherit.h"
#include "net/name_service.h"
#include "ops/admin.h"
#include "ops/announce.h"
#include "ops/descriptors.h"
#include "ops/notify.h"
#include "ops/reload.h"
#include "ops/unused_proxy.h"
#include "policy/validity.h"
#include "tls/credential.h"
#include "tls/key_memory.h"
#include "upstream/gss_login.h"

enum { EXPIRY_LOOK_MS = 60 * 1000, SOON_LOOK_MS = 1000 };

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

/* ---- reporting the start ---- */

static const char *scheme_of(const char *address)
{
    return strncmp(address, "unix:", 5) == 0 ? "" : "http://";
}

static void tell_address(const struct serve *s, const char *what, const struct address *at,
                         const char *tenant)
{
    char address[ADDRESS_TEXT_SIZE];

    address_text(at, address);
    char *sentence = mem_format("%s %s%s%s%s", what, scheme_of(address), address,
                                tenant == NULL ? "" : " for tenant ", tenant == NULL ? "" : tenant);
    log_say(LOG_NOTICE, "%s", sentence);
    if (s->config->log_path != NULL)
        cli_say("%s", sentence);
    free(sentence);
}

static void tell_listeners(const struct serve *s, const struct process *process)
{
    for (size_t i = 0; i < s->doors; i++)
        tell_address(s, "listening on", process_door_address(process, i),
                     process_door_tenant(process, i));
    for (size_t i = 0; admin_address(s->admin, i) != NULL; i++)
        tell_address(s, "status on", admin_address(s->admin, i), NULL);
}

static void add_address(struct buf *line, const char *name, const struct address *at)
{
    char address[ADDRESS_TEXT_SIZE];

    address_text(at, address);
    json_add_member(line, name, slice_of(address));
}

static void tell_ready_fd(const struct serve *s, const struct process *process)
{
    struct buf line = {0};

    if (s->ready_fd == NO_READY_FD)
        return;
    buf_addf(&line, "{\"pid\":%ld,\"listeners\":[", (long)getpid());
    for (size_t i = 0; i < s->doors; i++) {
        const char *tenant = process_door_tenant(process, i);
        buf_add_string(&line, i == 0 ? "{" : ",{");
        add_address(&line, "address", process_door_address(process, i));
        json_add_member(&line, "tenant", slice_of(tenant));
        buf_add_string(&line, "}");
    }
    buf_add_string(&line, "]");
    if (admin_address(s->admin, 0) != NULL) /* the other family's address has the same port */
        add_address(&line, "admin", admin_address(s->admin, 0));
    buf_add_string(&line, "}\n");
    if (write(s->ready_fd, line.p, line.n) != (ssize_t)line.n)
        log_say(LOG_WARNING, "the descriptor of --ready-fd could not be written");
    if (s->ready_fd > STDERR_FILENO)
        (void)close(s->ready_fd);
    else /* others write to that number, so it must not be used for a file */
        (void)dup2(s->nowhere, s->ready_fd);
    buf_free(&line);
}

/* ---- reloading ---- */

struct loaded {
    struct serve *serve;
    struct config *config;
};

static void on_reload(void *ctx)
{
    struct serve *s = ctx;

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
    int64_t due = process_config(s->process)->look_again, now = clock_wall_us() / 1000000;
    bool soon = due != 0 && due != s->looked && due - now < EXPIRY_LOOK_MS / 1000;

    timer_stop(&s->expiry_timer);
    timer_start(process_loop(s->process), &s->expiry_timer, soon ? SOON_LOOK_MS : EXPIRY_LOOK_MS);
}

static void on_look(void *ctx)
{
    struct serve *s = ctx;
    int64_t due = process_config(s->process)->look_again;

    announce_expiry(process_config(s->process), &s->expiry);
    if (due != 0 && due != s->looked && due <= clock_wall_us() / 1000000) {
        s->looked = due; /* only once, even if nothing has changed */
        on_reload(s);
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

static const struct tenant *first_that_fetches(const struct config *c)
{
    for (size_t i = 0; i < c->ntenants; i++)
        if (tenant_fetches(c->tenants[i]))
            return c->tenants[i];
    return NULL;
}

/* The guard that fetches certificates starts before the sandbox, or not at all. */
static enum status check_fetching(const struct serve *s, const struct config *c, struct diag *why)
{
    const struct tenant *t = first_that_fetches(c);

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
    on_reload(arg);
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

static void announce_process(const struct serve *s)
{
    if (s->user.name != NULL)
        log_say(LOG_NOTICE, "running as %s", s->user.name);
    if (s->user.warning != NULL)
        log_say(LOG_WARNING, "%s", s->user.warning);
    sandbox_announce(s->sandbox);
}

static void announce(struct serve *s)
{
    if (!key_memory_is_locked() && s->scratch == NULL)
        log_say(LOG_WARNING,
                "the memory for private keys is not locked; allow 1 MiB of locked memory, or 8 MiB "
                "for hundreds of tenants (ulimit -l, LimitMEMLOCK=)");
    announce_config(s->config, &s->expiry);
    unused_proxy_announce(s->config);
    announce_process(s);
}

static void on_ready(void *ctx, const struct process *process)
{
    struct serve *s = ctx;

    announce(s);
    if (geteuid() == 0 && s->scratch == NULL)
        log_say(LOG_WARNING, "running as root, whose files can be read and written even without "
                             "privileges; name a `user` in [proxy]");
    timer_init(&s->expiry_timer, on_look, s);
    plan_look(s);
    if (s->load != NULL)
        s->reloader =
            reloader_start(s->config, &(struct reload_hooks){load_again, on_loaded, on_failed, s});
    if (s->renewal != NULL && !renewal_watch(s->renewal))
        log_say(LOG_ERROR, "there is no thread for the renewal of certificates; restart sfmtls");
    tell_listeners(s, process);
    tell_ready_fd(s, process);
    notify_systemd("READY=1");
    watchdog_start(&s->watchdog, process_loop(process));
    if (s->on_ready != NULL)
        s->on_ready(s->ctx, process);
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
    if (!s->just_try && s->renewal_arguments != NULL && first_that_fetches(s->config) != NULL)
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
    announce(s);
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

    bool stuck = s->reloader != NULL && !reloader_stop(s->reloader);
    s->reloader = NULL; /* later requests for a reload are ignored */
    timer_stop(&s->expiry_timer);
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
