#include "test.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

enum { MAX_FILES = 64 };

static struct test *tests;
static jmp_buf after_failure;
static char folder[64];
static char *paths[MAX_FILES];
static size_t npaths;

void test_register(struct test *t)
{
    t->next = tests;
    tests = t;
}

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    (void)fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    longjmp(after_failure, 1);
}

const char *test_folder(void)
{
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof(folder), "/tmp/sfmtls-unit-XXXXXX");
        if (mkdtemp(folder) == NULL)
            abort();
    }
    return folder;
}

const char *test_file(const char *name, const char *text)
{
    char *path = mem_format("%s/%s", test_folder(), name);
    FILE *f = fopen(path, "w");

    if (f == NULL || npaths == MAX_FILES || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
    paths[npaths++] = path;
    return path;
}

const char *test_environment(const char *name)
{
    const char *value = getenv(name);

    if (value == NULL)
        test_fail(__FILE__, __LINE__, "%s is not set: run the tests with tests/run.sh", name);
    return value;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void clean_up(void)
{
    if (folder[0] != '\0')
        (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    folder[0] = '\0';
    while (npaths > 0)
        free(paths[--npaths]);
}

int main(int argc, char **argv)
{
    int failed = 0, run = 0;

    for (const struct test *t = tests; t != NULL; t = t->next) {
        if (argc > 1 && strstr(t->name, argv[1]) == NULL)
            continue;
        run++;
        if (setjmp(after_failure) == 0) {
            t->run();
        } else {
            (void)fprintf(stderr, "FAILED %s\n", t->name);
            failed++;
        }
        clean_up();
    }
    (void)printf("%d tests, %d failed\n", run, failed);
    return failed == 0 && run > 0 ? 0 : 1;
}
