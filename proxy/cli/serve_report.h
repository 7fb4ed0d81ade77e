/*
 * serve_report: what `run` and `demo` report when they start.
 */
#ifndef CLI_SERVE_REPORT_H
#define CLI_SERVE_REPORT_H

#include "cli/serve.h"

/* Logs who the process is, what protects it, and what deserves a warning. */
void serve_announce(struct serve *s);

/* Logs the addresses of all listeners, and prints them if the log is a file. */
void serve_report_listeners(const struct serve *s, const struct process *process);

/* Writes the line of --ready-fd and closes the descriptor. */
void serve_report_ready(const struct serve *s, const struct process *process);

#endif
