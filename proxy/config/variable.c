/* The names of the environment variables that set options. */
#include "base/buf.h"
#include "config/settings.h"

/* The character that stands for c in a variable's name. A small letter in a variable's name stands
 * for no character, so that each option has one spelling. */
static char capital(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return c == '-' || c == '.' ? '_' : c;
}

bool variable_is_of(struct slice name, const char *key)
{
    size_t i = 0;

    while (i < name.n && key[i] != '\0' && capital(key[i]) == name.p[i])
        i++;
    return i == name.n && key[i] == '\0';
}

static void add(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        char c = capital(*text);
        buf_add(out, &c, 1);
    }
}

void variable_add_name(struct buf *out, const char *tenant, const char *key)
{
    add(out, VARIABLE_PREFIX);
    if (tenant != NULL) {
        add(out, VARIABLE_TENANT);
        add(out, tenant);
        add(out, "_");
    }
    add(out, key);
}
