/*
 * inherit: listening sockets that whoever started the process has opened, as sd_listen_fds(3)
 * describes it: LISTEN_PID names the process, LISTEN_FDS says how many there are, from descriptor 3
 * on.
 *
 * A socket is used in place of one that an acceptor would open at the same address. So the
 * configuration still says what is listened on, and each rule for listeners holds. They stay open
 * until the process ends. Taken by the first thread, before there is another.
 */
#ifndef NET_INHERIT_H
#define NET_INHERIT_H

#include "net/address.h"

/* Takes what there is. ST_BAD_INPUT: one of them is no socket that can be used. */
enum status inherit_take(struct diag *why) MUST_CHECK;

/* The listening socket at that address, which stays the table's; -1: there is none. */
int inherit_find(const struct address *at);

/* ST_BAD_INPUT: nobody has asked for one of them, so nothing would answer there. */
enum status inherit_check(struct diag *why) MUST_CHECK;

#endif
