#include "net/name_service.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static const char nsswitch[] = "/etc/nsswitch.conf";

/* The state of nsswitch.conf when its modules were loaded. st_ino 0: they were not. */
static struct stat loaded_for;

/* Only a plain word names a module; [NOTFOUND=return] does not. */
static bool is_module(struct slice word)
{
    for (size_t i = 0; i < word.n; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", word.p[i]) == NULL)
            return false;
    return word.n > 0;
}

/* Returns true if the module is loaded, or does not exist: lookups skip a missing module. */
static bool load(struct slice name)
{
    char *path = mem_format("libnss_%.*s.so.2", (int)name.n, name.p);
    bool done = dlopen(path, RTLD_NOW | RTLD_LOCAL) != NULL;
    const char *error = done ? NULL : dlerror();

    free(path);
    return done || error == NULL || strstr(error, "No such file") != NULL;
}

/* Loads the modules of a line like "hosts: files mdns4_minimal [NOTFOUND=return] dns # why".
 * Returns the first one that cannot be loaded; p NULL: there is none. */
static struct slice load_line(struct slice line)
{
    struct slice words = slice_split(&line, '#');
    struct slice kind = slice_trim(slice_split(&words, ':'));

    if (!slice_eq(kind, SLICE("hosts")) && !slice_eq(kind, SLICE("passwd")) &&
        !slice_eq(kind, SLICE("group")))
        return (struct slice){NULL, 0};
    while (words.n > 0) {
        struct slice word = slice_trim(slice_split(&words, ' '));
        if (is_module(word) && !load(word))
            return word;
    }
    return (struct slice){NULL, 0};
}

/* Loads all modules that the file names. Returns the first one that cannot be loaded, to be freed;
 * NULL: there is none. */
static char *load_all(void)
{
    struct buf text = {0};
    struct diag ignored;
    char *missing = NULL;

    if (file_read(nsswitch, &text, &ignored) != ST_OK)
        return NULL;
    for (char *p = text.p; p < text.p + text.n; p++)
        if (*p == '\t')
            *p = ' ';
    struct slice rest = buf_slice(&text);
    while (rest.n > 0) {
        struct slice name = load_line(slice_split(&rest, '\n'));
        if (name.p != NULL && missing == NULL)
            missing = mem_copy_bytes(name.p, name.n);
    }
    buf_free(&text);
    return missing;
}

void name_service_load(void)
{
    if (stat(nsswitch, &loaded_for) != 0)
        loaded_for.st_ino = 0;
    free(load_all());
}

/* ---- after the start ---- */

/* The user may read the file, but opening it fails: the sandbox forbids it. */
static bool is_out_of_reach(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int error = errno;

    if (fd >= 0)
        (void)close(fd);
    return fd < 0 && (error == EACCES || error == EPERM) && access(path, R_OK) == 0;
}

static void explain_file(const char *path, struct diag *why)
{
    char *real = realpath(path, NULL);

    diag_set(
        why,
        "%s leads to %s, which the sandbox does not let be read, since it is made at start and "
        "that was not there then; restart sfmtls",
        path, real == NULL ? "another place" : real);
    free(real);
}

static bool lacks_module(struct diag *why)
{
    struct stat now;

    if (loaded_for.st_ino == 0 || stat(nsswitch, &now) != 0 ||
        (now.st_ino == loaded_for.st_ino && now.st_mtim.tv_sec == loaded_for.st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == loaded_for.st_mtim.tv_nsec))
        return false;
    char *missing = load_all();
    if (missing != NULL)
        diag_set(why,
                 "%s names the module %s, which the sandbox does not let be loaded any more; "
                 "restart sfmtls",
                 nsswitch, missing);
    free(missing);
    return missing != NULL;
}

bool name_service_is_blocked(struct diag *why)
{
    static const char *const files[] = {"/etc/resolv.conf", "/etc/hosts", nsswitch, "/etc/gai.conf",
                                        "/etc/host.conf"};

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (!is_out_of_reach(files[i]))
            continue;
        explain_file(files[i], why);
        return true;
    }
    return lacks_module(why);
}
