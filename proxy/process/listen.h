/*
 * listen: opens all listeners of a configuration, or none. localhost:PORT is
 * opened for both IPv4 and IPv6.
 */
#ifndef PROCESS_LISTEN_H
#define PROCESS_LISTEN_H

#include "config/config.h"
#include "net/acceptor.h"

/* Opens those of the n listeners that have no acceptor yet, and sets opened[i] for them. If this
 * machine lacks one family of localhost, the acceptor of that family stays NULL. If one cannot be
 * opened, those that were opened are closed again, and *why has the reason. just_try: tries each,
 * and opens none. */
enum status listen_open(const struct listen_address *list, size_t n,
                        const struct address_access *access, bool just_try,
                        struct acceptor **acceptors, bool *opened, struct diag *why) MUST_CHECK;

/* Closes the acceptors with opened[i]. */
void listen_close(struct acceptor **acceptors, bool *opened, size_t n);

/* The name by which a reload recognises a listener. localhost with port 0 has another name than its
 * address, because both families share one port. */
void listen_name(const struct listen_address *l, char out[ADDRESS_TEXT_SIZE]);

#endif
