/*
 * config: what the program was told, checked and loaded.
 *
 * Immutable once made and reference-counted: every thread may read it without
 * a lock. A reload makes a new one beside it.
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

/* host:port to connect to. */
struct endpoint {
    char *host;
    int port;
};

/* A certificate to present: where it comes from, as given, and what was loaded. */
struct identity {
    char *certificate, *private_key;
    char *passphrase_file, *passphrase_env, *passphrase_credential;
    struct credential *credential; /* NULL: there is none */
    char *flaw; /* config_load_flawed(): why it could not be loaded; NULL: it was */
    enum status flaw_status;
    struct tls_client *tls;
};

/* Where `certificate` comes from. */
enum certificate_source { CERTIFICATE_OF_FILE, CERTIFICATE_OF_BTP };

/* BTP's Destination service, as given; a process of its own fetches from there (ops/renewal.h). */
struct certificate_fetch {
    int source;             /* enum certificate_source */
    char *service_key_file; /* which the process that serves never reads */
    char *name;
    int level;   /* enum btp_level */
    char *store; /* the folder into which it is fetched */
};

/* `certificate`, and `certificate-next`, which may be there beside it. */
enum { IDENTITY_CURRENT, IDENTITY_NEXT, IDENTITIES };

/* At most so many requests a second. */
struct tenant_rate {
    struct pattern path;
    char *text; /* the path as it was written */
    size_t limit;
};

/* What a section says of the parent proxy, as given; see parent_proxy.h. */
struct parent_options {
    char *proxy; /* NULL: it says nothing */
    char *user, *password_file, *ccache, *keytab;
    int auth; /* enum parent_way */
};

struct parent_proxy;

struct tenant {
    char *name;
    char *where;               /* the section, as file:line, for sentences */
    char *set_at[OPTIONS_MAX]; /* see tenant_where() */

    char *company_id;
    struct endpoint server;     /* the host that is called and verified: the certificate host */
    struct endpoint connect_to; /* dialled in place of server; host NULL: server */
    struct parent_options parent_options;
    struct parent_proxy *parent; /* through which it is reached; NULL: directly */
    char **names;                /* every host name by which callers may ask for it, NULL-ended */
    char *host_field;            /* the value of Host */
    char *peer;                  /* how sentences call the server */

    struct identity identities[IDENTITIES];
    bool allow_readable_key;
    struct certificate_fetch fetch;
    char *ca_file, *crl_file; /* as given */
    struct trust *trust;      /* what server certificates are held against */
    struct buf pool_key;      /* the same for two tenants only if they may share connections */

    struct edit_header *headers;
    char **header_wheres; /* one for each of headers */
    size_t nheaders;
    bool keep_authorization;
    char *callers_file;      /* as given; NULL: whoever can connect may call */
    struct callers *callers; /* NULL without callers_file */
    struct rules *rules;     /* what may be asked for; NULL: everything */
    bool server_as_is;
    int require_choice;   /* enum tristate, as it was written */
    bool require_request; /* refuse a server that does not ask for the certificate */
    int64_t max_upstream;
    struct tenant_rate *rates; /* the first whose path fits a request holds for it */
    size_t nrates;
    bool unlimited;         /* rate = off */
    bool has_default_rates; /* none was set */
    bool respect_retry_after, session_reuse;

    bool rewrite_links;
    struct link_place *places; /* what counts as a link to the server */
    size_t nplaces;
    char *url; /* "https://host:port", as the server's own links should begin */
};

struct listen_address {
    char *where; /* NULL: it is the default */
    struct address address;
    bool of_localhost; /* IPv4 of a localhost:PORT, or IPv6, which comes right after it; one of
                          them may be missing on this machine */
    int tenant;        /* whose own it is, or -1 */
};

/* A web page's origin (RFC 6454) as browsers send it, and what answers to such a page carry. */
struct page_origin {
    char *origin;
    char *fields; /* each ended by CRLF */
};

/* What becomes of a CONNECT to somewhere that is not a configured server. */
enum connect_other { CONNECT_REFUSE, CONNECT_TUNNEL };

enum path_mode { PATH_MASKED, PATH_FULL, PATH_OFF };
enum tristate { AUTO, NO, YES };

/* A file that the configuration names, or finds by a folder that it names. */
struct config_file {
    enum config_file_use {
        FILE_READ,
        FILE_APPENDED,
        FILE_SOCKET,
        FILE_APART, /* another process reads it, this one must not */
    } use;
    const char *key;    /* of which option */
    char *path, *where; /* where NULL: no line names it */
    struct buf mark;    /* before it was read: see file_add_mark() */
};

/* What the log should say about a configuration that can be used. */
struct config_note {
    enum log_level level;
    char *sentence;
};

/* A setting of another source than the file. */
struct config_given {
    char *tenant; /* NULL: of [proxy] */
    char *key, *value, *where;
    char *replaced; /* where a weaker source sets the same; NULL: nowhere */
};

struct option;

struct config_fixed {
    const struct option *option;
    char *written;
};

struct config {
    char *file;                /* NULL: there is none */
    char *set_at[OPTIONS_MAX]; /* see config_where() */
    int64_t begun_us;          /* when loading began; clock_wall_us() */
    int64_t look_again; /* when loading the same files again gives something else; seconds since
                           1970, 0: never, as far as is known */

    struct listen_address *listens;
    size_t nlistens;
    bool serves_remote; /* one of them can be reached from other machines */
    struct listen_address *admins;
    size_t nadmins;
    char *admin_token_file;      /* as given */
    struct tokens *admin_tokens; /* NULL without admin_token_file */
    bool admin_actions;          /* it takes orders, too */
    int64_t workers;             /* 0: one for each processor */

    struct allowed_uids {
        uid_t *list; /* none: sfmtls's own and root */
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
    bool hints, server_timing; /* fields of answers */

    bool sandbox;
    char *user; /* NULL: whoever started it */

    int64_t max_connections, queue, max_head, max_fields, max_target; /* per process; bytes */
    int64_t per_caller;   /* connections of one caller; 0: no limit of its own, -1: auto */
    int64_t max_requests; /* of one connection; 0: no limit */
    /* milliseconds */
    int64_t connect_timeout, handshake_timeout, head_timeout, idle_timeout, body_timeout,
        answer_timeout, dead_peer_timeout, pool_idle, pool_age, queue_timeout, drain_timeout,
        resolve_cache;

    char *local_ca_folder;     /* as given; NULL: the default one, if it holds a CA */
    struct local_ca *local_ca; /* NULL: there is none */
    int connect_other;         /* enum connect_other */
    struct endpoint *connect_allow;
    char **connect_allow_wheres;           /* one for each of connect_allow */
    struct parent_proxy **connect_parents; /* the same; NULL: there are none */
    size_t nconnect_allow;
    struct parent_options parent_options;

    bool allow_remote;    /* listeners off the loopback */
    bool allow_forwarded; /* requests that another proxy forwarded, on those of the loopback */
    char **host_names;    /* of the proxy itself; addresses of IPv6 without brackets */
    size_t nhost_names;
    struct page_origin *origins; /* whose pages may call */
    size_t norigins;
    char *token_file;      /* as given; NULL: no token is asked for */
    struct tokens *tokens; /* NULL without token_file */

    struct tenant **tenants;
    size_t ntenants;
    bool keeps_sessions; /* of callers, of one of the tenants (session-reuse) */

    struct config_file *files; /* the configuration itself is the first, if it is a file */
    size_t nfiles;

    struct config_note *notes; /* for the log, once it is open */
    size_t nnotes;

    struct config_given *given; /* in the order in which they were loaded */
    size_t ngiven;
};

/* Asks a person for the passphrase of a file; leaves *out alone if there is none to ask. */
typedef void config_ask(void *ctx, const char *path, struct buf *out);

/* The tenant whose options are set without a name. */
#define CONFIG_LONE_TENANT "default"

/* A setting of the command line. */
struct config_pair {
    const char *key; /* of [proxy] or of the only tenant; or TENANT.KEY */
    const char *value, *where;
};

/* Where settings come from, from the weakest to the strongest: of two that set the same option the
 * stronger one counts. */
struct config_sources {
    const char *file;               /* NULL: none */
    const char *const *environment; /* ends with NULL; "SFMTLS_...=..." are settings. NULL: none */
    const struct config_pair *arguments;
    size_t narguments;
};

/* Is anything set by these variables? */
bool config_is_in_environment(const char *const *variables);

/* Reads and checks the settings and loads everything that they name. On failure *out is untouched,
 * and the sentence names file and line, variable or option. ask may be NULL. */
enum status config_load_from(const struct config_sources *from, config_ask *ask, void *ask_ctx,
                             struct config **out, struct diag *why) MUST_CHECK;

/* The same without what they name: no certificate, no key, no CA. It cannot be served. */
enum status config_load_names_from(const struct config_sources *from, struct config **out,
                                   struct diag *why) MUST_CHECK;

/* Only the admin listener and the files of its tokens, whatever else is wrong. */
enum status config_load_admin_from(const struct config_sources *from, struct config **out,
                                   struct diag *why) MUST_CHECK;

/* The same of a file alone. */
enum status config_load(const char *path, config_ask *ask, void *ask_ctx, struct config **out,
                        struct diag *why) MUST_CHECK;

/* Where [proxy], or the tenant's section, sets that option, as file:line, SFMTLS_VARIABLE or an
 * option of the command line; NULL: nowhere, so that its default holds. Of one that repeats, the
 * first place. */
const char *config_where(const struct config *c, const char *key);
const char *tenant_where(const struct tenant *t, const char *key);

/* The same as config_load_from(), but for certificates and keys that cannot be loaded: their
 * tenants have none, and a flaw in its place. It cannot be served. */
enum status config_load_flawed(const struct config_sources *from, config_ask *ask, void *ask_ctx,
                               struct config **out, struct diag *why) MUST_CHECK;

/* The folder of the local CA: as given, or the default one. c NULL: there is no configuration. The
 * caller frees it. */
char *config_local_ca_folder(const struct config *c);

/* Adds the local CA to what was loaded just now, if there is one or one was asked for, and notes
 * which servers it does not know. */
enum status config_add_local_ca(struct config *c, struct diag *why) MUST_CHECK;

/* Where a certificate of c cannot be presented now, and the same tenant has a valid one in its
 * place in in_use, that one stays, which is noted. For a reload: before c is served, or shared. */
void config_keep_identities(struct config *c, const struct config *in_use);

/* Calls f for every file that c reads, itself included. */
typedef void config_file_hook(void *ctx, const char *path);
void config_each_file(const struct config *c, config_file_hook *f, void *ctx);

/* Adds the marks of all these files, in the same order, as they were before they were read. */
void config_add_marks(const struct config *c, struct buf *out);

/* Refuses files that others can change or replace, and a log or a socket in the place of a file
 * that is read; notes what is doubtful. To be called once all that c names is known, before it is
 * used. */
enum status config_check_files(struct config *c, struct diag *why) MUST_CHECK;

struct config *config_ref(struct config *c);
void config_unref(struct config *c); /* NULL is allowed */

/* May connections made for one serve the other: same server, same identity, same trust? */
bool tenant_is_same_peer(const struct tenant *a, const struct tenant *b);

/* Does it have that identity? Every tenant has IDENTITY_CURRENT, but for one that is yet to be
 * fetched. */
static inline bool tenant_has_identity(const struct tenant *t, int i)
{
    return t->identities[i].credential != NULL;
}

/* The same name, server and company, whatever the certificate? What a server thinks of one's
 * manners it thinks of the other's. */
bool tenant_is_same_account(const struct tenant *a, const struct tenant *b);

/* Appends "PATH N/s". */
void tenant_write_rate(const struct tenant_rate *r, struct buf *out);

/* For the setter. */
void tenant_free_rates(struct tenant *t);

/* The `rate` that holds for a path; NULL: none. */
const struct tenant_rate *tenant_find_rate(const struct tenant *t, struct slice path);

/* Is it fetched from BTP? Then it may have no certificate for a while. */
static inline bool tenant_fetches(const struct tenant *t)
{
    return t->fetch.source == CERTIFICATE_OF_BTP;
}

/* The files in certificate-store; the caller frees it. */
char *config_store_path(const struct tenant *t, int identity);

/* How sentences call it: "certificate", "certificate-next". */
const char *identity_title(int i);

/* Is that host one of the tenant's names? */
bool tenant_has_name(const struct tenant *t, struct slice host);

/* Is it one of any tenant's? */
bool config_has_name(const struct config *c, struct slice host);

/* Is it one of host-names? */
bool config_has_host_name(const struct config *c, struct slice host);

/* The users of this machine who may ask the admin listener: admin-allow-uid, or else allow-uid. */
const struct allowed_uids *config_admin_uids(const struct config *c);

/* What the admin listener asks for: the tokens of admin-token-file, or else those that callers
 * need; NULL: none. */
const struct tokens *config_admin_tokens(const struct config *c);

/* The entry of allow-origin for a page's Origin; NULL: it is not listed. */
const struct page_origin *config_find_origin(const struct config *c, struct slice origin);

/* The configuration file with every option, commented, at its default. */
void config_write_reference(struct buf *out);

/* The same of one option, with the section that it belongs to; false: there is none of that key. */
bool config_write_option(const char *key, struct buf *out);

#endif
