#include "config/option.h"

#include <string.h>

#include "config/option_set.h"

/* ---- the table ---- */

#define P(member) SECTION_PROXY, offsetof(struct config, member)
#define T(member) SECTION_TENANT, offsetof(struct tenant, member)

#define ROW(key_, place_, ...) ROW_(key_, place_, __VA_ARGS__)
/* clang-format off */
#define ROW_(key_, section_, offset_, ...) \
    {.key = key_, .section = section_, .offset = offset_, __VA_ARGS__}
/* clang-format on */

#define DURATION(key_, place_, min_, max_, fallback_, help_)                                       \
    ROW(key_, place_, .set = option_set_duration, .min = min_, .max = max_, .fallback = fallback_, \
        .type = "duration", .help = help_)

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static const struct option table[] = {
    {.key = "listen",
     .section = SECTION_PROXY,
     .set = option_set_nothing,
     .repeats = true,
     .type = "list of HOST:PORT, [IPV6]:PORT or unix:/path",
     .fallback = "localhost:8080",
     .help = "where callers connect. Loopback addresses and Unix sockets, others with "
             "allow-remote; port 0 picks a free port. localhost:PORT is 127.0.0.1 and [::1] with "
             "the same port, so that no other program gets what callers send to localhost. The "
             "default is used only if no `listen` stands anywhere, a tenant's included."},
    ROW("admin", P(admins), .set = option_set_admin, .type = "HOST:PORT, [IPV6]:PORT or unix:/path",
        .help = "a listener that tells how things are: /health for probes, /status for people and "
                "scripts (JSON): tenants, certificates in use, what a reload refused."),
    {.key = "allow-uid",
     .section = SECTION_PROXY,
     .set = option_set_allow_uid,
     .repeats = true,
     .type = "list of uids or user names, or any",
     .help = "whose processes may connect from this machine (403 for the others): on Unix sockets "
             "and, as far as Linux tells, over TCP. Without it, the user that sfmtls runs as, and "
             "root; what is listed stands in place of these. Uids are those of the user namespace "
             "that sfmtls runs in; whom it does not know there is 65534."},
    {.key = "socket-mode",
     .section = SECTION_PROXY,
     .set = option_set_socket_mode,
     .fallback = "0600",
     .type = "octal number",
     .help = "the mode of Unix sockets that are listened on. Others than sfmtls's own user need "
             "allow-uid, too."},
    {.key = "socket-group",
     .section = SECTION_PROXY,
     .set = option_set_socket_group,
     .type = "name or gid",
     .help = "the group of these sockets, for socket-mode = 0660; list its users in allow-uid."},
    ROW("allow-remote", P(allow_remote), .set = option_set_bool, .choices = "no|yes",
        .fallback = "no", .type = "yes or no",
        .help = "yes allows listeners that other machines reach (0.0.0.0:8080), by plain HTTP. "
                "Then there must be a caller-token-file, or a callers-file in every tenant that "
                "is reached there."),
    ROW("caller-token-file", P(token_file), .set = option_set_token_file, .file = OPTION_READS,
        .type = "file",
        .help = "who may call: each line is a token of 16 characters or more. Then a request needs "
                "one of them in Proxy-Authorization: Bearer TOKEN or in X-Sfmtls-Token: TOKEN, or "
                "gets 401 or 407; inside a CONNECT it was given with that. It is never sent on."),
    ROW("host-names", P(host_names), .set = option_set_host_names, .repeats = true,
        .type = "list of names and addresses",
        .help = "further names by which callers may call the proxy itself, beside localhost and "
                "the address of an allow-remote listener; other names get 421."),
    ROW("allow-origin", P(origins), .set = option_set_allow_origin, .repeats = true,
        .type = "list of SCHEME://HOST[:PORT]",
        .help = "whose web pages may call, and read the answers; those of others get 403. "
                "Preflights of these are answered by the proxy."),
    ROW("allow-forwarded", P(allow_forwarded), .set = option_set_bool, .choices = "no|yes",
        .fallback = "no", .type = "yes or no",
        .help = "yes lets in requests with Forwarded, X-Forwarded-* or X-Real-IP on loopback "
                "addresses and Unix sockets, where they come from another proxy, whose callers may "
                "be anybody. The fields are never sent on."),
    ROW("workers", P(workers), .set = option_set_workers, .min = 1, .max = 64, .fallback = "1",
        .type = "number or auto",
        .help = "threads that serve. One does for most; auto is one for each processor."),
    ROW("log", P(log_path), .set = option_set_log, .fallback = "stderr", .file = OPTION_APPENDS,
        .type = "stderr or a file",
        .help = "where the log goes: one line for each exchange. SIGUSR1 opens the file again."),
    ROW("log-format", P(log_format), .set = option_set_choice, .choices = "text|json",
        .fallback = "text", .type = "text or json", .help = "how a log line is written."),
    ROW("log-path", P(path_mode), .set = option_set_choice, .choices = "masked|full|off",
        .fallback = "masked", .type = "masked, full or off",
        .help = "how much of a request's path is logged. masked hides keys and literals, which are "
                "personal data in OData. The query is never logged."),
    ROW("log-caller", P(log_caller), .set = option_set_bool, .choices = "off|on", .fallback = "on",
        .type = "on or off",
        .help = "on names in each line who called: the user of callers-file whose password was "
                "right, else the uid of a process of this machine, else the address. Off, if that "
                "is not to be kept: it is personal data."),

    ROW("sandbox", P(sandbox), .set = option_set_bool, .choices = "off|on", .fallback = "on",
        .type = "on or off",
        .help = "on leaves the process what serving takes: it reads the system's files and the "
                "folders of those that are named here, writes into the folders of the log and of "
                "Unix sockets, and starts no program (Landlock and seccomp, as far as the kernel "
                "has them). A reload cannot name files in other folders; that takes a restart."),
    ROW("user", P(user), .set = option_set_user, .type = "name",
        .help = "who sfmtls becomes, when root starts it, once listeners, log and files are open. "
                "That user has to be able to read the files for a reload."),

    ROW("max-connections", P(max_connections), .set = option_set_count, .min = 1, .max = 1000000,
        .fallback = "10000", .type = "number",
        .help = "callers connected at once; one more gets 503."),
    ROW("max-connections-per-caller", P(per_caller), .set = option_set_per_caller, .min = 1,
        .max = 1000000, .fallback = "auto", .type = "number, none or auto",
        .help = "the most of them that one caller may have; one more gets 503. A caller is a user "
                "of this machine, or the address of another one. auto is three quarters of "
                "max-connections for other machines and where allow-uid lists several users, else "
                "none."),
    ROW("max-requests", P(max_requests), .set = option_set_count, .min = 0, .max = 1000000000,
        .fallback = "0", .type = "number",
        .help = "requests on one connection; the answer to the last says Connection: close. 0 is "
                "no limit."),
    ROW("queue", P(queue), .set = option_set_count, .min = 0, .max = 1000000, .fallback = "1000",
        .type = "number",
        .help = "requests that wait for a connection to a server; one more gets 503."),
    ROW("max-head", P(max_head), .set = option_set_size, .min = 1024, .max = 1048576,
        .fallback = "64k", .type = "size",
        .help = "the largest head of a request (431 above it) or an answer (502)."),
    ROW("max-fields", P(max_fields), .set = option_set_count, .min = 10, .max = 10000,
        .fallback = "200", .type = "number",
        .help = "the most header fields of a request (431) or an answer (502)."),
    ROW("max-target", P(max_target), .set = option_set_size, .min = 256, .max = 1048576,
        .fallback = "16k", .type = "size", .help = "the longest URL of a request (414 above it)."),

    ROW("local-ca", P(local_ca_folder), .set = option_set_local_ca, .type = "folder",
        .help = "where `sfmtls ca init` put the local CA, under which CONNECT (https_proxy) to a "
                "configured server is answered. Without it, $XDG_DATA_HOME/sfmtls/ca "
                "(~/.local/share/sfmtls/ca), or /var/lib/sfmtls/ca for a configuration in "
                "/etc/sfmtls or without a home, is used if there is a CA."),
    ROW("connect-other", P(connect_other), .set = option_set_choice, .choices = "refuse|tunnel",
        .fallback = "refuse", .type = "refuse or tunnel",
        .help = "what becomes of a CONNECT to anything else. tunnel passes bytes through, unseen, "
                "to what connect-allow lists; the rest is refused (403)."),
    ROW("connect-allow", P(connect_allow), .set = option_set_connect_allow, .repeats = true,
        .type = "list of HOST:PORT",
        .help = "where connect-other = tunnel leads. A name must not resolve to an address of this "
                "machine or of a private network: to reach one, list the address itself."),

    DURATION("connect-timeout", P(connect_timeout), 10, HOUR, "10s",
             "how long finding and reaching the server may take, over all its addresses (504)."),
    DURATION("handshake-timeout", P(handshake_timeout), 10, HOUR, "10s",
             "how long the TLS handshake with the server may take (504)."),
    DURATION("head-timeout", P(head_timeout), 10, HOUR, "15s",
             "how long a caller may take to send a request's head (408)."),
    DURATION("idle-timeout", P(idle_timeout), 10, 24 * HOUR, "75s",
             "how long a caller's connection is kept between two requests."),
    DURATION("body-timeout", P(body_timeout), 10, 24 * HOUR, "60s",
             "how long a caller may pause while it sends a body (408) or takes an answer."),
    DURATION("answer-timeout", P(answer_timeout), 10, 24 * HOUR, "450s",
             "how long the server may take for the first byte of an answer, and then between two "
             "(504). SuccessFactors itself gives up after 7 minutes."),
    DURATION(
        "dead-peer-timeout", P(dead_peer_timeout), 0, HOUR, "20s",
        "how long a server may acknowledge nothing of what it is sent, before it counts as gone "
        "(504): its machine, its address or the way to it. It is probed where it is waited for. "
        "One that is slow, but acknowledges, is not meant. 0 is no limit of its own."),
    DURATION(
        "pool-idle", P(pool_idle), 0, HOUR, "30s",
        "how long an unused connection to the server is kept, or as long as the server says in "
        "Keep-Alive, if that is less. 0 closes after every request."),
    DURATION("pool-age", P(pool_age), SECOND, 24 * HOUR, "10m",
             "how old a connection to the server may become before it is not used for another "
             "request; so addresses that move are followed."),
    DURATION("queue-timeout", P(queue_timeout), 10, HOUR, "10s",
             "how long a request may wait for a connection to the server (503)."),
    DURATION("drain-timeout", P(drain_timeout), 0, 24 * HOUR, "25s",
             "how long running requests may go on after SIGTERM or SIGINT."),
    DURATION("resolve-cache", P(resolve_cache), 0, HOUR, "30s",
             "how long the addresses of a server are remembered for new connections."),

    ROW("company-id", T(company_id), .set = option_set_company_id, .required = true, .type = "text",
        .help = "the tenant's company ID, case-sensitive; sent as successfactors-companyid."),
    ROW("server", T(server), .set = option_set_server, .required = true,
        .type = "HOST, HOST:PORT or https://HOST[:PORT]",
        .help = "the API server. For a host of SuccessFactors its certificate host is called: "
                "api4.successfactors.com becomes api4.cert.successfactors.com."),
    ROW("server-as-is", T(server_as_is), .set = option_set_bool, .choices = "no|yes",
        .fallback = "no", .type = "yes or no",
        .help = "yes calls `server` exactly as it is written."),
    ROW("certificate", T(identities[IDENTITY_CURRENT].certificate), .set = option_set_path,
        .required = true, .file = OPTION_READS, .type = "file",
        .help = "the client certificate with its chain, leaf first or not; the private key may be "
                "in the same file. PEM, base64 of PEM as BTP exports it, PKCS#12 or DER: the "
                "content tells."),
    ROW("private-key", T(identities[IDENTITY_CURRENT].private_key), .set = option_set_path,
        .file = OPTION_READS, .type = "file",
        .help = "the private key, when it is not in `certificate`."),
    ROW("insecure-key-file", T(allow_readable_key), .set = option_set_bool,
        .choices = "refuse|allow", .fallback = "refuse", .type = "refuse or allow",
        .help = "what becomes of a private key that every user of the machine may read."),
    ROW("passphrase-file", T(identities[IDENTITY_CURRENT].passphrase_file), .set = option_set_path,
        .file = OPTION_READS, .type = "file",
        .help = "holds the passphrase of an encrypted private key; one line end is cut off."),
    ROW("passphrase-env", T(identities[IDENTITY_CURRENT].passphrase_env), .set = option_set_text,
        .type = "name", .help = "the environment variable that holds the passphrase instead."),
    ROW("passphrase-credential", T(identities[IDENTITY_CURRENT].passphrase_credential),
        .set = option_set_text, .type = "name",
        .help = "the systemd credential (LoadCredential=) that holds the passphrase instead."),
    ROW("certificate-next", T(identities[IDENTITY_NEXT].certificate), .set = option_set_path,
        .file = OPTION_READS, .type = "file",
        .help = "a second certificate, which stands ready: when the server refuses the one in use "
                "and accepts the other, that one is used from then on. For a renewal that the "
                "server has yet to learn of."),
    ROW("private-key-next", T(identities[IDENTITY_NEXT].private_key), .set = option_set_path,
        .file = OPTION_READS, .type = "file",
        .help = "its private key, when it is not in `certificate-next`."),
    ROW("passphrase-file-next", T(identities[IDENTITY_NEXT].passphrase_file),
        .set = option_set_path, .file = OPTION_READS, .type = "file",
        .help = "holds the passphrase of that key."),
    ROW("passphrase-env-next", T(identities[IDENTITY_NEXT].passphrase_env), .set = option_set_text,
        .type = "name", .help = "the environment variable that holds it instead."),
    ROW("passphrase-credential-next", T(identities[IDENTITY_NEXT].passphrase_credential),
        .set = option_set_text, .type = "name",
        .help = "the systemd credential that holds it instead."),
    ROW("ca-file", T(ca_file), .set = option_set_path, .file = OPTION_READS, .type = "file",
        .help = "CA certificates (PEM) that the server's certificate must chain to. They replace "
                "the system's roots. Without it, those are used."),
    ROW("crl-file", T(crl_file), .set = option_set_path, .file = OPTION_READS, .type = "file",
        .help = "revocation lists (CRLs, PEM or DER) for the server's own certificate; those in "
                "ca-file are used as well. A server whose certificate is listed is refused, and so "
                "is one whose CA's list is past its end (nextUpdate). A certificate that no list "
                "covers passes, and the log says so."),
    ROW("connect-to", T(connect_to), .set = option_set_connect_to, .type = "HOST:PORT",
        .help = "connects there instead of to `server`, for tunnels and tests. Host, SNI and the "
                "check of the certificate still use `server`."),
    {.key = "header.*",
     .section = SECTION_TENANT,
     .set = option_set_header,
     .type = "text",
     .help = "header.NAME = VALUE adds a field to every request, in place of the caller's."},
    ROW("authorization", T(keep_authorization), .set = option_set_bool, .choices = "strip|keep",
        .fallback = "strip", .type = "strip or keep",
        .help = "what becomes of the caller's Authorization field. The certificate stands in for "
                "it, and a stale password would only be in the way. With keep, one that servers "
                "could read in different ways is refused (400)."),
    ROW("callers-file", T(callers_file), .set = option_set_path, .file = OPTION_READS,
        .type = "file",
        .help = "who may call: lines of user:hash as `htpasswd -B` writes them, the user being "
                "whole as it is sent (sfadmin@ACME). Then a request needs Basic credentials that "
                "fit, or gets 401; they are never sent on. bcrypt up to cost 12 (passwords of 72 "
                "bytes at most) and yescrypt up to j9T."),
    ROW("allow", T(rules), .set = option_set_allow, .repeats = true, .type = "list of METHOD PATH",
        .help = "what may be asked for; without a rule, everything. METHOD is GET (HEAD with it), "
                "GET|POST or * for any. A PATH that ends in * may go on with anything; elsewhere, "
                "once a segment, * is anything but '/'. Only a rule that says $batch covers that. "
                "What no rule covers gets 403, a path that could be read in two ways 400."),
    ROW("rewrite-links", T(rewrite_links), .set = option_set_bool, .choices = "off|on",
        .fallback = "on", .type = "on or off",
        .help =
            "on changes links to the server in its answers (JSON, XML, Location and the like) so "
            "that they lead through the proxy, and back again in requests; gzip and deflate are "
            "undone for it. off passes everything as it is."),
    {.key = "listen",
     .section = SECTION_TENANT,
     .set = option_set_nothing,
     .repeats = true,
     .type = "list of HOST:PORT, [IPV6]:PORT or unix:/path",
     .help = "listeners of this tenant's own: whoever calls there means this tenant."},
    ROW("max-upstream", T(max_upstream), .set = option_set_count, .min = 1, .max = 100000,
        .fallback = "64", .type = "number",
        .help = "connections to the server at once; requests beyond that wait in the queue."),
    ROW("require-client-certificate-request", T(require_choice), .set = option_set_choice,
        .choices = "auto|no|yes", .fallback = "auto", .type = "yes, no or auto",
        .help = "yes refuses a server that never asks for the client certificate: then something "
                "between here and there inspects TLS, or `server` is wrong. auto is yes for the "
                "certificate hosts of SuccessFactors and no for others."),

};

const struct option *option_table(size_t *count)
{
    *count = ARRAY_LEN(table);
    return table;
}

static bool key_matches(const struct option *o, const char *key)
{
    size_t n = strlen(o->key);

    if (o->key[n - 1] == '*')
        return strncmp(key, o->key, n - 1) == 0;
    return strcmp(key, o->key) == 0;
}

const struct option *option_find(enum option_section section, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].section == section && key_matches(&table[i], key))
            return &table[i];
    return NULL;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Levenshtein's distance; texts longer than the row are far from everything. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);

    if (n >= ARRAY_LEN(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

const char *option_nearest(enum option_section section, const char *key)
{
    const char *nearest = NULL;
    size_t best = strlen(key) / 3 + 2;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        size_t d = distance(key, table[i].key);
        if (table[i].section == section && d < best) {
            best = d;
            nearest = table[i].key;
        }
    }
    return nearest;
}
