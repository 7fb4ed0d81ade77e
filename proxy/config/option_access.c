#include "config/option_set.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/value.h"

enum { ENTRY_ROOM = 16384 };

/* ---- names ---- */

/* Reads a numeric ID. (uid_t)-1 is refused: the system uses it for "no user". */
static bool is_id(const char *text, int64_t *id)
{
    uint64_t n;

    if (!slice_to_u64(slice_of(text), UINT32_MAX - 1, &n))
        return false;
    *id = (int64_t)n;
    return true;
}

static bool find_user(const char *name, int64_t *id)
{
    struct passwd entry, *found = NULL;
    char *room = mem_new(ENTRY_ROOM);

    if (getpwnam_r(name, &entry, room, ENTRY_ROOM, &found) == 0 && found != NULL)
        *id = found->pw_uid;
    free(room);
    return found != NULL;
}

static bool find_group(const char *name, int64_t *id)
{
    struct group entry, *found = NULL;
    char *room = NULL;
    int error = ERANGE;

    for (size_t n = ENTRY_ROOM; error == ERANGE && n <= 64 * ENTRY_ROOM; n *= 2) {
        room = mem_grow(room, n); /* the group has many members, so the buffer was too small */
        error = getgrnam_r(name, &entry, room, n, &found);
    }
    if (error == 0 && found != NULL)
        *id = found->gr_gid;
    free(room);
    return error == 0 && found != NULL;
}

/* ---- allow-uid ---- */

static enum status add_user(struct allowed_uids *u, const char *name, struct diag *why)
{
    int64_t id = 0;

    if (strcmp(name, "any") == 0) {
        u->any = true;
    } else if (*name != '\0' && (is_id(name, &id) || find_user(name, &id))) {
        u->list = mem_grow(u->list, (u->count + 1) * sizeof(u->list[0]));
        u->list[u->count++] = (uid_t)id;
    } else {
        diag_set(why, "`%s` is not a user of this machine; write a user's name or uid, or any",
                 name);
        return ST_BAD_INPUT;
    }
    if (u->any && u->count > 0) {
        diag_set(why, "`any` cannot be combined with users; take it or the users out");
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

enum status option_set_allow_uid(const struct option *o, void *section, const struct setting *s,
                                 struct diag *why)
{
    struct allowed_uids *u = (struct allowed_uids *)(void *)((char *)section + o->offset);
    struct slice rest = slice_of(s->value);
    enum status st = ST_OK;

    while (st == ST_OK && rest.n > 0) {
        struct slice item = slice_trim(slice_split(&rest, ','));
        char *name = mem_copy_bytes(item.p, item.n);
        st = add_user(u, name, why);
        free(name);
    }
    return st;
}

/* ---- Unix sockets ---- */

enum status option_set_socket_mode(const struct option *o, void *section, const struct setting *s,
                                   struct diag *why)
{
    struct config *c = section;
    size_t n = strlen(s->value);
    bool octal = (n == 3 || n == 4) && strspn(s->value, "01234567") == n;
    long mode = octal ? strtol(s->value, NULL, 8) : 0;

    (void)o;
    if (!octal || mode > 0777 || (mode & 0600) != 0600) {
        diag_set(
            why,
            "`%s` is not the mode of a socket; write it in octal digits, with read and write for "
            "the owner: 0600, 0660 or 0666",
            s->value);
        return ST_BAD_INPUT;
    }
    c->access.mode = (mode_t)mode;
    return ST_OK;
}

enum status option_set_socket_group(const struct option *o, void *section, const struct setting *s,
                                    struct diag *why)
{
    struct config *c = section;
    int64_t id = 0;

    (void)o;
    if (!is_id(s->value, &id) && !find_group(s->value, &id)) {
        diag_set(why, "`%s` is not a group of this machine; write a group's name or gid", s->value);
        return ST_BAD_INPUT;
    }
    c->access.has_group = true;
    c->access.group = (gid_t)id;
    return ST_OK;
}

/* ---- connections of one caller ---- */

enum status option_set_per_caller(const struct option *o, void *section, const struct setting *s,
                                  struct diag *why)
{
    struct config *c = section;
    int64_t n;

    if (strcmp(s->value, "auto") == 0 || strcmp(s->value, "none") == 0) {
        c->per_caller = s->value[0] == 'a' ? -1 : 0;
        return ST_OK;
    }
    enum status st = value_count(s->value, &n, why);
    if (st == ST_OK && (n < o->min || n > o->max)) {
        diag_set(why, "`%s` is out of range; write something from %lld to %lld, none or auto",
                 s->value, (long long)o->min, (long long)o->max);
        st = ST_BAD_INPUT;
    }
    if (st == ST_OK)
        c->per_caller = n;
    return st;
}
