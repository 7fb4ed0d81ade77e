/*
 * notify: tells systemd the state of the service (sd_notify(3): a datagram to
 * $NOTIFY_SOCKET). Without systemd it does nothing.
 */
#ifndef OPS_NOTIFY_H
#define OPS_NOTIFY_H

void notify_systemd(const char *state); /* for example "READY=1" */

#endif
