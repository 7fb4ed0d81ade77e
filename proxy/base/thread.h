/*
 * thread: how every thread of the program but the first begins.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* False: the system has no thread for us. It takes no signal: those are the first thread's, which
 * reads them one by one where it can act on them (process/signals.h). Whoever started it joins or
 * detaches it. */
bool thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);

#endif
