#include "cli/config_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/prompt.h"

static bool exists(const char *path)
{
    return path != NULL && access(path, F_OK) == 0;
}

/* The first default place where a configuration exists; NULL: there is none. */
static char *first_of_all(void)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *candidates[] = {
        mem_copy_string("sfmtls.ini"),
        xdg != NULL && *xdg == '/' ? mem_format("%s/sfmtls/sfmtls.ini", xdg)
        : home != NULL             ? mem_format("%s/.config/sfmtls/sfmtls.ini", home)
                                   : NULL,
        mem_copy_string("/etc/sfmtls/sfmtls.ini"),
    };
    char *found = NULL;

    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        if (found == NULL && exists(candidates[i]))
            found = candidates[i];
        else
            free(candidates[i]);
    }
    return found;
}

static enum status find(char **out, struct diag *why)
{
    *out = first_of_all();
    if (*out != NULL)
        return ST_OK;
    diag_set(why, "no configuration: neither ./sfmtls.ini, nor sfmtls/sfmtls.ini under "
                  "$XDG_CONFIG_HOME, nor /etc/sfmtls/sfmtls.ini is there; name one with -c, write "
                  "one with `sfmtls init`, or set SFMTLS_SERVER, SFMTLS_COMPANY_ID and "
                  "SFMTLS_CERTIFICATE");
    return ST_BAD_INPUT;
}

enum status config_file_sources(const struct config_choice *choice, struct config_sources *out,
                                char **found, struct diag *why)
{
    enum status st = choice->file != NULL ? ST_OK : find(found, why);

    *out = (struct config_sources){.file = choice->file != NULL ? choice->file : *found,
                                   .environment = (const char *const *)environ,
                                   .arguments = choice->pairs,
                                   .narguments = choice->npairs};
    return choice->npairs > 0 || config_is_in_environment(out->environment) ? ST_OK : st;
}

/* One of the two, by which a file is loaded. */
typedef enum status whole_loader(const struct config_sources *from, config_ask *ask, void *ask_ctx,
                                 struct config **out, struct diag *why);
typedef enum status names_loader(const struct config_sources *from, struct config **out,
                                 struct diag *why);

static enum status load_by(whole_loader *whole, names_loader *names,
                           const struct config_choice *choice, struct config **out,
                           struct diag *why)
{
    char *found = NULL;
    struct config_sources from;
    enum status st = config_file_sources(choice, &from, &found, why);

    if (st == ST_OK)
        st = names != NULL ? names(&from, out, why) : whole(&from, prompt_ask, NULL, out, why);
    free(found);
    return st;
}

enum status config_file_load(const struct config_choice *choice, struct config **out,
                             struct diag *why)
{
    enum status st = load_by(config_load_from, NULL, choice, out, why);

    if (st != ST_OK)
        return st;
    st = config_add_local_ca(*out, why);
    if (st != ST_OK)
        config_unref(*out);
    return st;
}

enum status config_file_load_names(const struct config_choice *choice, struct config **out,
                                   struct diag *why)
{
    return load_by(NULL, config_load_names_from, choice, out, why);
}

enum status config_file_load_admin(const struct config_choice *choice, struct config **out,
                                   struct diag *why)
{
    return load_by(NULL, config_load_admin_from, choice, out, why);
}

enum status config_file_load_flawed(const struct config_choice *choice, struct config **out,
                                    struct diag *why)
{
    return load_by(config_load_flawed, NULL, choice, out, why);
}
