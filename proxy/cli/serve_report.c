#include "cli/serve_report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "ops/admin.h"
#include "ops/announce.h"
#include "ops/unused_proxy.h"
#include "tls/key_memory.h"

/* ---- addresses ---- */

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

void serve_report_listeners(const struct serve *s, const struct process *process)
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

void serve_report_ready(const struct serve *s, const struct process *process)
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

/* ---- warnings ---- */

static void announce_process(const struct serve *s)
{
    if (s->user.name != NULL)
        log_say(LOG_NOTICE, "running as %s", s->user.name);
    if (s->user.warning != NULL)
        log_say(LOG_WARNING, "%s", s->user.warning);
    sandbox_announce(s->sandbox);
}

void serve_announce(struct serve *s)
{
    if (!key_memory_is_locked() && s->scratch == NULL)
        log_say(LOG_WARNING,
                "the memory for private keys is not locked; allow 1 MiB of locked memory, or 8 MiB "
                "for hundreds of tenants (ulimit -l, LimitMEMLOCK=)");
    announce_config(s->config, &s->expiry);
    unused_proxy_announce(s->config);
    announce_process(s);
}
