#include "ops/sandbox.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "base/mem.h"
#include "config/parent_proxy.h"
#include "ops/landlock.h"
#include "ops/syscalls.h"

enum { LINKS_MAX = 8 };

struct sandbox {
    struct landlock *files; /* NULL: Landlock is not in force */
    enum log_level level;
    char *sentence;
    /* Allowed folders that are not the system's, for the sentence. */
    struct buf read, written;
};

/* Where the C library and OpenSSL read while the process runs: names, CA certificates, random
 * bytes. */
static const char *const system_places[] = {
    "/etc",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/run/systemd", /* its folder `resolve` comes and goes */
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/netconfig",
    "/run/connman",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/sys/devices/system/cpu",
};

/* These may be links to other folders. */
static const char *const system_links[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
                                           "/etc/gai.conf", "/etc/host.conf"};

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return mem_copy_string(".");
    return mem_copy_bytes(path, slash == path ? 1 : (size_t)(slash - path));
}

/* ---- what is allowed ---- */

/* Adds the folder to the list, unless it is there. */
static void mention(struct buf *list, const char *folder)
{
    struct slice rest = buf_slice(list), name = slice_of(folder);

    while (rest.n > 0)
        if (slice_eq(slice_trim(slice_split(&rest, ',')), name))
            return;
    buf_addf(list, "%s%s", list->n == 0 ? "" : ", ", folder);
}

/* Usually the folder of a file is allowed, because files are replaced by renaming. But for one file
 * in the root folder or the like, not half of the machine is allowed, and no devices. */
static bool is_whole_world(const char *folder)
{
    static const char *const wide[] = {"/", "/dev", "/run", "/var", "/mnt", "/media"};

    for (size_t i = 0; i < ARRAY_LEN(wide); i++)
        if (strcmp(folder, wide[i]) == 0)
            return true;
    return strncmp(folder, "/proc/", 6) == 0;
}

/* Also too wide, if it is only the nearest existing folder above a missing one. */
static bool is_too_wide(const char *folder)
{
    static const char *const wide[] = {"/var/lib", "/var/tmp",  "/tmp",      "/home",
                                       "/root",    "/opt",      "/srv",      "/sys",
                                       "/proc",    "/run/user", "/usr/local"};

    for (size_t i = 0; i < ARRAY_LEN(wide); i++)
        if (strcmp(folder, wide[i]) == 0)
            return true;
    return is_whole_world(folder);
}

static bool is_system_place(const char *folder)
{
    for (size_t i = 0; i < ARRAY_LEN(system_places); i++) {
        size_t n = strlen(system_places[i]);
        if (strncmp(folder, system_places[i], n) == 0 && (folder[n] == '/' || folder[n] == '\0'))
            return true;
    }
    return false;
}

static void allow_folder_of(struct sandbox *s, struct buf *list, const char *path, unsigned access)
{
    char *folder = folder_of(path), *real = realpath(folder, NULL);
    bool alone = real != NULL && is_whole_world(real);

    if (real != NULL) {
        landlock_allow(s->files, alone ? path : real, access);
        mention(list, alone ? path : real);
    }
    free(real);
    free(folder);
}

/* Allows the folder that the path names, and the folder where the file really is. */
static void allow_file(struct sandbox *s, struct buf *list, const char *path, unsigned access)
{
    char *real = realpath(path, NULL);

    allow_folder_of(s, list, path, access);
    if (real != NULL && strcmp(real, path) != 0)
        allow_folder_of(s, list, real, access);
    free(real);
}

static void on_file(void *ctx, const char *path)
{
    struct sandbox *s = ctx;

    allow_file(s, &s->read, path, LANDLOCK_READ);
}

/* Allows one path, or several with colons between them. */
static void allow_list(const struct sandbox *s, const char *paths, unsigned access)
{
    struct slice rest = slice_of(paths == NULL ? "" : paths);

    while (rest.n > 0) {
        struct slice item = slice_split(&rest, ':');
        char *path = mem_copy_bytes(item.p, item.n);
        landlock_allow(s->files, path, access);
        free(path);
    }
}

/* Where a link leads, even if its target does not exist. To be freed. */
static char *target_of(const char *path)
{
    char *at = mem_copy_string(path), target[PATH_MAX];
    ssize_t n;

    for (int i = 0; i < LINKS_MAX && (n = readlink(at, target, sizeof(target))) > 0; i++) {
        char *folder = folder_of(at), *before = at;
        at = mem_format("%s%s%.*s", target[0] == '/' ? "" : folder, target[0] == '/' ? "" : "/",
                        (int)n, target);
        free(folder);
        free(before);
    }
    return at;
}

/* The nearest existing folder above the path. To be freed. */
static char *nearest_folder(const char *path)
{
    char *folder = folder_of(path), *real;

    while ((real = realpath(folder, NULL)) == NULL && strcmp(folder, "/") != 0) {
        char *below = folder;
        folder = folder_of(below);
        free(below);
    }
    free(folder);
    return real;
}

/* The C library follows this link at each lookup. The link's target may appear later, with a
 * network or a VPN; then the nearest existing folder above it is allowed. */
static void allow_link(struct sandbox *s, const char *path, unsigned access)
{
    char *real = realpath(path, NULL);
    char *target = real == NULL ? target_of(path) : mem_copy_string(real);
    char *folder = nearest_folder(target);

    if (folder != NULL && !is_system_place(folder)) {
        if (real != NULL)
            allow_folder_of(s, &s->read, real, access);
        else if (!is_too_wide(folder)) {
            landlock_allow(s->files, folder, access);
            mention(&s->read, folder);
        }
    }
    free(folder);
    free(target);
    free(real);
}

static void allow_system(struct sandbox *s)
{
    const unsigned access = LANDLOCK_READ | LANDLOCK_LIST;

    for (size_t i = 0; i < ARRAY_LEN(system_places); i++)
        landlock_allow(s->files, system_places[i], access);
    for (size_t i = 0; i < ARRAY_LEN(system_links); i++)
        allow_link(s, system_links[i], access);
    if (getenv(X509_get_default_cert_file_env()) != NULL)
        allow_file(s, &s->read, getenv(X509_get_default_cert_file_env()), LANDLOCK_READ);
    allow_list(s, getenv(X509_get_default_cert_dir_env()), access);
    allow_list(s, X509_get_default_cert_file(), access);
    allow_list(s, X509_get_default_cert_dir(), access);
    allow_list(s, getenv("CREDENTIALS_DIRECTORY"), access); /* for passphrase-credential */
}

static void allow_socket(struct sandbox *s, const struct address *a)
{
    if (address_is_unix(a))
        allow_folder_of(s, &s->written, a->local.sun_path, LANDLOCK_SOCKETS);
}

/* Allows the tickets of the Kerberos library, which appear and are renewed at any time. */
static void allow_tickets(struct sandbox *s, const struct parent_proxy *p)
{
    if (!parent_proxy_may_need_gss(p))
        return;
    char *ccache = parent_proxy_ccache(p);
    const char *colon = strchr(ccache, ':');
    const char *path = ccache[0] == '/' || colon == NULL ? ccache : colon + 1;
    if (strncmp(ccache, "DIR:", 4) == 0) {
        landlock_allow(s->files, path, LANDLOCK_READ | LANDLOCK_LIST);
        mention(&s->read, path);
    } else if (path[0] == '/') {
        allow_file(s, &s->read, path, LANDLOCK_READ);
    }
    free(ccache);
}

static void allow_parents(struct sandbox *s, const struct config *c)
{
    for (size_t i = 0; i < c->ntenants; i++)
        allow_tickets(s, c->tenants[i]->parent);
    for (size_t i = 0; i < c->nconnect_allow; i++)
        allow_tickets(s, config_parent_of(c, &c->connect_allow[i]));
    allow_list(s, getenv("KRB5_CONFIG"), LANDLOCK_READ);
}

static void allow_named(struct sandbox *s, const struct config *c)
{
    config_each_file(c, on_file, s);
    allow_parents(s, c);
    if (c->log_path != NULL)
        allow_file(s, &s->written, c->log_path, LANDLOCK_APPEND);
    for (size_t i = 0; i < c->nlistens; i++)
        allow_socket(s, &c->listens[i].address);
    for (size_t i = 0; i < c->nadmins; i++)
        allow_socket(s, &c->admins[i].address);
}

static void allow_scratch(const struct sandbox *s, const char *scratch)
{
    char *parent = folder_of(scratch);

    landlock_allow(s->files, scratch, LANDLOCK_REMOVE);
    landlock_allow(s->files, parent, LANDLOCK_REMOVE_FOLDER);
    free(parent);
}

/* systemd's socket has a path; that of other supervisors may have none. */
static bool supervisor_is_abstract(void)
{
    const char *path = getenv("NOTIFY_SOCKET");

    return path != NULL && *path == '@';
}

/* ---- entering ---- */

static bool collect_files(struct sandbox *s, const struct config *c, const char *scratch,
                          struct diag *why)
{
    s->files = landlock_new(why);
    if (s->files == NULL)
        return false;
    if (supervisor_is_abstract())
        landlock_allow_abstract_sockets(s->files);
    allow_system(s);
    allow_named(s, c);
    if (scratch != NULL)
        allow_scratch(s, scratch);
    return true;
}

static void forget_files(struct sandbox *s)
{
    landlock_free(s->files);
    s->files = NULL;
}

static bool enter_landlock(struct sandbox *s, const struct config *c, const char *scratch,
                           struct diag *why)
{
    if (collect_files(s, c, scratch, why) && landlock_enter(s->files, why) == ST_OK)
        return true;
    forget_files(s);
    return false;
}

static void describe_files(struct buf *out, const struct sandbox *s)
{
    buf_addf(out, "files (Landlock %d) are ", landlock_version(s->files));
    if (s->written.n > 0)
        buf_addf(out, "written below %.*s", (int)s->written.n, s->written.p);
    else
        buf_add_string(out, "written nowhere");
    buf_addf(out, ", and read in the system's folders and below %.*s", (int)s->read.n, s->read.p);
}

static void enter_both(struct sandbox *s, const struct config *c, const char *scratch)
{
    struct buf out = {0};
    struct diag why;

    bool confined = enter_landlock(s, c, scratch, &why);
    struct diag why_not_filtered;
    bool filtered = syscalls_restrict(&why_not_filtered) == ST_OK;
    s->level = confined && filtered ? LOG_NOTICE : LOG_WARNING;
    if (filtered)
        buf_add_string(&out, "sandbox: system calls are filtered (seccomp); ");
    else
        buf_addf(&out, "sandbox: system calls are not filtered: seccomp is missing (%s); ",
                 why_not_filtered.text);
    if (confined)
        describe_files(&out, s);
    else
        buf_addf(&out, "files are not confined: Landlock is missing (%s)", why.text);
    s->sentence = mem_copy_bytes(out.p, out.n);
    buf_free(&out);
}

/* LeakSanitizer traces its own process, and ThreadSanitizer makes system calls of its own. */
bool sandbox_is_impossible(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

struct sandbox *sandbox_enter(const struct config *c, const char *scratch)
{
    struct sandbox *s = NEW(struct sandbox);

    s->level = LOG_NOTICE;
    if (!c->sandbox)
        s->sentence = mem_copy_string("sandbox: off, as the configuration says");
    else if (sandbox_is_impossible())
        s->sentence = mem_copy_string("sandbox: off in a program built with sanitizers");
    else
        enter_both(s, c, scratch);
    return s;
}

struct sandbox *sandbox_plan(const struct config *c)
{
    struct sandbox *s = NEW(struct sandbox);
    struct diag ignored;

    if (!c->sandbox || sandbox_is_impossible())
        return s;
    if (!collect_files(s, c, NULL, &ignored) || landlock_complete(s->files, &ignored) != ST_OK)
        forget_files(s);
    return s;
}

void sandbox_free(struct sandbox *s)
{
    if (s == NULL)
        return;
    landlock_free(s->files);
    buf_free(&s->read);
    buf_free(&s->written);
    free(s->sentence);
    free(s);
}

void sandbox_announce(const struct sandbox *s)
{
    log_say(s->level, "%s", s->sentence);
}

/* ---- files that came later ---- */

struct search {
    const struct sandbox *sandbox;
    struct diag *why;
    bool found;
};

static void blame(struct search *s, const char *path, const char *what)
{
    s->found = true;
    diag_at(s->why, path,
            "the sandbox, which is made at start, lets nothing be %s there; restart sfmtls, "
            "or keep it in a folder that is in use already",
            what);
}

static void on_named(void *ctx, const char *path)
{
    struct search *s = ctx;

    if (!s->found && access(path, F_OK) == 0 &&
        !landlock_allows(s->sandbox->files, path, LANDLOCK_READ))
        blame(s, path, "read");
}

static enum status check_apart(const struct sandbox *s, const struct config_file *f,
                               struct diag *why)
{
    if (f->use != FILE_APART || access(f->path, F_OK) != 0 ||
        !landlock_allows(s->files, f->path, LANDLOCK_READ))
        return ST_OK;
    diag_at(why, f->path,
            "the process that serves could read it there; move it into a folder of its own, "
            "outside of /etc, /usr and the folders of other files that the configuration "
            "names, such as /var/lib/sfmtls/btp");
    if (f->where != NULL)
        diag_place(why, f->where);
    return ST_BAD_INPUT;
}

enum status sandbox_check_fetching(const struct sandbox *s, const struct config *c,
                                   struct diag *why)
{
    struct search search = {.sandbox = s, .why = why};

    if (s->files == NULL)
        return ST_OK;
    for (size_t i = 0; i < c->nfiles; i++)
        if (check_apart(s, &c->files[i], why) != ST_OK)
            return ST_BAD_INPUT;
    for (size_t i = 0; i < c->ntenants; i++)
        if (tenant_fetches(c->tenants[i]))
            on_named(&search, c->tenants[i]->fetch.store);
    return search.found ? ST_BAD_INPUT : ST_OK;
}

/* The configuration names only the CA's folder, not its files. */
static void look_at_local_ca(struct search *s, const struct config *c)
{
    char *folder = config_local_ca_folder(c);

    for (int i = 0; i < LOCAL_CA_FILES; i++) {
        char *path = local_ca_path(folder, (enum local_ca_file)i);
        on_named(s, path);
        free(path);
    }
    free(folder);
}

bool sandbox_hides_local_ca(const struct sandbox *s, const struct config *c)
{
    struct diag ignored;
    struct search search = {.sandbox = s, .why = &ignored};

    if (s->files != NULL && c->local_ca_folder == NULL)
        look_at_local_ca(&search, c);
    return search.found;
}

void sandbox_explain(const struct sandbox *s, const struct config *c, struct diag *why)
{
    struct search search = {.sandbox = s, .why = why};

    if (s->files == NULL)
        return;
    config_each_file(c, on_named, &search);
    if (c->local_ca_folder != NULL)
        look_at_local_ca(&search, c);
    for (size_t i = 0; !search.found && i < c->nlistens; i++) {
        const struct address *a = &c->listens[i].address;
        if (address_is_unix(a) && !landlock_allows(s->files, a->local.sun_path, LANDLOCK_SOCKETS))
            blame(&search, a->local.sun_path, "made");
    }
}
