/*
 * config: the configuration, checked, with everything that it names loaded.
 *
 * Immutable after it is made, and reference-counted, so every thread may read
 * it without a lock. A reload makes a new one.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdint.h>

#include "base/log.h"
#include "config/callers.h"
#include "config/tokens.h"
#include "http/edit.h"
#include "http/pattern.h"
#include "http/rules.h"
#include "http/target.h"
#include "net/address.h"
#include "sf/link.h"
#include "tls/client.h"
#include "tls/local_ca.h"

enum { OPTIONS_MAX = 128 }; /* rows of the table of options */

/* A host and port to connect to. */
struct endpoint {
    char *host;
    int port;
};

/* A certificate to present to the server: the paths as configured, and what was loaded from
 * them. */
struct identity {
    char *certificate, *private_key;
    char *passphrase_file, *passphrase_env, *passphrase_credential;
    struct credential *credential; /* NULL: there is none */
    /* only after config_load_flawed(), or if it has not been fetched: why it was not loaded;
     * NULL: it was */
    char *flaw;
    enum status flaw_status;
    struct tls_client *tls;
};

/* Where `certificate` comes from. */
enum certificate_source { CERTIFICATE_OF_FILE, CERTIFICATE_OF_BTP };

/* The settings of BTP's Destination service, as configured. A separate process fetches the
 * certificate (ops/renewal.h). */
struct certificate_fetch {
    int source;             /* enum certificate_source */
    char *service_key_file; /* the process that serves callers never reads it */
    char *name;
    int level;   /* enum btp_level */
    char *store; /* the folder that the certificate is written into */
};

/* `certificate`, and `certificate-next`, which is optional. */
enum { IDENTITY_CURRENT, IDENTITY_NEXT, IDENTITIES };

/* The maximum number of requests per second for a path. */
struct tenant_rate {
    struct pattern path;
    char *text; /* the path as configured */
    size_t limit;
};

/* The settings of the parent proxy in one section, as configured; see parent_proxy.h. */
struct parent_options {
    char *proxy; /* NULL: not set */
    char *user, *password_file, *ccache, *keytab;
    int auth; /* enum parent_way */
};

struct parent_proxy;

struct tenant {
    char *name;
    char *where;               /* the section as file:line, for sentences */
    char *set_at[OPTIONS_MAX]; /* see tenant_where() */

    char *company_id;
    /* the certificate host: we connect to it, and its certificate has to prove it */
    struct endpoint server;
    struct endpoint connect_to; /* where to connect instead of to server; host NULL: to server */
    struct parent_options parent_options;
    struct parent_proxy *parent; /* the proxy to connect through; NULL: connect directly */
    /* the host names by which callers may ask for the tenant, NULL-terminated */
    char **names;
    char *host_field; /* the value of the field Host */
    char *peer;       /* how sentences name the server */

    struct identity identities[IDENTITIES];
    bool allow_readable_key;
    struct certificate_fetch fetch;
    char *ca_file, *crl_file; /* as configured */
    struct trust *trust;      /* the CAs and revocation lists that verify server certificates */
    struct buf pool_key;      /* equal for two tenants only if they may share connections */

    struct edit_header *headers;
    char **header_wheres; /* where each of `headers` was set */
    size_t nheaders;
    bool keep_authorization;
    char *callers_file;      /* as configured; NULL: callers need no password */
    struct callers *callers; /* NULL if there is no callers_file */
    struct rules *rules;     /* which requests are allowed; NULL: all */
    bool server_as_is;
    int require_choice;   /* enum tristate, as configured */
    bool require_request; /* refuse a server that does not ask for our certificate */
    int64_t max_upstream;
    struct tenant_rate *rates; /* the first one whose path fits a request applies */
    size_t nrates;
    bool unlimited;         /* rate = off */
    bool has_default_rates; /* `rate` is not set */
    bool respect_retry_after, session_reuse;

    bool rewrite_links;
    struct link_place *places; /* which URLs count as links to the server */
    size_t nplaces;
    char *url; /* "https://host:port": how the server's own links should begin */
};

struct listen_address {
    char *where; /* NULL: it is the default listener */
    struct address address;
    /* it comes from localhost:PORT, which makes two listeners: IPv4, and right after it IPv6;
     * this machine may lack one of them */
    bool of_localhost;
    int tenant; /* index of the tenant that it belongs to; -1: to none */
};

/* An origin of web pages (RFC 6454), as browsers send it, and the fields that are added to answers
 * for its pages. */
struct page_origin {
    char *origin;
    char *fields; /* each ends with CRLF */
};

/* What is done with a CONNECT to a host that is not a configured server. */
enum connect_other { CONNECT_REFUSE, CONNECT_TUNNEL };

enum path_mode { PATH_MASKED, PATH_FULL, PATH_OFF };
enum tristate { AUTO, NO, YES };

/* A file that the configuration names, or that is in a folder that it names. */
struct config_file {
    enum config_file_use {
        FILE_READ,
        FILE_APPENDED,
        FILE_SOCKET,
        FILE_APART, /* another process reads it, this process must not */
    } use;
    const char *key;    /* the option that names it */
    char *path, *where; /* where: NULL if no line names it */
    struct buf mark;    /* taken before the file was read: see file_add_mark() */
};

/* A remark about a usable configuration, for the log. */
struct config_note {
    enum log_level level;
    char *sentence;
};

/* A setting that comes from another source than the file. */
struct config_given {
    char *tenant; /* NULL: of [proxy] */
    char *key, *value, *where;
    char *replaced; /* where a weaker source sets the same option; NULL: nowhere */
};

struct option;

struct config_fixed {
    const struct option *option;
    char *written;
};

struct config {
    char *file;                /* NULL: there is none */
    char *set_at[OPTIONS_MAX]; /* see config_where() */
    int64_t begun_us;          /* clock_wall_us() when loading began */
    /* from this time on, loading the same files can give another result, e.g. because a
     * certificate becomes valid; seconds since 1970, 0: no such time is known */
    int64_t look_again;

    struct listen_address *listens;
    size_t nlistens;
    bool serves_remote; /* callers on other machines can reach one of the listeners */
    struct listen_address *admins;
    size_t nadmins;
    char *admin_token_file;      /* as configured */
    struct tokens *admin_tokens; /* NULL if there is no admin_token_file */
    bool admin_actions;          /* the admin listener accepts actions as well */
    int64_t workers;             /* 0: one per processor */

    struct allowed_uids {
        uid_t *list; /* empty: the user of sfmtls, and root */
        size_t count;
        bool any;
    } allow_uid, admin_allow_uid; /* see config_admin_uids() */
    struct address_access access;

    struct config_fixed *fixed; /* see fixed.h */
    size_t nfixed;

    char *log_path; /* NULL: stderr */
    enum log_format log_format;
    enum log_level log_level;
    enum path_mode path_mode;
    bool log_caller;
    bool hints, server_timing; /* whether answers get these fields */

    bool sandbox;
    char *user; /* NULL: the user that started the process */

    /* the first two are for the whole process; max_head and max_target are in bytes */
    int64_t max_connections, queue, max_head, max_fields, max_target;
    int64_t per_caller;   /* connections per caller; 0: no limit, -1: auto */
    int64_t max_requests; /* requests on one connection; 0: no limit */
    /* in milliseconds */
    int64_t connect_timeout, handshake_timeout, head_timeout, idle_timeout, body_timeout,
        answer_timeout, dead_peer_timeout, pool_idle, pool_age, queue_timeout, drain_timeout,
        resolve_cache;

    char *local_ca_folder;     /* as configured; NULL: the default folder, if it contains a CA */
    struct local_ca *local_ca; /* NULL: there is none */
    int connect_other;         /* enum connect_other */
    struct endpoint *connect_allow;
    char **connect_allow_wheres; /* where each entry of connect_allow was set */
    /* one per entry of connect_allow, each may be NULL (direct); NULL: connect_allow is empty */
    struct parent_proxy **connect_parents;
    size_t nconnect_allow;
    struct parent_options parent_options;

    bool allow_remote; /* allow listeners on addresses other than the loopback */
    /* allow requests that another proxy has forwarded, on listeners of the loopback */
    bool allow_forwarded;
    char **host_names; /* names of the proxy itself; IPv6 addresses have no brackets */
    size_t nhost_names;
    struct page_origin *origins; /* the web pages that may call */
    size_t norigins;
    char *token_file;      /* as configured; NULL: callers need no token */
    struct tokens *tokens; /* NULL if there is no token_file */

    struct tenant **tenants;
    size_t ntenants;
    /* at least one tenant keeps the session cookies of callers (session-reuse) */
    bool keeps_sessions;

    struct config_file *files; /* the configuration file is the first, if there is one */
    size_t nfiles;

    struct config_note *notes; /* written once the log is open */
    size_t nnotes;

    struct config_given *given; /* in the order of loading */
    size_t ngiven;
};

/* Asks a person for the passphrase of a file; leaves *out unchanged if nobody can be asked. */
typedef void config_ask(void *ctx, const char *path, struct buf *out);

/* The tenant that gets the options which are set without naming a tenant. */
#define CONFIG_LONE_TENANT "default"

/* A setting of the command line. */
struct config_pair {
    const char *key; /* an option of [proxy] or of the only tenant; or TENANT.KEY */
    const char *value, *where;
};

/* The sources of settings, weakest first. If two sources set the same option, the stronger one
 * applies. */
struct config_sources {
    const char *file; /* NULL: none */
    /* NULL-terminated; variables "SFMTLS_...=..." are settings. NULL: none */
    const char *const *environment;
    const struct config_pair *arguments;
    size_t narguments;
};

/* Do these variables contain any setting? */
bool config_is_in_environment(const char *const *variables);

/* Reads and checks the settings, and loads everything that they name. On failure *out is unchanged,
 * and the sentence names file and line, variable or option. ask may be NULL. The user owns a
 * reference (config_unref()). */
enum status config_load_from(const struct config_sources *from, config_ask *ask, void *ask_ctx,
                             struct config **out, struct diag *why) MUST_CHECK;

/* The same, but loads nothing that the settings name: no certificate, no key, no CA. The result
 * cannot be used for serving. */
enum status config_load_names_from(const struct config_sources *from, struct config **out,
                                   struct diag *why) MUST_CHECK;

/* Loads only the admin listener and the files of its tokens. Flaws elsewhere are no errors. */
enum status config_load_admin_from(const struct config_sources *from, struct config **out,
                                   struct diag *why) MUST_CHECK;

/* The same as config_load_from() with a file as the only source. */
enum status config_load(const char *path, config_ask *ask, void *ask_ctx, struct config **out,
                        struct diag *why) MUST_CHECK;

/* Where [proxy], or the tenant's section, sets that option: file:line, SFMTLS_VARIABLE or an option
 * of the command line. For a repeated option, the first place. NULL: it is not set, and the default
 * applies. */
const char *config_where(const struct config *c, const char *key);
const char *tenant_where(const struct tenant *t, const char *key);

/* The same as config_load_from(), but certificates and keys that cannot be loaded are no errors:
 * those identities have a flaw and no credential. The result cannot be used for serving. */
enum status config_load_flawed(const struct config_sources *from, config_ask *ask, void *ask_ctx,
                               struct config **out, struct diag *why) MUST_CHECK;

/* The folder of the local CA: as configured, or the default one. c NULL: there is no configuration.
 * The user frees it. */
char *config_local_ca_folder(const struct config *c);

/* Adds the local CA to a configuration that was just loaded, and notes which servers the CA does
 * not permit. If local-ca is set, it is an error if the folder contains no CA. */
enum status config_add_local_ca(struct config *c, struct diag *why) MUST_CHECK;

/* For a reload, before c is served or shared: where a certificate of c is expired or not valid yet,
 * and the same tenant of in_use has a valid one, that one stays in use, and c gets a note. The same
 * applies if a certificate that is fetched cannot be loaded any more. */
void config_keep_identities(struct config *c, const struct config *in_use);

/* Before c is used: presents what is in that file as the tenant's certificate, without a place in
 * certificate-store. If its key cannot be used, the identity has that flaw. */
void config_present_fetched(struct tenant *t, const char *path);

/* Calls f for each file that c reads, including the configuration file itself. */
typedef void config_file_hook(void *ctx, const char *path);
void config_each_file(const struct config *c, config_file_hook *f, void *ctx);

/* Adds the marks (file_add_mark()) of all these files, in the same order. The marks were taken
 * before the files were read. */
void config_add_marks(const struct config *c, struct buf *out);

/* Refuses files that other users can change or replace, and a log or socket whose path is that of a
 * file that is read or written otherwise. Adds notes about doubtful files. Call it when all files
 * of c are known, and before c is used. */
enum status config_check_files(struct config *c, struct diag *why) MUST_CHECK;

struct config *config_ref(struct config *c);
void config_unref(struct config *c); /* NULL is allowed */

/* May a connection that was made for one tenant be used for the other? They need the same server,
 * identity and trust. */
bool tenant_is_same_peer(const struct tenant *a, const struct tenant *b);

/* Has the tenant a certificate of that kind? Each tenant has IDENTITY_CURRENT, unless it has not
 * been fetched yet. */
static inline bool tenant_has_identity(const struct tenant *t, int i)
{
    return t->identities[i].credential != NULL;
}

/* Are name, server and company the same, whatever the certificates are? Then the server treats both
 * as one client: what it said to one about its limits applies to the other, and it may see the
 * certificates of both. */
bool tenant_is_same_account(const struct tenant *a, const struct tenant *b);

/* Appends "PATH N/s". */
void tenant_write_rate(const struct tenant_rate *r, struct buf *out);

/* For the option's setter. */
void tenant_free_rates(struct tenant *t);

/* The `rate` that applies to a path; NULL: none. */
const struct tenant_rate *tenant_find_rate(const struct tenant *t, struct slice path);

/* Is the tenant's certificate fetched from BTP? Then the tenant may have none for a while. */
static inline bool tenant_fetches(const struct tenant *t)
{
    return t->fetch.source == CERTIFICATE_OF_BTP;
}

/* The first tenant whose certificate is fetched; NULL: there is none. */
const struct tenant *config_first_that_fetches(const struct config *c);

/* The path of an identity's file in certificate-store; the user frees it. */
char *config_store_path(const struct tenant *t, int identity);

/* How sentences name it: "certificate" or "certificate-next". Static. */
const char *identity_title(int i);

/* Is the host one of the tenant's names? */
bool tenant_has_name(const struct tenant *t, struct slice host);

/* Is the host a name of any tenant? */
bool config_has_name(const struct config *c, struct slice host);

/* Is the host listed in host-names? */
bool config_has_host_name(const struct config *c, struct slice host);

/* The users of this machine who may use the admin listener: admin-allow-uid, else allow-uid. */
const struct allowed_uids *config_admin_uids(const struct config *c);

/* The tokens that the admin listener accepts: those of admin-token-file, else those that callers
 * need. NULL: it needs none. */
const struct tokens *config_admin_tokens(const struct config *c);

/* The entry of allow-origin for the Origin of a page; NULL: the origin is not listed. */
const struct page_origin *config_find_origin(const struct config *c, struct slice origin);

/* Writes a configuration file with all options, commented out, with their defaults. */
void config_write_reference(struct buf *out);

/* The same of one option, with the section that it belongs to; false: there is none of that key. */
bool config_write_option(const char *key, struct buf *out);

#endif
