/*
 * The inside of the loader: private to load*.c.
 */
#ifndef CONFIG_LOAD_PARTS_H
#define CONFIG_LOAD_PARTS_H

#include "config/config.h"
#include "config/settings.h"

/* A configuration while it is read. */
struct loader {
    struct config *config;
    char *folder;     /* of the file */
    bool keeps_flaws; /* an identity that cannot be loaded is not an error: see struct identity */
    bool names_only;  /* nothing that it names is loaded */
    bool admin_only;  /* nothing else is even looked at */
    const struct settings_section *section; /* that is loaded */
    struct tenant *tenant;                  /* whose section that is; NULL: [proxy] */
    struct trust **trusts;
    size_t ntrusts;
    config_ask *ask;
    void *ask_ctx;
};

/* ---- what the others use: load_note.c, files.c ---- */

/* Takes the sentence. */
void load_note(struct config *c, enum log_level level, char *sentence);

/* Loading the same files again gives something else from then on; seconds since 1970, 0: never. */
void load_look_again(struct config *c, int64_t when);

/* May every user of the machine read that file? */
bool load_is_open_to_others(const char *path);

/* Notes that the configuration names a file; key lives as long as the program. */
void load_name_file(struct config *c, enum config_file_use use, const char *key, const char *path,
                    const char *where);

/* ---- the steps of loading ---- */

/* All settings of the tenant's section have been read: checks that none is missing, and loads what
 * they name. */
enum status load_complete_tenant(struct loader *l, struct diag *why) MUST_CHECK;

/* Adds what a `listen` names, of the tenant whose section is read, or of nobody. */
enum status load_add_listens(struct loader *l, const struct setting *s,
                             struct diag *why) MUST_CHECK;

/* Adds the default one if there is none; none occurs twice; notes what the log should say of them.
 */
enum status load_check_listens(struct loader *l, struct diag *why) MUST_CHECK;

/* Has that tenant a listener of its own? -1: is there one that is nobody's? */
bool load_has_listener(const struct config *c, int tenant);

/* connect-other and connect-allow make sense, together and beside the tenants. */
enum status load_check_connect(const struct loader *l, struct diag *why) MUST_CHECK;

/* Finds the parent proxy of each tenant and of each place of connect-allow; after all sections. */
enum status load_parents(struct loader *l, struct diag *why) MUST_CHECK;
struct parent_proxy *load_parent_new(void);

/* Notes what the log should say of who can connect. */
void load_check_access(const struct loader *l);

/* Loads `certificate` and `certificate-next` with their keys, and notes what the log should say. */
enum status load_identities(struct loader *l, struct diag *why) MUST_CHECK;

/* The options of certificate-source go together; names the files of certificate-store. Before what
 * is required is looked for. */
enum status load_store(struct loader *l, struct diag *why) MUST_CHECK;

/* No two tenants have the same. */
enum status load_check_stores(const struct loader *l, struct diag *why) MUST_CHECK;

/* Loads `callers-file`, if there is one, and notes what the log should say. */
enum status load_callers(struct loader *l, struct diag *why) MUST_CHECK;

/* Loads `caller-token-file`, if there is one. */
enum status load_tokens(struct loader *l, struct diag *why) MUST_CHECK;

/* Listeners off the loopback are allowed, and callers are told apart there; notes what they do not
 * have. */
enum status load_check_remote(const struct loader *l, struct diag *why) MUST_CHECK;

/* Makes the TLS side of each. */
enum status load_tls_clients(struct loader *l, struct diag *why) MUST_CHECK;

/* Collects from file and environment what names the admin listener and its tokens, and skips what
 * else is there, flaws too. Adds all of the command line, which somebody has just written. */
enum status load_read_admin(struct settings *s, const struct config_sources *from,
                            struct diag *why) MUST_CHECK;

/* Anew, after an identity or the trust has changed. */
void load_write_pool_key(struct tenant *t);

#endif
