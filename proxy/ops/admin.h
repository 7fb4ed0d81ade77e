/*
 * admin: the listener `admin`: /live, /startup, /ready and /health for probes,
 * `/` for people, /status for scripts, /metrics for Prometheus, /quit and /reload if
 * they are allowed.
 *
 * It answers from what the worker that serves the request has in use, and
 * from counters of the process; nothing in it depends on a server being
 * reached. Nothing of a request, a key or a passphrase is in it. It is
 * guarded as the proxy's own listeners are, so that no web page reads it; who
 * else may ask is decided apart from who may call. It answers until the
 * process ends, also while that drains.
 */
#ifndef OPS_ADMIN_H
#define OPS_ADMIN_H

#include "process/process.h"

struct admin;

/* Orders. Each returns at once, in whatever thread it is called; it may be given again and again.
 */
struct admin_actions {
    void (*quit)(void *ctx);
    void (*reload)(void *ctx);
    void *ctx;
};

struct admin *admin_new(const struct admin_actions *actions);
void admin_free(struct admin *a); /* NULL is allowed; after process_free() */

/* Opens the configured addresses and gives them to the server (just_try: tries them, see
 * process_new()). ST_OK without any, too. */
enum status admin_listen(struct admin *a, const struct config *c, bool just_try, struct process *s,
                         struct diag *why) MUST_CHECK;

/* The i-th address that is listened on, with the real port; NULL: there are no more. */
const struct address *admin_address(const struct admin *a, size_t i);

/* What is fetched is shown from now on; NULL: nothing is. Before anybody asks; r outlives a. */
struct renewal;
void admin_show_renewal(struct admin *a, struct renewal *r);

/* An exchange is over, and is counted. Any worker's thread. */
void admin_note(struct admin *a, const struct record *r);

/* What became of the last reload; why NULL: it is in use. Any thread. */
void admin_note_reload(struct admin *a, const struct diag *why);

#endif
