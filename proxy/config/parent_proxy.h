/*
 * parent_proxy: the proxy of a company, through which a server is reached.
 *
 * Immutable once it is loaded, but for the count of a nonce; reference-counted,
 * usable in any thread. A tenant has none where it connects directly.
 */
#ifndef CONFIG_PARENT_PROXY_H
#define CONFIG_PARENT_PROXY_H

#include "config/config.h"

/* How sfmtls says who it is; in the order of the option's choices. */
enum parent_way { PARENT_AUTO, PARENT_BASIC, PARENT_DIGEST, PARENT_NEGOTIATE, PARENT_NTLM };

struct parent_proxy {
    struct endpoint at;
    char *name;  /* "proxy.corp:3128" */
    char *where; /* the line, variable or option that names it */
    enum parent_way auth;
    char *user; /* NULL: none is configured */
    struct buf password;
    char *ccache, *keytab; /* as the Kerberos library names them; NULL: see parent_proxy_ccache() */
};

/* What `parent-proxy` can say. */
enum parent_kind { PARENT_NONE, PARENT_SYSTEM, PARENT_NAMED };

/* Reads it; out: the endpoint of PARENT_NAMED. */
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

/* May Kerberos or NTLM be needed for it? */
bool parent_proxy_may_need_gss(const struct parent_proxy *p);

/* How many requests have had that nonce of Digest, this one included (RFC 7616, 3.4). */
unsigned parent_proxy_count(struct parent_proxy *p, struct slice nonce);

/* Are Kerberos tickets there that can be got at? KEYRING: would need system calls that the sandbox
 * takes for an intruder's. */
bool parent_proxy_can_read_ccache(const char *ccache);

/* KRB5CCNAME; NULL: it is not set. */
const char *parent_proxy_environment_ccache(void);

/* Where Kerberos tickets are. The caller frees it. */
char *parent_proxy_ccache(const struct parent_proxy *p);

/* Appends what tells it apart from another one. */
void parent_proxy_digest(const struct parent_proxy *p, struct buf *out); /* NULL is allowed */

/* The one through which a place of connect-allow is reached; NULL: directly. to: of c. */
struct parent_proxy *config_parent_of(const struct config *c, const struct endpoint *to);

#endif
