/*
 * name_service: the C library's modules for looking up host names.
 *
 * glibc loads them at the first lookup that gets to them (nss_resolve, nss_mdns
 * and the like), which a process cannot do any more once no memory may become
 * executable. What is loaded already is found by its name.
 */
#ifndef NET_NAME_SERVICE_H
#define NET_NAME_SERVICE_H

/* Loads those that /etc/nsswitch.conf names, for the rest of the process's life. Asks nobody. */
void name_service_load(void);

#endif
