/*
 * admin: the listener `admin`: /live, /startup, /ready and /health for probes,
 * `/` for people, /status for scripts, /metrics for Prometheus; /quit and
 * /reload if they are allowed.
 *
 * Answers come from the worker that serves the request and from counters of the
 * process; no server is called for them. They hold nothing of a request, and no
 * key or passphrase. The listener has the same guards against web pages as the
 * other listeners, but its own rules for who may ask. It answers until the
 * process ends, also during a shutdown.
 */
#ifndef OPS_ADMIN_H
#define OPS_ADMIN_H

#include "process/process.h"

struct admin;

/* What /quit and /reload do. Each function returns at once, may be called in any thread, and may be
 * called again. */
struct admin_actions {
    void (*quit)(void *ctx);
    void (*reload)(void *ctx);
    void *ctx;
};

struct admin *admin_new(const struct admin_actions *actions);
void admin_free(struct admin *a); /* NULL is allowed; call it after process_free() */

/* Opens the configured addresses and adds them to the process s. just_try: only tries them
 * (process_new()). ST_OK also if there is none. */
enum status admin_listen(struct admin *a, const struct config *c, bool just_try, struct process *p,
                         struct diag *why) MUST_CHECK;

/* The i-th address that is listened on, with the port that the kernel has chosen; NULL: there are
 * no more. */
const struct address *admin_address(const struct admin *a, size_t i);

/* Shows what r fetches from now on; NULL: nothing. r must outlive a. Call it before the first
 * request. */
struct renewal;
void admin_show_renewal(struct admin *a, struct renewal *r);

/* Counts an exchange that is over. Any worker's thread. */
void admin_note(struct admin *a, const struct record *r);

/* Notes the result of a reload: why == NULL if it succeeded. Any thread. */
void admin_note_reload(struct admin *a, const struct diag *why);

#endif
