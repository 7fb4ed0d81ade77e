/*
 * hosts: the API servers of SAP SuccessFactors and their certificate hosts.
 *
 * Sources: SAP's "List of SAP SuccessFactors API Servers" (help.sap.com) and
 * KBA 2215682. Calls with mTLS go to the certificate host: the API host with
 * `.cert` after its first label.
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
    /* The certificate host is documented, not only made by the rule. */
    bool verified;
};

const struct sf_host *sf_hosts(size_t *count);

enum { SF_HOST_SIZE = 256 }; /* bytes of a host name (RFC 1035, 2.3.4), and the NUL */

enum sf_kind {
    SF_UNKNOWN, /* not a host of SuccessFactors: used as it is */
    SF_API,     /* call certificate_host */
    SF_UI,      /* a host of the user interface, without APIs */
};

struct sf_lookup {
    enum sf_kind kind;
    char certificate_host[SF_HOST_SIZE];
    /* The plain API host that belongs to it; for SF_UI empty if it is not known. */
    char api_host[SF_HOST_SIZE];
    bool was_certificate; /* the name was a certificate host already */
    bool certain;         /* from the table, or by a rule that always holds */
};

/* The API server that was probably meant by an unknown host name (plain or certificate host); NULL:
 * no name is similar. */
const struct sf_host *sf_similar_host(const char *host);

/* Looks up a host name, in any case of letters, with or without a dot at the end. */
struct sf_lookup sf_lookup_host(const char *host);

/* hosts_near.c: finds the API servers that text may mean: a data center (DC4, 4), the beginning of
 * a name (api4), or a name with a typing error. The likeliest is the first. Returns their number,
 * at most room. */
size_t sf_near_hosts(const char *text, const struct sf_host **out, size_t room);

/* The same as sf_similar_host(), but accepts a data center or a name without its domain in place of
 * a host name: dc4, api4. */
const struct sf_host *sf_meant_host(const char *host);

#endif
