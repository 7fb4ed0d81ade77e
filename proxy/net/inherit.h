/*
 * inherit: listening sockets that were opened by the program that started this
 * process, as sd_listen_fds(3) describes: LISTEN_PID names the process,
 * LISTEN_FDS is the number of descriptors, from descriptor 3 on.
 *
 * An inherited socket replaces the one that an acceptor would open at the same
 * address. So the configuration still decides where to listen, and all rules
 * for listeners apply. The sockets stay open until the process ends. Call these
 * functions in the first thread, before there is another.
 */
#ifndef NET_INHERIT_H
#define NET_INHERIT_H

#include "net/address.h"

/* Takes all inherited sockets. ST_BAD_INPUT: one of them cannot be used. */
enum status inherit_take(struct diag *why) MUST_CHECK;

/* The inherited socket that listens at that address; -1: there is none. The socket stays open in
 * the table. */
int inherit_find(const struct address *at);

/* ST_BAD_INPUT: no acceptor has asked for one of the sockets, so nobody would answer there. */
enum status inherit_check(struct diag *why) MUST_CHECK;

#endif
