/*
 * reload: loads the configuration again, when it is told to or when a file of
 * the configuration has changed. It has a thread of its own, because decrypting
 * a key or reading the system's CAs takes longer than a request may wait.
 *
 * Files are written one after the other, and in pieces. So a configuration that
 * cannot be used is tried again for two seconds before it is reported as an
 * error. Folders are watched, not files, because editors rename files and
 * Kubernetes swaps a link. If folders cannot be watched, the files are looked
 * at every few seconds.
 */
#ifndef OPS_RELOAD_H
#define OPS_RELOAD_H

#include "config/config.h"

struct reloader;

struct reload_hooks {
    enum status (*load)(void *ctx, struct config **out, struct diag *why);
    void (*on_loaded)(void *ctx, struct config *c); /* The hook owns c. */
    /* The files cannot be used. Called once for each reason. */
    void (*on_failed)(void *ctx, const struct diag *why);
    void *ctx;
};

/* Starts the thread, in which all hooks are called. c: the configuration that was loaded at the
 * start. NULL: no thread can be started. */
struct reloader *reloader_start(const struct config *c, const struct reload_hooks *hooks);

/* Loads now, even if nothing has changed. Any thread. */
void reloader_wake(struct reloader *r);

/* Waits some seconds for the thread to end. Returns false if it hangs while it reads a file, and
 * may still run. */
bool reloader_stop(struct reloader *r);

#endif
