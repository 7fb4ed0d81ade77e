#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/cert_fetch.h"
#include "cli/cert_show.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/prompt.h"
#include "tls/issue.h"
#include "tls/request.h"

enum {
    OPT_JSON = 256,
    OPT_ORGANIZATION,
    OPT_KEY_TYPE,
    OPT_CSR,
    OPT_NO_RENEW,
    OPT_TEXT, /* options whose text is kept: see text_of() */
};

/* ---- arguments ---- */

struct arguments {
    const char *file, *out;
    bool json;
    const char *organization, *key_type;
    struct cert_fetch fetch; /* the other verbs use its texts too */
};

static const struct option options[] = {
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, OPT_JSON},
    {"out", required_argument, NULL, 'o'},
    {"organization", required_argument, NULL, OPT_ORGANIZATION},
    {"key-type", required_argument, NULL, OPT_KEY_TYPE},
    {"csr", no_argument, NULL, OPT_CSR},
    {"no-renew", no_argument, NULL, OPT_NO_RENEW},
    {"passphrase-file", required_argument, NULL, OPT_TEXT},
    {"common-name", required_argument, NULL, OPT_TEXT + 1},
    {"key-out", required_argument, NULL, OPT_TEXT + 2},
    {"service-key", required_argument, NULL, OPT_TEXT + 3},
    {"name", required_argument, NULL, OPT_TEXT + 4},
    {"level", required_argument, NULL, OPT_TEXT + 5},
    {"ca-file", required_argument, NULL, OPT_TEXT + 6},
    {"validity", required_argument, NULL, OPT_TEXT + 7},
    {"private-key", required_argument, NULL, OPT_TEXT + 8},
    {"parent-proxy", required_argument, NULL, OPT_TEXT + 9},
    {"parent-proxy-user", required_argument, NULL, OPT_TEXT + 10},
    {"parent-proxy-password-file", required_argument, NULL, OPT_TEXT + 11},
    {"parent-proxy-auth", required_argument, NULL, OPT_TEXT + 12},
    {NULL, 0, NULL, 0},
};

/* The options of each verb, between blanks. */
static const char *const verbs[][2] = {
    {"show", " --json --passphrase-file "},
    {"public", " --out --passphrase-file "},
    {"request", " --out --common-name --organization --key-type --key-out "},
    {"fetch", " --out --service-key --name --level --ca-file --passphrase-file --private-key --csr "
              "--key-out --common-name --validity --no-renew --parent-proxy --parent-proxy-user "
              "--parent-proxy-password-file --parent-proxy-auth "},
};

static bool knows(size_t verb, const char *option)
{
    char word[32];

    (void)snprintf(word, sizeof(word), " --%s ", option);
    return strstr(verbs[verb][1], word) != NULL;
}

static const char **text_of(struct arguments *a, int option)
{
    const char **const texts[] = {
        &a->fetch.passphrase_file, &a->fetch.common_name, &a->fetch.key_out,
        &a->fetch.service_key,     &a->fetch.name,        &a->fetch.level,
        &a->fetch.ca_file,         &a->fetch.validity,    &a->fetch.private_key,
        &a->fetch.proxy,           &a->fetch.proxy_user,  &a->fetch.proxy_password_file,
        &a->fetch.proxy_auth,
    };

    return texts[option - OPT_TEXT];
}

static bool set_option(struct arguments *a, int option)
{
    switch (option) {
    case OPT_JSON:
        a->json = true;
        return true;
    case 'o':
        a->out = optarg;
        return true;
    case OPT_ORGANIZATION:
        a->organization = optarg;
        return true;
    case OPT_KEY_TYPE:
        a->key_type = optarg;
        return true;
    case OPT_CSR:
        a->fetch.csr = true;
        return true;
    case OPT_NO_RENEW:
        a->fetch.no_renew = true;
        return true;
    default:
        if (option < OPT_TEXT)
            return false;
        *text_of(a, option) = optarg;
        return true;
    }
}

static const char *option_name(int value)
{
    for (const struct option *o = options; o->name != NULL; o++)
        if (o->val == value)
            return o->name;
    return "";
}

static bool parse(int argc, char **argv, size_t verb, struct arguments *a, int *code)
{
    int option;

    *code = EXIT_USAGE;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":ho:", options, NULL)) != -1) {
        if (option == 'h') {
            *code = cli_help_of(&command_cert);
            return false;
        }
        if (!set_option(a, option)) {
            (void)cli_bad_option("cert", option, argv, options);
            return false;
        }
        if (!knows(verb, option_name(option))) {
            (void)cli_usage("cert", "`cert %s` has no option --%s", verbs[verb][0],
                            option_name(option));
            return false;
        }
    }
    bool wants_file = verbs[verb][0][0] == 's' || verbs[verb][0][0] == 'p';
    if (wants_file && optind < argc)
        a->file = argv[optind++];
    if (optind < argc)
        (void)cli_usage("cert", "`%s` is not expected here", argv[optind]);
    else if (wants_file && a->file == NULL)
        (void)cli_usage("cert", "`cert %s` wants the name of a file", verbs[verb][0]);
    else
        return true;
    return false;
}

/* ---- the verbs ---- */

static enum status inspect(const struct arguments *a, struct credential **out, struct diag *why)
{
    const struct credential_files files = {
        .certificate = a->file, .passphrase_file = a->fetch.passphrase_file, .ask = prompt_ask};

    return credential_inspect(&files, out, why);
}

static int finish(struct buf *text, const char *path, mode_t mode, const struct diag *failed)
{
    enum status st = ST_OK;
    struct diag why;

    if (failed != NULL) {
        buf_free(text);
        return cli_error(ST_BAD_INPUT, failed);
    }
    if (path == NULL)
        (void)fwrite(text->p, 1, text->n, stdout);
    else
        st = file_write_new(path, buf_slice(text), mode, &why);
    buf_free(text);
    return st == ST_OK ? EXIT_DONE : cli_error(st, &why);
}

static int finish_show(struct buf *text, bool usable)
{
    int code = finish(text, NULL, 0, NULL);

    return code == EXIT_DONE && !usable ? EXIT_FAILED : code;
}

static int show_request(const struct arguments *a, const struct buf *file)
{
    struct request_facts facts;
    struct buf text = {0};
    struct diag why;

    if (request_read(a->file, buf_slice(file), &facts, &why) != ST_OK)
        return cli_error(ST_BAD_INPUT, &why);
    bool usable = cert_show_request(&facts, a->json, &text);
    request_facts_free(&facts);
    return finish_show(&text, usable);
}

static int show_certificate(const struct arguments *a)
{
    struct credential *c;
    struct buf text = {0};
    struct diag why;

    if (inspect(a, &c, &why) != ST_OK)
        return cli_error(ST_BAD_INPUT, &why);
    bool usable = cert_show(c, a->file, a->json, &text);
    credential_unref(c);
    return finish_show(&text, usable);
}

static int show(const struct arguments *a)
{
    struct buf file = {0};
    struct diag ignored; /* the reading of the certificate reports it */

    bool is_request = file_read(a->file, &file, &ignored) == ST_OK && request_is(buf_slice(&file));
    int code = is_request ? show_request(a, &file) : show_certificate(a);
    file_wipe(&file);
    return code;
}

static int write_public(const struct arguments *a)
{
    struct credential *c;
    struct buf text = {0};
    struct diag why;

    if (inspect(a, &c, &why) != ST_OK)
        return cli_error(ST_BAD_INPUT, &why);
    credential_write_public(c, &text);
    credential_unref(c);
    return finish(&text, a->out, 0644, NULL);
}

static bool parse_key_type(const char *text, enum key_type *type)
{
    static const char *const names[] = {
        [KEY_EC] = "ec", [KEY_RSA_2048] = "rsa-2048", [KEY_RSA_3072] = "rsa-3072"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        *type = (enum key_type)i;
        if (strcmp(text, names[i]) == 0)
            return true;
    }
    (void)cli_usage("cert", "--key-type %s: write ec, rsa-2048 or rsa-3072", text);
    return false;
}

/* The key is written first, because a request without its key is worth nothing. */
static int request(const struct arguments *a)
{
    enum key_type type = KEY_EC;
    struct credential *c = NULL;
    struct buf text = {0};
    struct diag why;

    if (a->fetch.common_name == NULL || a->fetch.key_out == NULL)
        return cli_usage("cert", "%s is missing",
                         a->fetch.common_name == NULL ? "--common-name NAME" : "--key-out FILE");
    if (a->key_type != NULL && !parse_key_type(a->key_type, &type))
        return EXIT_USAGE;
    enum status st = credential_new_key(type, &c, &why);
    if (st == ST_OK)
        st = issue_request(c, a->fetch.common_name, a->organization, &text, &why);
    if (st == ST_OK)
        st = credential_save_key(c, a->fetch.key_out, &why);
    credential_unref(c);
    int code = finish(&text, a->out, 0644, st == ST_OK ? NULL : &why);
    if (code == EXIT_DONE)
        cert_say_next(a->fetch.key_out, a->out);
    else if (st == ST_OK)
        /* made just now; a key without its request would only be in the way */
        (void)unlink(a->fetch.key_out);
    return code;
}

static int fetch(const struct arguments *a)
{
    struct cert_fetch f = a->fetch;

    f.out = a->out;
    return cert_fetch(&f);
}

static int command(int argc, char **argv)
{
    static int (*const run[])(const struct arguments *) = {show, write_public, request, fetch};
    struct arguments a = {0};
    int code;

    if (argc < 2)
        return cli_usage("cert", "write cert show, cert public, cert request or cert fetch");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return cli_help_of(&command_cert);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcmp(argv[1], verbs[i][0]) == 0)
            return parse(argc - 1, argv + 1, i, &a, &code) ? run[i](&a) : code;
    return cli_usage("cert", "there is no `cert %s`", argv[1]);
}

const struct command command_cert = {
    "cert",
    "show FILE [--json] [--passphrase-file FILE]\n"
    "public FILE [-o OUT] [--passphrase-file FILE]\n"
    "request --common-name NAME --key-out FILE [-o OUT] [--organization NAME]\n"
    "    [--key-type ec|rsa-2048|rsa-3072]\n"
    "fetch --service-key FILE --name NAME [--level subaccount|instance] [-o OUT]\n"
    "    [--private-key FILE] [--passphrase-file FILE] [--ca-file FILE]\n"
    "    [--parent-proxy URL] [--parent-proxy-user NAME] [--parent-proxy-password-file FILE]\n"
    "    [--parent-proxy-auth WAY]\n"
    "fetch --csr --service-key FILE --name NAME --key-out FILE --common-name CN\n"
    "    [--validity 12m] [--no-renew] [--level subaccount|instance] [-o OUT] [--ca-file FILE]",
    "inspect certificates, extract the public part, request or fetch a certificate",
    "  show FILE                what the file holds: names, dates, the fingerprints as\n"
    "                           SuccessFactors shows them, every flaw, and what to enter in\n"
    "                           Security Center; also of a certificate request\n"
    "      --json               the same as one line of JSON\n"
    "  public FILE              certificate and chain as PEM, without any key: the file to "
    "upload\n"
    "                           to SuccessFactors\n"
    "  request                  make a private key and a certificate request (PKCS#10), which a\n"
    "                           CA turns into a certificate; the key never leaves this machine\n"
    "      --common-name NAME   CN of the certificate, usually the technical user\n"
    "      --organization NAME  O of the certificate\n"
    "      --key-type TYPE      ec (P-256, the default), rsa-2048 or rsa-3072\n"
    "      --key-out FILE       where the key goes, with mode 0600; never overwrites a file\n"
    "  fetch                    take a certificate from the Destination service of SAP BTP\n"
    "      --service-key FILE   the JSON of a service key of that service; a secret\n"
    "      --name NAME          of the certificate in BTP, such as sfmtls.pem\n"
    "      --level LEVEL        subaccount (the default) or instance\n"
    "      --ca-file FILE       CA certificates to trust instead of the system's\n"
    "      --parent-proxy URL   http://HOST:PORT, system (the default: https_proxy and no_proxy) "
    "or\n"
    "                           none\n"
    "      --parent-proxy-user NAME  for that proxy\n"
    "      --parent-proxy-password-file FILE  the password of that user\n"
    "      --parent-proxy-auth WAY  auto (the default: not basic), basic, digest, negotiate or "
    "ntlm\n"
    "      --private-key FILE   the key that the certificate has to fit, if BTP does not have it\n"
    "      --csr                let BTP make the certificate for a key that is made here and "
    "never\n"
    "                           leaves this machine; FILE gets the chain\n"
    "      --key-out FILE       where that key goes, with mode 0600; never overwrites a file\n"
    "      --common-name NAME   CN of that certificate\n"
    "      --validity SPAN      30d, 12m (the default) or 1y\n"
    "      --no-renew           BTP is not to renew it by itself\n"
    "  -o, --out FILE           write to FILE instead of stdout; never overwrites a file. fetch\n"
    "                           replaces FILE, mode 0600, which is ./NAME unless it is given; -o "
    "-\n"
    "                           is stdout\n"
    "      --passphrase-file FILE  the passphrase of an encrypted key or PKCS#12 file\n"
    "\n"
    "FILE may be PEM, base64 of PEM, PKCS#12 or DER.\n"
    "Exit status of show: 1 if the certificate cannot be used: it has expired, is not valid yet,\n"
    "or is unusable.\n",
    command};
