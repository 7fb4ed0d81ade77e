#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "cli/calls.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/demo_fault.h"
#include "cli/demo_origin.h"
#include "cli/serve.h"
#include "tls/issue.h"
#include "tls/server.h"

enum {
    OPT_READY_FD = 256,
    OPT_LISTEN,
    OPT_FAULT,
    DEMO_DAYS = 60,
    MAX_ANSWER = 64 * 1024,
    CALL_TIMEOUT_S = 20
};

static const char first_path[] = "/odata/v2/User?$format=json";

struct demo {
    bool once;
    const struct demo_fault *fault; /* the fault to show; one without a name: none */
    const char *listen;             /* NULL: the default */
    char *folder;
    struct credential *ca, *server_identity;
    struct trust *trust;
    SSL_CTX *tls;
    struct serve serve;
    struct local origin;
    const struct process *process;
    char address[ADDRESS_TEXT_SIZE]; /* the proxy's address, as callers write it */
    struct address at;
    pthread_t caller;
    bool called;
    bool succeeded;
};

/* ---- temporary files ---- */

static char *path_in(const struct demo *d, const char *name)
{
    return mem_format("%s/%s", d->folder, name);
}

static enum status make_folder(struct demo *d, struct diag *why)
{
    const char *tmp = getenv("TMPDIR");

    d->folder = mem_format("%s/sfmtls-demo-XXXXXX", tmp == NULL || *tmp == '\0' ? "/tmp" : tmp);
    if (mkdtemp(d->folder) != NULL)
        return ST_OK;
    diag_at(why, d->folder, "cannot be created: %s; set TMPDIR to a folder you may write to",
            strerror(errno));
    free(d->folder);
    d->folder = NULL;
    return ST_SYSTEM;
}

static const char *const files[] = {"ca.pem", "client.pem", "client.key", "sfmtls.ini", "admin"};

static void remove_folder(struct demo *d)
{
    if (d->folder == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = path_in(d, files[i]);
        (void)unlink(path);
        free(path);
    }
    (void)rmdir(d->folder);
    free(d->folder);
}

static enum status save(const struct demo *d, const struct credential *c, const char *certificate,
                        const char *key, struct diag *why)
{
    char *certificate_path = path_in(d, certificate);
    char *key_path = key == NULL ? NULL : path_in(d, key);
    enum status st = credential_save(c, certificate_path, key_path, why);

    free(certificate_path);
    free(key_path);
    return st;
}

static enum status make_identities(struct demo *d, struct diag *why)
{
    static const struct issue_spec ca = {.common_name = "sfmtls demo CA (throw-away)",
                                         .organization = "sfmtls demo",
                                         .is_ca = true,
                                         .days = DEMO_DAYS};
    static const struct issue_spec another = {.common_name = "another CA (throw-away)",
                                              .organization = "another organization",
                                              .is_ca = true,
                                              .days = DEMO_DAYS};
    const struct demo_fault *f = d->fault;
    const struct issue_spec server = {.common_name = "localhost",
                                      .organization = "sfmtls demo",
                                      .alt_names =
                                          f->alt_names != NULL ? f->alt_names : "DNS:localhost",
                                      .for_server = true,
                                      .begins_days = f->begins_days,
                                      .days = f->days != 0 ? f->days : DEMO_DAYS};
    const struct issue_spec client = {.common_name = "DEMO_API_USER",
                                      .organization = "sfmtls demo",
                                      .for_server = f->client_for_server,
                                      .begins_days = f->client_begins_days,
                                      .days = f->client_days != 0 ? f->client_days : DEMO_DAYS};
    struct credential *user = NULL, *other = NULL;
    enum status st = issue_credential(&ca, NULL, &d->ca, why);

    if (st == ST_OK)
        st = issue_credential(&another, NULL, &other, why);
    if (st == ST_OK)
        st = issue_credential(&server,
                              f->self_signed     ? NULL
                              : f->of_another_ca ? other
                                                 : d->ca,
                              &d->server_identity, why);
    if (st == ST_OK)
        st = issue_credential(&client, f->client_of_another_ca ? other : d->ca, &user, why);
    if (st == ST_OK)
        st = save(d, d->ca, "ca.pem", NULL, why);
    if (st == ST_OK)
        st = save(d, user, "client.pem", "client.key", why);
    credential_unref(user);
    credential_unref(other);
    return st;
}

/* ---- the server, and the proxy ---- */

static enum status open_origin(struct demo *d, struct diag *why)
{
    char *ca = path_in(d, "ca.pem");
    bool ignored;
    enum status st = trust_load(ca, NULL, &d->trust, &ignored, why);

    free(ca);
    if (st != ST_OK || d->fault->plain)
        return st;
    if (d->fault->never_asks)
        return tls_server_open(d->server_identity, &d->tls, why);
    st = tls_server_new(d->server_identity, d->trust, &d->tls, why);
    if (st == ST_OK) /* like the servers of SuccessFactors, it says which CA it accepts */
        (void)SSL_CTX_add_client_CA(d->tls, (X509 *)(uintptr_t)credential_leaf(d->ca));
    return st;
}

/* Where the proxy listens. admin NULL: there is no such listener. */
struct place {
    const char *listen, *admin;
};

static enum status write_configuration(const struct demo *d, const struct place *at,
                                       int origin_port, struct diag *why)
{
    const struct demo_fault *f = d->fault;
    char *path = path_in(d, "sfmtls.ini");
    char *own = mem_format("127.0.0.1:%d", origin_port);
    const char *place = f->connect_to != NULL ? f->connect_to : own;
    char *text = mem_format(
        "[proxy]\n"
        "listen = %s\n"
        "max-connections = 50\n"
        "%s%s%s\n"
        "[tenant demo]\n"
        "company-id  = %s\n"
        "server      = %s:%d\n"
        "%s%s%s"
        "certificate = client.pem\n"
        "private-key = client.key\n"
        "ca-file     = ca.pem\n"
        "max-upstream = 10\n"
        "%s",
        at->listen, at->admin == NULL ? "" : "admin = ", at->admin == NULL ? "" : at->admin,
        at->admin == NULL ? "" : "\n", f->company_id != NULL ? f->company_id : DEMO_COMPANY,
        f->server != NULL ? f->server : "localhost", origin_port,
        *place == '\0' ? "" : "connect-to  = ", place, *place == '\0' ? "" : "\n",
        f->more != NULL ? f->more : "require-client-certificate-request = yes\n");

    (void)unlink(path);
    enum status st = file_write_new(path, slice_of(text), 0600, why);
    free(text);
    free(own);
    free(path);
    return st;
}

/* Opens the server first, because the proxy's configuration names its port. */
static enum status open_server(struct demo *d, struct acceptor *origin, const struct place *at,
                               struct process **out, struct diag *why)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&acceptor_address(origin)->storage;
    char *path = path_in(d, "sfmtls.ini");
    enum status st = write_configuration(d, at, ntohs(in->sin_port), why);

    if (st == ST_OK)
        st = config_load(path, NULL, NULL, &d->serve.config, why);
    free(path);
    if (st != ST_OK)
        return st;
    st = config_check_files(d->serve.config, why);
    if (st == ST_OK)
        st = serve_open(&d->serve, out, why);
    if (st != ST_OK) {
        config_unref(d->serve.config);
        d->serve.config = NULL;
    }
    return st;
}

/* Opens the server at the usual addresses, or at others if these are in use. The path of a socket
 * may be too long. */
static enum status open_somewhere(struct demo *d, struct acceptor *origin, struct process **out,
                                  struct diag *why)
{
    const char *const listens[] = {d->listen == NULL ? "localhost:8080" : d->listen, "localhost:0"};
    char *socket_path = mem_format("unix:%s/admin", d->folder);
    const char *const admins[] = {"localhost:8081", socket_path, NULL};
    enum status st = ST_SYSTEM;

    for (size_t i = 0; st != ST_OK && i < (d->listen == NULL ? ARRAY_LEN(listens) : 1); i++)
        for (size_t k = 0; st != ST_OK && k < ARRAY_LEN(admins); k++)
            st = open_server(d, origin, &(struct place){listens[i], admins[k]}, out, why);
    free(socket_path);
    return st;
}

/* Replaces the place of the temporary file in the sentence by the command-line option that the line
 * came from. */
static void blame_option(const struct demo *d, struct diag *why)
{
    char *line = mem_format("%s/sfmtls.ini:2", d->folder);

    if (d->listen != NULL && diag_is_at(why, line)) {
        struct diag whole = *why;
        diag_set(why, "--listen: %s", diag_sentence(&whole));
    }
    free(line);
}

static enum status open_all(struct demo *d, struct process **out, struct diag *why)
{
    struct acceptor *origin;
    struct address any_port;
    enum status st = make_folder(d, why);

    d->serve.scratch = d->folder;
    if (st == ST_OK)
        st = make_identities(d, why);
    if (st == ST_OK)
        st = open_origin(d, why);
    if (st == ST_OK)
        st = address_parse("127.0.0.1:0", &any_port, why);
    if (st == ST_OK)
        st = acceptor_open(&any_port, NULL, &origin, why);
    if (st != ST_OK)
        return st;
    st = open_somewhere(d, origin, out, why);
    if (st != ST_OK) {
        blame_option(d, why);
        acceptor_close(origin);
        return st;
    }
    d->origin = (struct local){
        .answer = demo_origin_answer, .ctx = (void *)(uintptr_t)d->fault, .silent = true};
    process_add_door(
        *out, origin,
        &(struct client_door){.service = &local_service, .ctx = &d->origin, .tls = d->tls});
    return ST_OK;
}

/* The host, as callers write it. */
static const char *host_of(const struct demo *d)
{
    return strncmp(d->address, "unix:", 5) == 0 ? "localhost" : d->address;
}

/* ---- the first call, made like a program without certificates ---- */

/* Uses HTTP/1.0, so that the answer can be shown without chunks. */
static bool send_request(const struct demo *d, int fd)
{
    /* Base64 of sfapi@DEMO:old-password, or of sfapi:old-password if another company is
     * configured. */
    const char *old = d->fault->company_id == NULL ? "c2ZhcGlAREVNTzpvbGQtcGFzc3dvcmQ="
                                                   : "c2ZhcGk6b2xkLXBhc3N3b3Jk";
    char *text = mem_format("GET %s HTTP/1.0\r\nHost: %s\r\nAuthorization: Basic %s\r\n\r\n",
                            first_path, host_of(d), old);
    size_t n = strlen(text);
    bool sent = send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;

    free(text);
    return sent;
}

static bool exchange(const struct demo *d, int fd, char *answer, size_t size)
{
    struct timeval limit = {.tv_sec = CALL_TIMEOUT_S};
    size_t n = 0;
    ssize_t got;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (!send_request(d, fd))
        return false;
    while (n < size - 1 && (got = recv(fd, answer + n, size - 1 - n, 0)) > 0)
        n += (size_t)got;
    answer[n] = '\0';
    return n > 0;
}

static bool call(const struct demo *d, char *answer, size_t size)
{
    int fd = socket(d->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool done =
        fd >= 0 && connect(fd, &d->at.any, d->at.length) == 0 && exchange(d, fd, answer, size);

    if (fd >= 0)
        (void)close(fd);
    return done;
}

/* The value of the first "name":"..." in text; empty: there is none. */
static struct slice find_value(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    if (at == NULL)
        return (struct slice){"", 0};
    at += strlen(name);
    return (struct slice){at, strcspn(at, "\"")};
}

static void show_call(const struct demo *d, const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    struct slice subject = find_value(answer, "\"subject\":\""),
                 issuer = find_value(answer, "\"issuer\":\"");

    (void)printf("The call: plain HTTP, no certificate, an old password that is worth nothing any "
                 "more\n\n    GET %s\n    Host: %s\n    Authorization: Basic ...\n\n",
                 first_path, host_of(d));
    (void)printf("The answer\n\n    %.*s\n", (int)strcspn(answer, "\r"), answer);
    const char *hint = strstr(answer, "Sfmtls-Hint: ");
    if (hint != NULL && hint < body)
        (void)printf("    %.*s\n", (int)strcspn(hint, "\r"), hint);
    (void)printf("    %s\n", body == NULL ? "(no body)" : body + 4);
    if (subject.n > 0)
        (void)printf("The server saw the client certificate %.*s\n    issued by %.*s\n"
                     "    and no Authorization header: sfmtls took the password out and put the "
                     "certificate in.\n\n",
                     (int)subject.n, subject.p, (int)issuer.n, issuer.p);
}

static void show_admin(const struct demo *d)
{
    const struct config *c = d->serve.config;
    const struct listen_address *at = c->admins;

    if (c->nadmins == 0)
        return;
    (void)printf("How it has served so far:\n\n    %s status -c %s/sfmtls.ini\n", cli_program(),
                 d->folder);
    if (address_is_unix(&at->address))
        (void)printf("    curl --unix-socket %s/admin http://localhost/metrics\n\n", d->folder);
    else
        (void)printf("    curl http://localhost:%d/metrics\n"
                     "    http://localhost:%d/ in a browser\n\n",
                     address_port(&at->address), address_port(&at->address));
}

static void show_next_steps(const struct demo *d)
{
    (void)printf("Try it by hand\n\n");
    calls_show(d->address, first_path);
    (void)printf(
        "The throw-away certificates and the configuration are in %s until Ctrl-C. This walks\n"
        "the path to the server and says what is wrong, if anything is:\n\n"
        "    %s check -c %s/sfmtls.ini\n\n",
        d->folder, cli_program(), d->folder);
    show_admin(d);
    (void)printf(
        "The demo keeps what it has read at its start. To see what a change there does:\n\n"
        "    %s run -c %s/sfmtls.ini --set listen=localhost:8090 \\\n"
        "        --set admin=localhost:8091\n",
        cli_program(), d->folder);
    if (d->fault->name != NULL)
        (void)printf("\nSomething is wrong here; the demo says what, when it ends.\n");
}

static void stop_server(void *arg)
{
    process_stop(arg);
}

static void *caller_main(void *arg)
{
    struct demo *d = arg;
    char *answer = mem_new(MAX_ANSWER);
    bool answered = call(d, answer, MAX_ANSWER);

    d->succeeded = answered && strncmp(answer, "HTTP/1.1 200 ", 13) == 0 &&
                   strstr(answer, "CN=DEMO_API_USER") != NULL;
    if (d->fault->name != NULL)
        d->succeeded = answered; /* with the fault, if there is one */
    if (answered)
        show_call(d, answer);
    else
        cli_say("the first call got no answer: %s", strerror(errno));
    if (!d->once)
        show_next_steps(d);
    (void)fflush(stdout);
    free(answer);
    if (d->once)
        loop_post(process_loop(d->process), stop_server, (void *)(uintptr_t)d->process);
    return NULL;
}

static void on_ready(void *ctx, const struct process *process)
{
    struct demo *d = ctx;

    d->process = process;
    d->at = *process_door_address(process, 0);
    if (d->serve.config->listens[0].of_localhost)
        (void)snprintf(d->address, sizeof(d->address), "localhost:%d", address_port(&d->at));
    else
        address_text(&d->at, d->address);
    d->called = thread_start(&d->caller, caller_main, d);
}

static void on_stopped(void *ctx)
{
    struct demo *d = ctx;

    if (d->called)
        (void)pthread_join(d->caller, NULL);
    if (d->fault->name != NULL)
        (void)printf("The fault was `%s`: %s.\n", d->fault->name, d->fault->summary);
}

/* ---- the command ---- */

/* The text becomes a line of the configuration file, so it must not contain anything else. */
static bool check_listen(const char *text)
{
    struct address parsed[ADDRESS_FAMILIES];
    struct diag why;
    size_t count;

    if (*text == '\0')
        diag_set(&why, "it has no value; write it as in localhost:8080");
    else if (address_parse_listen(text, parsed, &count, &why) == ST_OK)
        return true;
    diag_place(&why, "--listen");
    (void)cli_error(ST_BAD_INPUT, &why);
    return false;
}

static int list_faults(void)
{
    size_t count;
    const struct demo_fault *all = demo_faults(&count);

    for (size_t i = 0; i < count; i++)
        printf("%-20s %s\n", all[i].name, all[i].summary);
    return EXIT_SUCCESS;
}

static bool set_fault(struct demo *d, const char *name)
{
    d->fault = strcmp(name, "any") == 0 ? demo_fault_any() : demo_fault_find(name);
    if (d->fault == NULL)
        (void)cli_usage("demo", "--fault %s: there is no such fault; --fault list lists them",
                        name);
    return d->fault != NULL;
}

static bool parse(int argc, char **argv, struct demo *d, int *code)
{
    static const struct option options[] = {
        {"once", no_argument, NULL, '1'},
        {"help", no_argument, NULL, 'h'},
        {"listen", required_argument, NULL, OPT_LISTEN},
        {"fault", required_argument, NULL, OPT_FAULT},
        {"ready-fd", required_argument, NULL, OPT_READY_FD},
        {NULL, 0, NULL, 0},
    };
    int option;

    *code = EXIT_USAGE;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":1h", options, NULL)) != -1) {
        if (option == 'h') {
            *code = cli_help_of(&command_demo);
            return false;
        } else if (option == '1') {
            d->once = true;
        } else if (option == OPT_LISTEN) {
            if (!check_listen(optarg))
                return false;
            d->listen = optarg;
        } else if (option == OPT_FAULT && strcmp(optarg, "list") == 0) {
            *code = list_faults();
            return false;
        } else if (option == OPT_FAULT) {
            if (!set_fault(d, optarg))
                return false;
        } else if (option == OPT_READY_FD) {
            if (!serve_parse_ready_fd("demo", optarg, &d->serve.ready_fd))
                return false;
        } else {
            (void)cli_bad_option("demo", option, argv, options);
            return false;
        }
    }
    if (optind < argc)
        (void)cli_usage("demo", "`%s` is not expected here", argv[optind]);
    return optind == argc;
}

static void free_all(struct demo *d)
{
    config_unref(d->serve.config);
    SSL_CTX_free(d->tls);
    trust_unref(d->trust);
    credential_unref(d->ca);
    credential_unref(d->server_identity);
    remove_folder(d);
}

static int command(int argc, char **argv)
{
    static const struct demo_fault none;
    struct demo d = {.fault = &none, .serve = {.ready_fd = NO_READY_FD}};
    struct process *process;
    struct diag why;
    int code;

    if (!parse(argc, argv, &d, &code))
        return code;
    d.serve.on_ready = on_ready;
    d.serve.on_stopped = on_stopped;
    d.serve.ctx = &d;
    if (open_all(&d, &process, &why) != ST_OK) {
        (void)cli_error(ST_BAD_INPUT, &why);
        free_all(&d);
        return EXIT_USAGE;
    }
    code = serve_run(&d.serve, process);
    free_all(&d);
    return d.once && !d.succeeded ? EXIT_FAILED : code;
}

const struct command command_demo = {
    "demo", "[--once] [--listen ADDRESS] [--ready-fd N] [--fault NAME]",
    "show all of it on this machine, with throw-away certificates",
    "  -1, --once               end after the first call; exit status 0 only if the server\n"
    "                           answered 200 and saw the client certificate\n"
    "      --listen ADDRESS     where the proxy listens; the default is localhost:8080, or a\n"
    "                           free port if 8080 is in use\n"
    "      --ready-fd N         as for run\n"
    "      --fault NAME         with something wrong, to see what that looks like; `--fault list`\n"
    "                           lists the names, `--fault any` chooses one by chance; at its end\n"
    "                           the demo says what was wrong\n"
    "\n"
    "If port 8081 is free, it is the status page (`admin`). The demo does not reload, not even on\n"
    "SIGHUP.\n",
    command};
