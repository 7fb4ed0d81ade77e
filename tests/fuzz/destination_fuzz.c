/*
 * Any bytes as an export. What is written of it is comments, [tenant NAME]
 * headers and lines of the keys that a section may have, each of which is
 * read as it is written: nothing else gets into a configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/destination.h"
#include "cli/import_section.h"
#include "cli/import_text.h"

static bool begins(struct slice s, const char *with)
{
    return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

static void check_line(struct slice line)
{
    static const char *const keys[] = {
        "company-id = ", "server = ", "certificate = ", "passphrase-file = ", "header."};

    if (line.n == 0 || *line.p == ';' || begins(line, "[tenant "))
        return;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (!begins(line, keys[i]))
            continue;
        const char *equals = memmem(line.p, line.n, " = ", 3);
        if (equals == NULL)
            abort();
        char *value = mem_copy_bytes(equals + 3, line.n - (size_t)(equals + 3 - line.p));
        if (import_text_flaw("", value) != NULL)
            abort();
        free(value);
        return;
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = mem_copy_bytes((const char *)data, size);
    struct destinations all = {0};
    struct buf out = {0}, notes = {0};
    struct diag why;

    if (destinations_read("f", (struct slice){bytes, size}, &all, &why) == ST_OK) {
        if (import_section_write("f", &all, NULL, &out, &notes, &why) == ST_OK) {
            struct slice rest = buf_slice(&out);
            while (rest.n > 0)
                check_line(slice_split(&rest, '\n'));
        }
        destinations_free(&all);
    }
    buf_free(&out);
    buf_free(&notes);
    free(bytes);
    return 0;
}
