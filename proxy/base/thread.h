/*
 * thread: starts every thread of the program except the first.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that takes no signals: the first thread reads them, one by one, where it can act
 * on them (process/signals.h). False: the system cannot start another thread. The user joins or
 * detaches it. */
bool thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);

#endif
