/*
 * parent_proxy: a company's proxy, through which we connect to a server.
 *
 * Immutable after it is loaded, except for the count of a nonce;
 * reference-counted, and usable in any thread. A tenant that connects directly
 * has none.
 */
#ifndef CONFIG_PARENT_PROXY_H
#define CONFIG_PARENT_PROXY_H

#include "config/config.h"

/* How sfmtls authenticates to it; in the order of the option's choices. */
enum parent_way { PARENT_AUTO, PARENT_BASIC, PARENT_DIGEST, PARENT_NEGOTIATE, PARENT_NTLM };

struct parent_proxy {
    struct endpoint at;
    char *name;  /* "proxy.corp:3128" */
    char *where; /* the line, variable or option that names the proxy */
    enum parent_way auth;
    char *user; /* NULL: none is configured */
    struct buf password;
    /* in the syntax of the Kerberos library; NULL: see parent_proxy_ccache() */
    char *ccache, *keytab;
};

/* The kinds of values of `parent-proxy`. */
enum parent_kind { PARENT_NONE, PARENT_SYSTEM, PARENT_NAMED };

/* Reads a value of `parent-proxy`. *out is set for PARENT_NAMED only. */
enum status parent_proxy_parse(const char *text, enum parent_kind *kind, struct endpoint *out,
                               struct diag *why) MUST_CHECK;

/* Do user, password and the rest make sense together? by_system: the proxy comes from the
 * environment. *key: the option that is at fault. */
enum status parent_proxy_check(const struct parent_options *o, bool by_system, const char **key,
                               struct diag *why) MUST_CHECK;

/* Reads parent-proxy-password-file; the sentence begins with the path. */
enum status parent_proxy_read_password(const char *path, struct buf *out,
                                       struct diag *why) MUST_CHECK;

/* host:port as it is written for people and in a CONNECT. The caller frees it. */
char *parent_proxy_place(const struct endpoint *at);

struct parent_proxy *parent_proxy_ref(struct parent_proxy *p); /* NULL is allowed */
void parent_proxy_unref(struct parent_proxy *p);               /* NULL is allowed */

/* Can the proxy require Kerberos or NTLM from us? */
bool parent_proxy_may_need_gss(const struct parent_proxy *p);

/* The number of requests that have used that nonce of Digest, including this one (nc of RFC 7616,
 * 3.4). */
unsigned parent_proxy_count(struct parent_proxy *p, struct slice nonce);

/* Can this process read the Kerberos tickets of that cache? It cannot read KEYRING:, because that
 * needs system calls that the sandbox treats as an attack. */
bool parent_proxy_can_read_ccache(const char *ccache);

/* The value of KRB5CCNAME; NULL: it is not set. */
const char *parent_proxy_environment_ccache(void);

/* The name of the cache of Kerberos tickets. The user frees it. */
char *parent_proxy_ccache(const struct parent_proxy *p);

/* Appends what distinguishes it from another parent proxy. */
void parent_proxy_digest(const struct parent_proxy *p, struct buf *out); /* NULL is allowed */

/* The parent proxy for an entry of connect-allow; NULL: connect directly. to: an entry of c. */
struct parent_proxy *config_parent_of(const struct config *c, const struct endpoint *to);

#endif
