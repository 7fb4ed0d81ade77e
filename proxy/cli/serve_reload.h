/*
 * serve_reload: how a process that serves gets another configuration. A changed
 * file, SIGHUP, an order or a date asks for it; see "A reload" in proxy/README.md.
 */
#ifndef CLI_SERVE_RELOAD_H
#define CLI_SERVE_RELOAD_H

#include "cli/serve.h"

/* Begins to watch the files and the dates of the configuration. Call it in the main thread, before
 * it serves. */
void serve_reload_start(struct serve *s);

/* Asks for a reload, if there are reloads. Call it in the main thread. */
void serve_reload(struct serve *s);

/* Ignores what asks for a reload later. False: a thread still loads a configuration, and uses s
 * meanwhile. */
bool serve_reload_stop(struct serve *s);

#endif
