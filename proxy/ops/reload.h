/*
 * reload: loads the configuration again when it is told to, or when a file
 * that it names has changed. In a thread of its own: decrypting a key or
 * reading the system's roots takes longer than a request may wait.
 *
 * Files are written one after the other, and in pieces: what cannot be used is
 * tried again for two seconds before it is called an error. Folders are
 * watched, not files, for editors rename and Kubernetes swaps a link; where
 * watching is not to be had, the files are looked at every few seconds.
 */
#ifndef OPS_RELOAD_H
#define OPS_RELOAD_H

#include "config/config.h"

struct reloader;

struct reload_hooks {
    enum status (*load)(void *ctx, struct config **out, struct diag *why);
    void (*on_loaded)(void *ctx, struct config *c); /* which is the callee's from now on */
    /* What is there cannot be used; once for each reason. */
    void (*on_failed)(void *ctx, const struct diag *why);
    void *ctx;
};

/* All are called in the reloader's thread. c: what was loaded at the beginning. NULL if there is
 * no thread to be had. */
struct reloader *reloader_start(const struct config *c, const struct reload_hooks *hooks);

/* Load now, whatever has changed. Any thread. */
void reloader_wake(struct reloader *r);

/* Waits for the thread, some seconds; false if it hangs in a file and may still be at work. */
bool reloader_stop(struct reloader *r);

#endif
