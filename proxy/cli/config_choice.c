#include "cli/config_choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"

void config_choice_add(struct config_choice *c, const char *key, const char *value,
                       const char *where)
{
    c->pairs = mem_grow(c->pairs, (c->npairs + 1) * sizeof(c->pairs[0]));
    c->pairs[c->npairs++] = (struct config_pair){key, value, where};
}

char *config_choice_keep(struct config_choice *c, char *text)
{
    c->texts = mem_grow(c->texts, (c->ntexts + 1) * sizeof(c->texts[0]));
    return c->texts[c->ntexts++] = text;
}

static bool add_set(struct config_choice *c, const char *command, const char *text)
{
    const char *value = strchr(text, '=');

    if (value == NULL || value == text) {
        (void)cli_usage(command, "--set %.*s: write KEY=VALUE or TENANT.KEY=VALUE",
                        (int)strcspn(text, "="), text);
        return false;
    }
    char *key = config_choice_keep(c, mem_copy_bytes(text, (size_t)(value - text)));
    config_choice_add(c, key, value + 1, config_choice_keep(c, mem_format("--set %s", key)));
    return true;
}

bool config_choice_take(struct config_choice *c, const char *command, int option, const char *value)
{
    if (option == OPT_SET)
        return add_set(c, command, value);
    c->file = value;
    return true;
}

void config_choice_free(struct config_choice *c)
{
    for (size_t i = 0; i < c->ntexts; i++)
        free(c->texts[i]);
    free(c->texts);
    free(c->pairs);
}
