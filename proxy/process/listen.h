/*
 * listen: opens what a configuration listens on, as one: both families of a
 * localhost:PORT, or none of them.
 */
#ifndef PROCESS_LISTEN_H
#define PROCESS_LISTEN_H

#include "config/config.h"
#include "net/acceptor.h"

/* Opens those of the n listeners that have no acceptor yet; opened[i] says which were. A family of
 * localhost that this machine has not is left out: its acceptor stays NULL. On failure what was
 * opened is closed again. just_try: each is tried, and nothing is open in the end. */
enum status listen_open(const struct listen_address *list, size_t n,
                        const struct address_access *access, bool just_try,
                        struct acceptor **acceptors, bool *opened, struct diag *why) MUST_CHECK;

/* Closes those that were opened. */
void listen_close(struct acceptor **acceptors, bool *opened, size_t n);

/* How it is called among the listeners of a configuration. With port 0 a family of localhost is
 * called otherwise than the address alone, for it goes with the other family. */
void listen_name(const struct listen_address *l, char out[ADDRESS_TEXT_SIZE]);

#endif
