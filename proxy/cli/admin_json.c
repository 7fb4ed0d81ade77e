#include "cli/admin_json.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/mem.h"
#include "base/slice.h"

/* Belongs to document. */
static json_t *find(json_t *document, const char *path)
{
    struct slice rest = slice_of(path);

    while (document != NULL && rest.n > 0) {
        struct slice part = slice_split(&rest, '.');
        char *name = mem_copy_bytes(part.p, part.n);
        document = json_object_get(document, name);
        free(name);
    }
    return document;
}

char *admin_json_text(const char *json, const char *path)
{
    json_t *document = json_loads(json, 0, NULL);
    char *text = mem_copy_string(json_string_value(find(document, path)));

    json_decref(document);
    return text;
}

long long admin_json_number(const char *json, const char *path)
{
    json_t *document = json_loads(json, 0, NULL);
    long long number = json_integer_value(find(document, path));

    json_decref(document);
    return number;
}
