/* The files that a configuration names, and whether they are safe to use. */
#include <pwd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path_guard.h"
#include "config/load_parts.h"

void load_name_file(struct config *c, enum config_file_use use, const char *key, const char *path,
                    const char *where)
{
    struct config_file f = {use, key, mem_copy_string(path), mem_copy_string(where), {0}};

    if (use == FILE_READ)
        file_add_mark(&f.mark, path);
    c->files = mem_grow(c->files, (c->nfiles + 1) * sizeof(c->files[0]));
    c->files[c->nfiles++] = f;
}

void config_each_file(const struct config *c, config_file_hook *f, void *ctx)
{
    for (size_t i = 0; i < c->nfiles; i++)
        if (c->files[i].use == FILE_READ)
            f(ctx, c->files[i].path);
}

void config_add_marks(const struct config *c, struct buf *out)
{
    for (size_t i = 0; i < c->nfiles; i++)
        buf_add(out, c->files[i].mark.p, c->files[i].mark.n);
}

/* ---- who can change the files ---- */

static void locate(const struct config_file *f, struct diag *why)
{
    if (f->where != NULL)
        diag_place(why, f->where);
}

/* The user that the process will become. If that user does not exist, the current one: user_find()
 * reports the error. */
static uid_t user_of(const struct config *c)
{
    const struct passwd *p = c->user == NULL ? NULL : getpwnam(c->user);

    return p == NULL ? geteuid() : p->pw_uid;
}

/* A file that does not exist yet (the local CA, a certificate to be fetched) needs no check. */
static bool is_absent(const struct config_file *f)
{
    return f->use == FILE_READ && access(f->path, F_OK) != 0;
}

/* A folder of another user is reported once per owner, not once for each file in it. */
static bool is_told(const struct path_verdict *told, size_t n, const struct path_verdict *v)
{
    for (size_t i = 0; i < n; i++)
        if (told[i].flaw == v->flaw &&
            (v->flaw == PATH_FOREIGN ? told[i].owner == v->owner
                                     : path_is_same(told[i].place, v->place)))
            return true;
    return false;
}

static enum status check_owners(struct config *c, struct path_verdict *told, struct diag *why)
{
    uid_t user = user_of(c);
    size_t ntold = 0;

    for (size_t i = 0; i < c->nfiles; i++) {
        if (is_absent(&c->files[i]))
            continue;
        struct path_verdict v = path_judge(c->files[i].path, user);
        if (v.flaw == PATH_SOUND)
            continue;
        path_explain(&v, c->files[i].path, why);
        locate(&c->files[i], why);
        bool bad = v.flaw > PATH_WORST_WARNING;
        if (!bad && !is_told(told, ntold, &v))
            load_note(c, LOG_WARNING, mem_copy_string(why->text));
        told[ntold++] = v; /* freed by config_check_files() */
        if (bad)
            return ST_BAD_INPUT;
    }
    return ST_OK;
}

/* ---- files that would be overwritten ---- */

static bool is_read(const struct config_file *f)
{
    return f->use == FILE_READ || f->use == FILE_APART;
}

static enum status refuse_place(const struct config_file *written, const struct config_file *other,
                                struct diag *why)
{
    diag_at(why, written->key,
            "%s is the same file as `%s`%s%s, which the configuration %s; name another",
            written->path, other->key, other->where == NULL ? "" : " of ",
            other->where == NULL ? "" : other->where, is_read(other) ? "reads" : "writes");
    locate(written, why);
    return ST_BAD_INPUT;
}

/* Two options may read the same file. If two options write the same file, the later one is at
 * fault. */
static enum status check_places(const struct config *c, struct diag *why)
{
    for (size_t i = 0; i < c->nfiles; i++) {
        for (size_t k = 0; k < c->nfiles; k++) {
            const struct config_file *a = &c->files[i], *b = &c->files[k];
            if (is_read(a) || i == k || (!is_read(b) && k > i))
                continue;
            if (path_is_same(a->path, b->path))
                return refuse_place(a, b, why);
        }
    }
    return ST_OK;
}

enum status config_check_files(struct config *c, struct diag *why)
{
    struct path_verdict *told = mem_new(c->nfiles * sizeof(told[0]));
    enum status st = check_owners(c, told, why);

    for (size_t i = 0; i < c->nfiles; i++)
        path_verdict_free(&told[i]);
    free(told);
    return st == ST_OK ? check_places(c, why) : st;
}
