/*
 * hosts: the API servers of SAP SuccessFactors and their certificate hosts.
 *
 * Source: SAP's "List of SAP SuccessFactors API Servers" (help.sap.com) and
 * KBA 2215682. For mTLS a call goes to the certificate host: `.cert` after the
 * first label of the API host.
 */
#ifndef SF_HOSTS_H
#define SF_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

struct sf_host {
    const char *data_center;
    const char *environment;
    const char *api;
    const char *certificate;
    bool verified; /* the certificate host is documented, not only made by the rule */
};

const struct sf_host *sf_hosts(size_t *count);

enum sf_kind {
    SF_UNKNOWN, /* no host of SF: used as it is */
    SF_API,     /* *certificate_host is what to call */
    SF_UI,      /* a host of the user interface: APIs are not served there */
};

struct sf_lookup {
    enum sf_kind kind;
    char certificate_host[256];
    char api_host[256];   /* the plain API host that belongs to it; SF_UI: "" if it is not known */
    bool was_certificate; /* the given name was a certificate host already */
    bool certain;         /* from the table, or by a rule that is known to hold */
};

/* The API server that somebody may have meant who wrote that host name (plain or of certificates),
 * which is none that is known, NULL: none has nearly that name. */
const struct sf_host *sf_similar_host(const char *host);

/* Looks a host name up, whatever its case; a dot at the end is ignored. */
struct sf_lookup sf_lookup_host(const char *host);

/* hosts_near.c: the API servers that somebody may mean who writes that: a data center (DC4, 4), the
 * beginning of a name (api4), or a name with a slip. The likeliest is the first; room at most. */
size_t sf_near_hosts(const char *text, const struct sf_host **out, size_t room);

/* The same as sf_similar_host(), also for a data center or a name without its domain in place of a
 * host name: dc4, api4. */
const struct sf_host *sf_meant_host(const char *host);

#endif
