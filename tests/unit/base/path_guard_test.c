#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path_guard.h"
#include "test.h"

enum { STRANGER = 12345 };

/* A path in the test's folder, valid until the next eight. */
static const char *in(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", test_folder(), name);
    return path;
}

static void make_folder(const char *name, mode_t mode)
{
    CHECK_INT(mkdir(in(name), 0700), 0, name);
    CHECK_INT(chmod(in(name), mode), 0, name);
}

static void make_link(const char *name, const char *target)
{
    CHECK_INT(symlink(target, in(name)), 0, name);
}

static void make_file(const char *name, mode_t mode)
{
    CHECK_INT(chmod(test_file(name, "x"), mode), 0, name);
}

static void check(const char *path, enum path_flaw flaw, const char *place)
{
    struct path_verdict v = path_judge(path, geteuid());

    CHECK_INT(v.flaw, flaw, path);
    CHECK_TEXT(v.place == NULL ? "" : v.place, place == NULL ? "" : in(place), path);
    path_verdict_free(&v);
}

/* open/ is for all, sticky/ is for all with the sticky bit, closed/ is neither. */
static void make_tree(void)
{
    make_folder("open", 0777);
    make_folder("sticky", 01777);
    make_folder("closed", 0755);
    make_file("open/file", 0600);
    make_file("sticky/file", 0600);
    make_file("closed/file", 0600);
    make_file("closed/writable", 0602);
    make_link("closed/to-open", "../open/file");
    make_link("open/to-closed", "../closed/file");
    make_link("closed/up", "..");
    make_link("closed/loop", "loop");
    make_link("closed/twice", "up/closed/file");
    make_link("closed/dangling", "../open/none");
}

TEST(the_way_to_a_file_is_judged)
{
    static const struct {
        const char *path;
        enum path_flaw flaw;
        const char *place;
    } cases[] = {
        {"closed/file", PATH_SOUND, NULL},
        {"sticky/file", PATH_SOUND, NULL},
        {"open/file", PATH_OPEN_FOLDER, "open"},
        {"closed/writable", PATH_OPEN_FILE, "closed/writable"},
        {"closed/to-open", PATH_OPEN_FOLDER, "open"},
        {"open/to-closed", PATH_OPEN_FOLDER, "open"},
        {"closed/twice", PATH_SOUND, NULL},
        {"closed/up/open/file", PATH_OPEN_FOLDER, "open"},
        {"closed/../closed/./file", PATH_SOUND, NULL},
        {"open/../closed/file", PATH_SOUND, NULL}, /* of which nothing is looked up in open */
        {"closed//file", PATH_SOUND, NULL},
        {"closed/none", PATH_SOUND, NULL},
        {"none/none", PATH_SOUND, NULL},
        {"closed/file/none", PATH_SOUND, NULL},
        {"closed/loop", PATH_SOUND, NULL},
        {"closed/dangling", PATH_OPEN_FOLDER, "open"},
        {"open/none", PATH_OPEN_FOLDER, "open"},
        {"../../../../../../../..", PATH_SOUND, NULL},
    };

    make_tree();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(in(cases[i].path), cases[i].flaw, cases[i].place);
}

TEST(a_relative_path_starts_at_the_working_folder)
{
    char before[512];

    CHECK(getcwd(before, sizeof(before)) != NULL);
    make_tree();
    CHECK_INT(chdir(in("open")), 0, "chdir");
    check("file", PATH_OPEN_FOLDER, "open");
    CHECK_INT(chdir(in("closed")), 0, "chdir");
    check("file", PATH_SOUND, NULL);
    check("../open/file", PATH_OPEN_FOLDER, "open");
    CHECK_INT(chdir(before), 0, "back");
}

TEST(what_has_no_path_is_sound)
{
    static const char *const paths[] = {
        "",           "/",           "/dev/null",       "/dev/zero",
        "/dev/stdin", "/dev/stderr", "/proc/self/fd/0", "/dev/fd/9999"};

    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        check(paths[i], PATH_SOUND, NULL);
}

TEST(who_owns_it_counts)
{
    struct path_verdict v;

    if (geteuid() != 0)
        return;
    make_tree();
    CHECK_INT(lchown(in("sticky/file"), STRANGER, (gid_t)-1), 0, "chown");
    check(in("sticky/file"), PATH_PLANTED, "sticky/file");
    CHECK_INT(lchown(in("closed/file"), STRANGER, (gid_t)-1), 0, "chown");
    check(in("closed/file"), PATH_FOREIGN, "closed/file");
    CHECK_INT(lchown(in("closed"), STRANGER, (gid_t)-1), 0, "chown");
    check(in("closed/file"), PATH_FOREIGN, "closed");
    check(in("closed/writable"), PATH_OPEN_FILE, "closed/writable");
    v = path_judge(in("closed/file"), STRANGER);
    CHECK_INT(v.flaw, PATH_SOUND, "a friend's");
    v = path_judge(in("sticky/file"), STRANGER);
    CHECK_INT(v.flaw, PATH_SOUND, "a friend's");
}

TEST(the_same_file_by_another_name)
{
    make_tree();
    CHECK(path_is_same(in("open/to-closed"), in("closed/file")));
    CHECK(!path_is_same(in("open/file"), in("closed/file")));
    CHECK_INT(link(in("open/file"), in("closed/hard")), 0, "link");
    CHECK(path_is_same(in("open/file"), in("closed/hard")));
    CHECK(path_is_same(in("open/none"), in("closed/up/open/none")));
    CHECK(!path_is_same(in("open/none"), in("closed/none")));
    CHECK(!path_is_same(in("none/none"), in("gone/none")));
}

TEST(a_sentence_has_a_cure)
{
    struct path_verdict v = {.place = "/a", .owner = STRANGER};
    struct diag why;

    for (int flaw = PATH_FOREIGN; flaw <= PATH_OPEN_FILE; flaw++) {
        v.flaw = (enum path_flaw)flaw;
        path_explain(&v, "/a/b", &why);
        CHECK_CONTAINS(why.text, "/a");
        CHECK_CONTAINS(why.text, "; ");
    }
}
