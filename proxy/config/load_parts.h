/*
 * The internals of the loader; private to load*.c.
 */
#ifndef CONFIG_LOAD_PARTS_H
#define CONFIG_LOAD_PARTS_H

#include "config/config.h"
#include "config/settings.h"

/* A configuration that is being loaded. */
struct loader {
    struct config *config;
    char *folder;     /* of the configuration file */
    bool keeps_flaws; /* an identity that cannot be loaded is no error: see struct identity */
    bool names_only;  /* load nothing that the settings name */
    bool admin_only;  /* look at nothing but the admin listener and its tokens */
    const struct settings_section *section; /* the section being loaded */
    struct tenant *tenant;                  /* the tenant of that section; NULL: [proxy] */
    struct trust **trusts;
    size_t ntrusts;
    config_ask *ask;
    void *ask_ctx;
};

/* ---- used by the other parts: load_note.c, files.c ---- */

/* Adds a note; takes ownership of the sentence. */
void load_note(struct config *c, enum log_level level, char *sentence);

/* From that time on, loading the same files can give another result; the earliest time counts.
 * Seconds since 1970; 0: never. */
void load_look_again(struct config *c, int64_t when);

/* May every user of the machine read the file? */
bool load_is_open_to_others(const char *path);

/* Records that the configuration names a file. key has to live as long as the program. */
void load_name_file(struct config *c, enum config_file_use use, const char *key, const char *path,
                    const char *where);

/* ---- the steps of loading ---- */

/* Call it when all settings of the tenant's section are set: checks that no required one is
 * missing, and loads what they name. */
enum status load_complete_tenant(struct loader *l, struct diag *why) MUST_CHECK;

/* Adds the listeners of a `listen` line: of the tenant whose section is being loaded, or of
 * none. */
enum status load_add_listens(struct loader *l, const struct setting *s,
                             struct diag *why) MUST_CHECK;

/* Adds the default listener if there is none, refuses listeners that occur twice, and adds
 * notes. */
enum status load_check_listens(struct loader *l, struct diag *why) MUST_CHECK;

/* Has the tenant a listener of its own? -1: is there a listener that belongs to no tenant? */
bool load_has_listener(const struct config *c, int tenant);

/* Checks connect-other and connect-allow against each other and against the tenants. */
enum status load_check_connect(const struct loader *l, struct diag *why) MUST_CHECK;

/* Finds the parent proxy of each tenant and of each entry of connect-allow. Call it when all
 * sections are loaded. */
enum status load_parents(struct loader *l, struct diag *why) MUST_CHECK;
struct parent_proxy *load_parent_new(void);

/* Adds notes about who can connect. */
void load_check_access(const struct loader *l);

/* Loads `certificate` and `certificate-next` with their keys, and adds notes. */
enum status load_identities(struct loader *l, struct diag *why) MUST_CHECK;

/* Checks that the options of certificate-source fit together, and adds the files of
 * certificate-store. Call it before the identities are loaded. */
enum status load_store(struct loader *l, struct diag *why) MUST_CHECK;

/* Refuses two tenants with the same certificate-store, and other files in such a folder. */
enum status load_check_stores(const struct loader *l, struct diag *why) MUST_CHECK;

/* Loads `callers-file`, if it is set, and adds notes. */
enum status load_callers(struct loader *l, struct diag *why) MUST_CHECK;

/* Loads `caller-token-file` and `admin-token-file`, if they are set. */
enum status load_tokens(struct loader *l, struct diag *why) MUST_CHECK;

/* Refuses listeners off the loopback if they are not allowed, or if callers are not identified
 * there. Adds notes about the risks that are left. */
enum status load_check_remote(const struct loader *l, struct diag *why) MUST_CHECK;

/* Makes the TLS client of each identity. */
enum status load_tls_clients(struct loader *l, struct diag *why) MUST_CHECK;

/* Adds the settings of file and environment that name the admin listener and its tokens, and skips
 * everything else there, including flaws. Adds the whole command line, which the user has just
 * written. */
enum status load_read_admin(struct settings *s, const struct config_sources *from,
                            struct diag *why) MUST_CHECK;

/* Writes pool_key. Call it again when an identity or the trust has changed. */
void load_write_pool_key(struct tenant *t);

#endif
