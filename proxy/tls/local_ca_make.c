#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path_guard.h"
#include "tls/issue.h"
#include "tls/local_ca.h"

enum { CA_DAYS = 5 * 365, PUBLIC_FOLDER = 0755, PRIVATE_FOLDER = 0700, PUBLIC_FILE = 0644 };

/* ---- name constraints ---- */

static bool is_below(const char *name, const char *host)
{
    size_t n = strlen(name), h = strlen(host);

    return n > h + 1 && name[n - h - 1] == '.' && strcmp(name + n - h, host) == 0;
}

/* "DNS:host" also permits all names below host, so these are excluded. That is not possible if
 * another of the servers is below host, because an excluded name cannot be permitted again. */
static bool may_be_closed(const char *host, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_below(names[i], host))
            return false;
    return true;
}

/* To forbid all e-mail addresses and URIs, only impossible ones are permitted (RFC 6761, 6.4),
 * because verifiers disagree about how to exclude all. */
static void write_constraints(struct buf *out, char *const *names, size_t count)
{
    buf_add_string(out, "excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::,permitted;email:.invalid,"
                        "permitted;URI:.invalid");
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, ",permitted;DNS:%s", names[i]);
        if (may_be_closed(names[i], names, count))
            buf_addf(out, ",excluded;DNS:.%s", names[i]);
    }
    buf_add(out, "", 1);
}

/* ---- making ---- */

/* Each name has a random part, because two CAs with the same name would be confused. */
static enum status issue(const char *what, const char *constraints, const struct credential *root,
                         struct credential **out, struct diag *why)
{
    unsigned char id[4];

    if (RAND_bytes(id, sizeof(id)) != 1) {
        diag_set(why, "the system gives no random numbers");
        return ST_SYSTEM;
    }
    char *name = mem_format("sfmtls local %s %02x%02x%02x%02x", what, id[0], id[1], id[2], id[3]);
    const struct issue_spec spec = {
        .common_name = name,
        .organization = "sfmtls",
        .is_ca = true,
        .issues_leaves_only = root != NULL,
        .name_constraints = constraints,
        .for_server = root != NULL,
        .days = CA_DAYS,
        .latest = root == NULL ? 0 : credential_not_after(root),
    };
    enum status st = issue_credential(&spec, root, out, why);
    free(name);
    return st;
}

/* ---- the folder ---- */

/* Checks the folders on the way before anything is made: the owner of one of them could read or
 * replace the key. */
static enum status check_way(const char *folder, struct diag *why)
{
    char *root = local_ca_new_path(folder, LOCAL_CA_ROOT);
    struct path_verdict v = path_judge(root, geteuid());
    enum status st = ST_BAD_INPUT;

    if (v.flaw == PATH_SOUND || v.flaw == PATH_OPEN_VOLUME) {
        st = ST_OK;
    } else if (v.flaw == PATH_FOREIGN || v.flaw == PATH_PLANTED) {
        char *owner = path_owner(&v);
        diag_at(why, folder,
                "%s belongs to %s, who could take the key; make the CA as that user, or "
                "choose another folder with --dir",
                v.place, owner);
        free(owner);
    } else {
        path_explain(&v, folder, why);
    }
    path_verdict_free(&v);
    free(root);
    return st;
}

/* Makes a folder with exactly that mode, whatever the umask is. False with errno: the folder does
 * not exist now. */
static bool make_one(const char *path, mode_t mode)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return chmod(path, mode) == 0;
    if (errno != EEXIST)
        return false;
    bool there = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    errno = ENOTDIR;
    return there;
}

static bool make_all(const char *folder)
{
    char *path = mem_copy_string(folder);

    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        (void)make_one(path, PUBLIC_FOLDER);
    }
    bool made = make_one(path, PUBLIC_FOLDER);
    free(path);
    return made;
}

/* Checks the mode of the folder of the certificates, or of that of the key. */
static enum status check_mode(const char *folder, struct diag *why)
{
    struct stat st;

    if (stat(folder, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return ST_OK;
    diag_at(why, folder,
            "other users may write into that folder; chmod go-w %s, or choose another one "
            "with --dir",
            folder);
    return ST_BAD_INPUT;
}

/* An older version closed the folder of the CA to all other users, but they have to read the
 * root. */
static void open_old_folder(const char *folder)
{
    char *found = local_ca_path(folder, LOCAL_CA_KEY),
         *made = local_ca_new_path(folder, LOCAL_CA_KEY);
    struct stat st;

    if (strcmp(found, made) != 0 && stat(folder, &st) == 0)
        (void)chmod(folder, (st.st_mode | PUBLIC_FOLDER) & 07777);
    free(found);
    free(made);
}

static enum status make_folders(const char *folder, struct diag *why)
{
    char *key = local_ca_new_path(folder, LOCAL_CA_KEY), *closed = path_folder(key);
    enum status st = check_way(folder, why);

    if (st == ST_OK && !make_all(folder)) {
        diag_at(why, folder, "the folder cannot be made: %s; choose another one with --dir",
                strerror(errno));
        st = ST_BAD_INPUT;
    }
    if (st == ST_OK)
        st = check_mode(folder, why);
    if (st == ST_OK && !make_one(closed, PRIVATE_FOLDER)) {
        diag_at(why, closed, "the folder cannot be made: %s; choose another one with --dir",
                strerror(errno));
        st = ST_BAD_INPUT;
    }
    if (st == ST_OK)
        st = check_mode(closed, why);
    if (st == ST_OK)
        open_old_folder(folder);
    free(closed);
    free(key);
    return st;
}

static char *draft_of(const char *path)
{
    return mem_format("%s.new", path);
}

static enum status write_draft(const char *path, const struct credential *c, bool key,
                               struct diag *why)
{
    char *draft = draft_of(path);
    struct buf text = {0};
    enum status st;

    (void)unlink(draft); /* left by a process that was interrupted */
    if (key) {
        st = credential_save_key(c, draft, why);
    } else {
        credential_write_public(c, &text);
        st = file_write_new(draft, buf_slice(&text), PUBLIC_FILE, why);
        if (st == ST_OK)
            (void)chmod(draft, PUBLIC_FILE); /* whatever the umask is */
    }
    buf_free(&text);
    free(draft);
    return st;
}

static enum status put_in_place(const char *path, struct diag *why)
{
    char *draft = draft_of(path);
    enum status st = ST_OK;

    if (rename(draft, path) != 0) {
        diag_at(why, path, "cannot be written: %s; choose another folder with --dir",
                strerror(errno));
        st = ST_SYSTEM;
    }
    free(draft);
    return st;
}

/* Writes all files before it moves any of them to its place. */
static enum status save(const char *folder, const struct credential *root,
                        const struct credential *signer, struct diag *why)
{
    char *paths[LOCAL_CA_FILES];
    enum status st = ST_OK;

    for (int i = 0; i < LOCAL_CA_FILES; i++)
        paths[i] = local_ca_new_path(folder, (enum local_ca_file)i);
    for (int i = 0; st == ST_OK && i < LOCAL_CA_FILES; i++)
        st = write_draft(paths[i], i == LOCAL_CA_ROOT ? root : signer, i == LOCAL_CA_KEY, why);
    for (int i = 0; st == ST_OK && i < LOCAL_CA_FILES; i++)
        st = put_in_place(paths[i], why);
    if (st == ST_OK)
        local_ca_remove_old_key(folder);
    for (int i = 0; i < LOCAL_CA_FILES; i++) {
        char *draft = draft_of(paths[i]);
        if (st != ST_OK)
            (void)unlink(draft);
        free(draft);
        free(paths[i]);
    }
    return st;
}

enum status local_ca_make(const char *folder, char *const *names, size_t count, bool replace,
                          struct diag *why)
{
    struct credential *root = NULL, *signer = NULL;
    struct buf constraints = {0};

    if (!replace && local_ca_is_in(folder)) {
        diag_at(why, folder,
                "holds a local CA already; --replace makes another in its place, which callers "
                "must then be told to trust");
        return ST_BAD_INPUT;
    }
    write_constraints(&constraints, names, count);
    enum status st = make_folders(folder, why);
    if (st == ST_OK)
        st = issue("root", constraints.p, NULL, &root, why);
    if (st == ST_OK)
        st = issue("intermediate", constraints.p, root, &signer, why);
    if (st == ST_OK)
        st = save(folder, root, signer, why);
    credential_unref(root); /* this destroys the only copy of its key */
    credential_unref(signer);
    buf_free(&constraints);
    return st;
}
