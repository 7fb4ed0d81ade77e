#include "cli/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { MAX_ANSWER = 4096 };

bool ask_is_possible(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

static void show(const char *question, const char *fallback)
{
    char *visible = utf8_escape(fallback == NULL ? "" : fallback);

    if (fallback == NULL)
        (void)fprintf(stderr, "%s: ", question);
    else
        (void)fprintf(stderr, "%s [%s]: ", question, visible);
    (void)fflush(stderr);
    free(visible);
}

static char *trimmed(char *line)
{
    static const char blanks[] = " \t\r\n";
    size_t n;

    line += strspn(line, blanks);
    n = strlen(line);
    while (n > 0 && strchr(blanks, line[n - 1]) != NULL)
        n--;
    return mem_copy_bytes(line, n);
}

/* Without a fallback, asks again after an empty line. */
char *ask_line(const char *question, const char *fallback)
{
    char line[MAX_ANSWER], *answer = NULL;

    while (answer == NULL) {
        show(question, fallback);
        if (fgets(line, sizeof(line), stdin) == NULL) {
            (void)fputc('\n', stderr);
            return NULL;
        }
        answer = trimmed(line);
        if (*answer != '\0')
            return answer;
        free(answer);
        answer = mem_copy_string(fallback);
    }
    return answer;
}
