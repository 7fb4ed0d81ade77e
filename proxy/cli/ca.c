#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/config_file.h"
#include "config/config.h"

enum { OPT_DIR = 256, OPT_REPLACE };

struct arguments {
    struct config_choice from;
    const char *folder;
    bool replace;
};

/* ---- showing ---- */

static void add_fingerprint(struct buf *out, const struct credential *c)
{
    const unsigned char *bytes = credential_fingerprint(c);

    buf_addf(out, "%-12s ", "SHA-256");
    for (int i = 0; i < CREDENTIAL_FINGERPRINT_SIZE; i++)
        buf_addf(out, "%s%02X", i == 0 ? "" : ":", bytes[i]);
    buf_add_string(out, "\n");
}

static void add_dates(struct buf *out, const struct credential *c)
{
    int64_t end = credential_not_after(c), now = clock_wall_s();
    char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];

    clock_text_s(credential_not_before(c), from);
    clock_text_s(end, until);
    if (end < now)
        buf_addf(out, "%-12s %.10s to %.10s (expired)\n", "valid", from, until);
    else
        buf_addf(out, "%-12s %.10s to %.10s (%d days left)\n", "valid", from, until,
                 (int)((end - now) / SECONDS_PER_DAY));
}

/* How to make programs trust the root; %s is its path. */
static const char *const trusters[][2] = {
    {"curl", "curl --cacert %s ..."},
    {"wget", "wget --ca-certificate=%s ..."},
    {"Python", "REQUESTS_CA_BUNDLE=%s (requests); ssl.create_default_context(cafile=...)"},
    {"Node", "NODE_EXTRA_CA_CERTS=%s"},
    {"Java", "keytool -importcert -cacerts -storepass changeit -noprompt -alias sfmtls -file %s"},
    {".NET", "takes the system's: see Debian, macOS, Windows; SSL_CERT_FILE=%s (Linux)"},
    {"Debian", "cp %s /usr/local/share/ca-certificates/sfmtls.crt && update-ca-certificates"},
    {"macOS", "security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain %s"},
    {"Windows", "certutil -addstore Root %s"},
};

static void add_trusters(struct buf *out, const char *root)
{
    char *visible = utf8_escape(root);

    buf_add_string(out, "\nCallers that go through https_proxy have to trust the root:\n\n");
    for (size_t i = 0; i < ARRAY_LEN(trusters); i++) {
        const char *text = trusters[i][1], *at = strstr(text, "%s");
        buf_addf(out, "  %-8s %.*s%s%s\n", trusters[i][0], (int)(at - text), text, visible, at + 2);
    }
    free(visible);
}

static enum status describe(const char *folder, struct buf *out, struct diag *why)
{
    struct local_ca *ca;
    enum status st = local_ca_load(folder, &ca, why);

    if (st != ST_OK)
        return st;
    char *root = local_ca_path(folder, LOCAL_CA_ROOT);
    cli_add_line(out, "subject", credential_subject(local_ca_root(ca)));
    add_dates(out, local_ca_root(ca));
    add_fingerprint(out, local_ca_root(ca));
    for (size_t i = 0; i < local_ca_name_count(ca); i++)
        cli_add_line(out, i == 0 ? "permits" : "", local_ca_name(ca, i));
    cli_add_line(out, "root", root);
    add_trusters(out, root);
    free(root);
    local_ca_unref(ca);
    return ST_OK;
}

static int print(const char *folder)
{
    struct buf text = {0};
    struct diag why;

    if (describe(folder, &text, &why) != ST_OK)
        return cli_error(ST_BAD_INPUT, &why);
    (void)fwrite(text.p, 1, text.n, stdout);
    buf_free(&text);
    return EXIT_DONE;
}

/* ---- the names of the servers ---- */

static bool is_known(char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The host names under which callers may use CONNECT. The strings belong to c. Addresses are left
 * out, because the CA makes no certificates for them. */
static char **collect_names(const struct config *c, size_t *count)
{
    char **names = NULL;

    *count = 0;
    for (size_t i = 0; i < c->ntenants; i++) {
        for (char **name = c->tenants[i]->names; *name != NULL; name++) {
            if (authority_is_address(slice_of(*name)))
                cli_say("%s: %s is an address, for which no CA vouches here: CONNECT to it is "
                        "refused",
                        c->tenants[i]->where, *name);
            if (authority_is_address(slice_of(*name)) || is_known(names, *count, *name))
                continue;
            names = mem_grow(names, (*count + 1) * sizeof(char *));
            names[(*count)++] = *name;
        }
    }
    return names;
}

static enum status make(const struct config *c, const char *folder, bool replace, struct diag *why)
{
    size_t count;
    char **names = collect_names(c, &count);
    enum status st = ST_BAD_INPUT;

    if (count > 0)
        st = local_ca_make(folder, names, count, replace, why);
    else
        diag_at(why, c->file != NULL ? c->file : c->tenants[0]->where,
                "no tenant's server has a name for which a CA could vouch");
    free(names);
    return st;
}

/* ---- the verbs ---- */

/* *out NULL: there is no configuration; that is an error only if -c names one. */
static enum status load(const struct arguments *a, bool required, struct config **out,
                        struct diag *why)
{
    char *found = NULL;
    struct config_sources sources;
    enum status st = config_file_sources(&a->from, &sources, &found, why);

    *out = NULL;
    if (st == ST_OK)
        st = config_load_names_from(&sources, out, why);
    else if (!required)
        st = ST_OK;
    free(found);
    return st;
}

static char *choose_folder(const struct arguments *a, const struct config *c)
{
    return a->folder != NULL ? mem_copy_string(a->folder) : config_local_ca_folder(c);
}

/* The absolute path, if the file exists; otherwise path itself. Takes ownership of path. */
static char *make_absolute(char *path)
{
    char *real = realpath(path, NULL);

    if (real == NULL)
        return path;
    free(path);
    return real;
}

/* Tells which setting is needed if `run` will not look in that folder. */
static void tell_setting(const struct config *c, const char *folder)
{
    char *used = make_absolute(config_local_ca_folder(c));

    if (strcmp(used, folder) != 0 && c->file != NULL)
        cli_say("put `local-ca = %s` into [proxy] of %s", folder, c->file);
    else if (strcmp(used, folder) != 0)
        cli_say("set SFMTLS_LOCAL_CA=%s", folder);
    free(used);
}

static bool is_closed(const char *path, mode_t bit)
{
    struct stat st;

    return stat(path, &st) != 0 || (st.st_mode & bit) == 0;
}

/* Warns if callers that use CONNECT cannot read the root. path is absolute. */
static void tell_out_of_reach(const struct config *c, const char *folder)
{
    char *root = local_ca_path(folder, LOCAL_CA_ROOT);
    const char *closed = NULL;

    for (char *slash = root; (slash = strchr(slash + 1, '/')) != NULL && closed == NULL;) {
        *slash = '\0';
        if (is_closed(root, S_IXOTH))
            closed = root;
        else
            *slash = '/';
    }
    if (closed == NULL && is_closed(root, S_IROTH))
        closed = root;
    if (closed != NULL && (c->allow_uid.any || c->allow_uid.count > 0))
        (void)fprintf(stderr,
                      "sfmtls: callers of other users cannot read %s/root.pem: %s is closed to "
                      "them; open it (chmod o+rx), or copy root.pem to where they can read it\n",
                      folder, closed);
    free(root);
}

static int init(const struct arguments *a)
{
    struct config *c;
    struct diag why;

    if (load(a, true, &c, &why) != ST_OK)
        return cli_error(ST_BAD_INPUT, &why);
    char *folder = choose_folder(a, c);
    enum status st = config_check_files(c, &why);
    if (st == ST_OK)
        st = make(c, folder, a->replace, &why);
    folder = make_absolute(folder);
    int code = st == ST_OK ? print(folder) : cli_error(st, &why);
    if (code == EXIT_DONE) {
        tell_setting(c, folder);
        tell_out_of_reach(c, folder);
    }
    free(folder);
    config_unref(c);
    return code;
}

static int show(const struct arguments *a)
{
    struct config *c = NULL;
    struct diag why;
    int code;

    if (a->folder == NULL && load(a, a->from.file != NULL, &c, &why) != ST_OK)
        return cli_error(ST_BAD_INPUT, &why);
    char *folder = make_absolute(choose_folder(a, c));
    if (local_ca_is_in(folder)) {
        code = print(folder);
        if (c != NULL)
            tell_out_of_reach(c, folder);
    } else {
        diag_at(&why, folder, "holds no local CA; make one with `sfmtls ca init`");
        code = cli_error(ST_BAD_INPUT, &why);
    }
    free(folder);
    config_unref(c);
    return code;
}

/* ---- arguments ---- */

static const struct option options[] = {
    CONFIG_CHOICE_OPTIONS,
    {"dir", required_argument, NULL, OPT_DIR},
    {"replace", no_argument, NULL, OPT_REPLACE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool parse(int argc, char **argv, bool shows, struct arguments *a, int *code)
{
    int option;

    *code = EXIT_USAGE;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":hc:", options, NULL)) != -1) {
        if (option == 'h') {
            *code = cli_help_of(&command_ca);
            return false;
        } else if (option == 'c' || option == OPT_SET) {
            if (!config_choice_take(&a->from, "ca", option, optarg))
                return false;
        } else if (option == OPT_DIR) {
            a->folder = optarg;
        } else if (option == OPT_REPLACE && !shows) {
            a->replace = true;
        } else if (option == OPT_REPLACE) {
            (void)cli_usage("ca", "`ca show` has no option --replace");
            return false;
        } else {
            (void)cli_bad_option("ca", option, argv, options);
            return false;
        }
    }
    if (optind == argc)
        return true;
    (void)cli_usage("ca", "`%s` is not expected here", argv[optind]);
    return false;
}

static int command(int argc, char **argv)
{
    struct arguments a = {0};
    int code;

    if (argc < 2)
        return cli_usage("ca", "write ca init or ca show");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return cli_help_of(&command_ca);
    bool shows = strcmp(argv[1], "show") == 0;
    if (!shows && strcmp(argv[1], "init") != 0)
        return cli_usage("ca", "there is no `ca %s`", argv[1]);
    if (parse(argc - 1, argv + 1, shows, &a, &code))
        code = shows ? show(&a) : init(&a);
    config_choice_free(&a.from);
    return code;
}

const struct command command_ca = {
    "ca",
    "init [-c FILE] [--set [TENANT.]KEY=VALUE]... [--dir DIR] [--replace]\n"
    "show [-c FILE] [--set [TENANT.]KEY=VALUE]... [--dir DIR]",
    "the local CA for CONNECT (https_proxy)",
    "  init                     make a root, which callers must trust, and an intermediate CA, "
    "with\n"
    "                           which `run` signs for the names of the configured servers and no\n"
    "                           others; the root's key is never written\n"
    "      --replace            replace an existing CA; callers must then trust the new root\n"
    "  show                     print names, dates and fingerprint, and how callers trust the CA\n"
    "  -c, --config FILE        the configuration that names the servers; the default is as for "
    "run\n"
    "      --set KEY=VALUE      an option in place of the file's, as for `sfmtls run`\n"
    "      --dir DIR            the folder; the default is `local-ca` of the configuration, else\n"
    "                           $XDG_DATA_HOME/sfmtls/ca (~/.local/share/sfmtls/ca), or\n"
    "                           /var/lib/sfmtls/ca if the configuration is in /etc/sfmtls or "
    "there\n"
    "                           is no home directory\n"
    "\n"
    "Run it as the user that `run` is started as. A tenant with a new server needs\n"
    "`ca init --replace`.\n",
    command};
