/*
 * notify: tells systemd how the service is doing (sd_notify(3)'s protocol: a
 * datagram to $NOTIFY_SOCKET). Without systemd nothing happens.
 */
#ifndef OPS_NOTIFY_H
#define OPS_NOTIFY_H

void notify_systemd(const char *state); /* "READY=1", "STOPPING=1" */

#endif
