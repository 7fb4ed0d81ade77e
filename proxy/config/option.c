#include "config/option.h"

#include <stdlib.h>
#include <string.h>

#include "base/similar.h"
#include "config/option_parent.h"
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
     .help =
         "The addresses where callers connect: loopback addresses and Unix sockets; others need "
         "allow-remote. Port 0 picks a free port. localhost:PORT takes the port on 127.0.0.1 and "
         "on [::1], so that no other program receives what callers send to localhost. The default "
         "applies only if no `listen` is set anywhere, tenants included."},
    ROW("admin", P(admins), .reload = OPTION_AT_START, .example = "localhost:8081",
        .set = option_set_admin, .type = "HOST:PORT, [IPV6]:PORT or unix:/path",
        .help = "A listener that reports the state of the process: / for browsers, /live, "
                "/startup and /ready for probes, /metrics for Prometheus, /status as JSON with "
                "tenants, certificates in use, and why a reload was "
                "refused. An address that other machines can reach requires allow-remote and "
                "admin-token-file."),
    ROW("admin-allow-uid", P(admin_allow_uid), .example = "root, 1000", .set = option_set_allow_uid,
        .repeats = true, .type = "list of uids or user names, or any",
        .help = "The users of this machine who may connect to `admin`. The default is what "
                "allow-uid says. They may not call for that reason."),
    ROW("admin-token-file", P(admin_token_file), .example = "admin-tokens", .set = option_set_path,
        .file = OPTION_READS, .type = "file",
        .help = "A file of tokens like caller-token-file, for `admin` alone. Whoever asks must "
                "then send one as Authorization: Bearer TOKEN, but for the plain answers of /live, "
                "/startup, /ready and /health. These tokens permit no calls, and the tokens of "
                "caller-token-file are not accepted there. Without this option, `admin` accepts "
                "the tokens of caller-token-file, if there are any."),
    ROW("admin-actions", P(admin_actions), .set = option_set_bool, .choices = "no|yes",
        .fallback = "no", .type = "yes or no",
        .help = "yes lets those who may connect to `admin` end and reload sfmtls: POST /quit and "
                "POST /reload, or `sfmtls quit` and `sfmtls reload`. Web pages never can."),
    ROW("allow-uid", P(allow_uid), .example = "root, 1000", .set = option_set_allow_uid,
        .repeats = true, .type = "list of uids or user names, or any",
        .help = "The users of this machine who may connect; others get 403. This applies to Unix "
                "sockets and, where Linux reports the user, to TCP. The default is the user that "
                "sfmtls runs as, and root; a list replaces both. Uids are those of the user "
                "namespace that sfmtls runs in; unmapped users appear as 65534."),
    {.key = "socket-mode",
     .section = SECTION_PROXY,
     .set = option_set_socket_mode,
     .fallback = "0600",
     .type = "octal number",
     .help = "The mode of the Unix sockets that sfmtls listens on. Users other than sfmtls's own "
             "also need allow-uid."},
    {.key = "socket-group",
     .section = SECTION_PROXY,
     .example = "1000",
     .set = option_set_socket_group,
     .type = "name or gid",
     .help = "The group of these sockets, for socket-mode = 0660. List its users in allow-uid."},
    ROW("allow-remote", P(allow_remote), .set = option_set_bool, .choices = "no|yes",
        .fallback = "no", .type = "yes or no",
        .help = "yes permits listeners that other machines can reach (0.0.0.0:8080), over plain "
                "HTTP. It requires a caller-token-file, or a callers-file in every tenant that can "
                "be reached there."),
    ROW("caller-token-file", P(token_file), .example = "caller-tokens", .set = option_set_path,
        .file = OPTION_READS, .type = "file",
        .help = "A file of tokens, one of at least 16 characters in each line. Every request must "
                "then have one, as X-Sfmtls-Token: TOKEN or Proxy-Authorization: Bearer TOKEN; "
                "without one it gets 401 or 407. Requests inside a CONNECT use the token of the "
                "CONNECT. Tokens are never sent on."),
    ROW("host-names", P(host_names), .example = "sfmtls.example.com", .set = option_set_host_names,
        .repeats = true, .type = "list of names and addresses",
        .help = "Further names of the proxy itself, besides localhost and the address of an "
                "allow-remote listener. Requests for other names get 421."),
    ROW("allow-origin", P(origins), .example = "https://app.example.com",
        .set = option_set_allow_origin, .repeats = true, .type = "list of SCHEME://HOST[:PORT]",
        .help = "The origins of web pages that may call and read the answers; other pages get 403. "
                "The proxy answers the preflight requests of these pages."),
    ROW("allow-forwarded", P(allow_forwarded), .set = option_set_bool, .choices = "no|yes",
        .fallback = "no", .type = "yes or no",
        .help = "yes accepts requests with Forwarded, X-Forwarded-* or X-Real-IP on loopback "
                "addresses and Unix sockets. They come through another proxy, whose callers may be "
                "anybody. The fields are never sent on."),
    ROW("workers", P(workers), .reload = OPTION_AT_START, .set = option_set_workers, .min = 1,
        .max = 64, .fallback = "1", .type = "number or auto",
        .help = "The number of threads that serve. One is enough for most uses; auto is one for "
                "each processor."),
    ROW("log", P(log_path), .reload = OPTION_AT_START, .set = option_set_log, .fallback = "stderr",
        .file = OPTION_APPENDS, .type = "stderr or a file",
        .help = "Where the log goes: one line for each exchange. SIGUSR1 opens the file again."),
    ROW("log-format", P(log_format), .reload = OPTION_AT_START, .set = option_set_choice,
        .choices = "text|json", .fallback = "text", .type = "text or json",
        .help = "The format of a log line."),
    ROW("log-level", P(log_level), .set = option_set_choice,
        .choices = "error|warning|notice|debug", .fallback = "notice",
        .type = "error, warning, notice or debug",
        .help =
            "How much of what the program says about itself is logged. debug traces each step of "
            "each exchange, with the id of its request: for the search of a fault, since it costs "
            "time and room. The line for each exchange is written at every level."),
    ROW("log-path", P(path_mode), .reload = OPTION_AT_START, .set = option_set_choice,
        .choices = "masked|full|off", .fallback = "masked", .type = "masked, full or off",
        .help = "How much of a request's path is logged. masked hides keys and literals, which are "
                "personal data in OData. The query is never logged."),
    ROW("log-caller", P(log_caller), .reload = OPTION_AT_START, .set = option_set_bool,
        .choices = "off|on", .fallback = "on", .type = "on or off",
        .help = "on names the caller in each line: the user of callers-file whose password was "
                "right, else the uid of a process of this machine, else the address. This is "
                "personal data; off leaves it out."),

    ROW("hints", P(hints), .set = option_set_bool, .choices = "off|on", .fallback = "on",
        .type = "on or off",
        .help = "on adds the field Sfmtls-Hint to errors of the server whose cause sfmtls knows: a "
                "code, the cause and the cure. For that, the head of an error waits for the first "
                "4 KiB of its content, at most one second. off adds nothing."),
    ROW("server-timing", P(server_timing), .set = option_set_bool, .choices = "off|on",
        .fallback = "off", .type = "on or off",
        .help = "on adds the field Server-Timing to answers of the server: how long the request "
                "waited in the queue, for the name, the connection and TLS, and then for the "
                "answer, in milliseconds."),

    ROW("sandbox", P(sandbox), .reload = OPTION_AT_START, .set = option_set_bool,
        .choices = "off|on", .fallback = "on", .type = "on or off",
        .help = "on confines the process (Landlock and seccomp, as far as the kernel has them): it "
                "can read the system's files and the folders of the configured files, write into "
                "the folders of the log and of Unix sockets, and start no program. A reload cannot "
                "reach files in other folders; a restart can."),
    ROW("user", P(user), .reload = OPTION_AT_START, .example = "sfmtls", .set = option_set_text,
        .type = "name",
        .help = "The user that sfmtls becomes after root has started it and listeners, log and "
                "files are open. That user must be able to read the files again for a reload."),

    ROW("max-connections", P(max_connections), .set = option_set_count, .min = 1, .max = 1000000,
        .fallback = "10000", .type = "number",
        .help = "Connections of callers at the same time. One more gets 503."),
    ROW("max-connections-per-caller", P(per_caller), .set = option_set_per_caller, .min = 1,
        .max = 1000000, .fallback = "auto", .type = "number, none or auto",
        .help =
            "Connections of one caller at the same time. One more gets 503. A caller is a user of "
            "this machine, or the address of another machine. auto is three quarters of "
            "max-connections for other machines and if allow-uid lists several users, else none."),
    ROW("max-requests", P(max_requests), .set = option_set_count, .min = 0, .max = 1000000000,
        .fallback = "0", .type = "number",
        .help = "Requests on one connection. The answer to the last one says Connection: close. 0 "
                "means no limit."),
    ROW("queue", P(queue), .set = option_set_count, .min = 0, .max = 1000000, .fallback = "1000",
        .type = "number",
        .help = "Requests that may wait for a connection to a server. One more gets 503."),
    ROW("max-head", P(max_head), .set = option_set_size, .min = 1024, .max = 1048576,
        .fallback = "64k", .type = "size",
        .help = "The largest head of a request (a larger one gets 431) or of an answer (502)."),
    ROW("max-fields", P(max_fields), .set = option_set_count, .min = 10, .max = 10000,
        .fallback = "200", .type = "number",
        .help = "The most fields in a request (one with more gets 431) or in an answer (502)."),
    ROW("max-target", P(max_target), .set = option_set_size, .min = 256, .max = 1048576,
        .fallback = "16k", .type = "size",
        .help = "The longest request target (a longer one gets 414)."),

    ROW("local-ca", P(local_ca_folder), .example = "ca", .set = option_set_path, .type = "folder",
        .help =
            "The folder in which `sfmtls ca init` put the local CA. sfmtls needs the CA to answer "
            "a CONNECT (https_proxy) to a configured server. Without the option, sfmtls uses a CA "
            "in $XDG_DATA_HOME/sfmtls/ca (~/.local/share/sfmtls/ca), or in /var/lib/sfmtls/ca if "
            "the configuration is in /etc/sfmtls or there is no home directory."),
    ROW("connect-other", P(connect_other), .set = option_set_choice, .choices = "refuse|tunnel",
        .fallback = "refuse", .type = "refuse or tunnel",
        .help = "What happens to a CONNECT to anything but a configured server. tunnel passes the "
                "bytes through, unread, to the places in connect-allow. All others get 403."),
    ROW("connect-allow", P(connect_allow), .example = "login.example.com:443",
        .set = option_set_connect_allow, .repeats = true, .type = "list of HOST:PORT",
        .help = "The places that connect-other = tunnel may reach. A name must not resolve to an "
                "address of this machine or of a private network; to reach one, list the address "
                "itself. Through a parent proxy, only that proxy knows what a name resolves to."),
    PARENT_ROWS(P, "The company's proxy, through which servers and the places of connect-allow are "
                   "reached (CONNECT), and BTP, with certificate-source."),

    DURATION("connect-timeout", P(connect_timeout), 10, HOUR, "10s",
             "The time to resolve the server's name and to connect, over all its addresses (504)."),
    DURATION("handshake-timeout", P(handshake_timeout), 10, HOUR, "10s",
             "The time for the TLS handshake with the server (504)."),
    DURATION("head-timeout", P(head_timeout), 10, HOUR, "15s",
             "The time for a caller to send the head of a request (408)."),
    DURATION("idle-timeout", P(idle_timeout), 10, 24 * HOUR, "75s",
             "How long a caller's connection stays open between two requests."),
    DURATION("body-timeout", P(body_timeout), 10, 24 * HOUR, "60s",
             "How long a caller may pause while it sends a body (408) or reads an answer."),
    DURATION("answer-timeout", P(answer_timeout), 10, 24 * HOUR, "450s",
             "How long the server may take for the first byte of an answer, and then between two "
             "bytes (504). SuccessFactors itself gives up after 7 minutes."),
    DURATION(
        "dead-peer-timeout", P(dead_peer_timeout), 0, HOUR, "20s",
        "How long a server may acknowledge nothing that it is sent before the request fails (504): "
        "the machine, its address or the network path is gone. sfmtls probes a server that it "
        "waits for. A slow server that acknowledges is not affected. 0 turns the check off."),
    DURATION(
        "pool-idle", P(pool_idle), 0, HOUR, "30s",
        "How long an unused connection to the server stays open. A shorter time in the server's "
        "Keep-Alive field takes precedence. 0 closes the connection after every request."),
    DURATION("pool-age", P(pool_age), SECOND, 24 * HOUR, "10m",
             "The age at which a connection to the server is no longer used for new requests, so "
             "that sfmtls follows a server to new addresses."),
    DURATION("queue-timeout", P(queue_timeout), 10, HOUR, "10s",
             "How long a request may wait for a connection to the server (503)."),
    DURATION("drain-timeout", P(drain_timeout), 0, 24 * HOUR, "25s",
             "How long running requests may continue after SIGTERM or SIGINT."),
    DURATION("resolve-cache", P(resolve_cache), 0, HOUR, "30s",
             "How long the addresses of a server are remembered for new connections."),

    ROW("company-id", T(company_id), .example = "ACME", .set = option_set_company_id,
        .required = true, .type = "text",
        .help =
            "The company ID of the tenant. Case matters. It is sent as successfactors-companyid."),
    ROW("server", T(server), .example = "api4.successfactors.com", .set = option_set_server,
        .required = true, .type = "HOST, HOST:PORT or https://HOST[:PORT]",
        .help = "The API server. For a SuccessFactors host, sfmtls calls the certificate host: "
                "api4.successfactors.com becomes api4.cert.successfactors.com."),
    ROW("server-as-is", T(server_as_is), .set = option_set_bool, .choices = "no|yes",
        .fallback = "no", .type = "yes or no", .help = "yes calls `server` exactly as written."),
    ROW("certificate", T(identities[IDENTITY_CURRENT].certificate), .example = "acme.pem",
        .set = option_set_path, .required = true, .file = OPTION_READS, .type = "file",
        .help = "The client certificate with its chain, in any order. The file may also hold the "
                "private key. It is PEM, base64 of PEM as BTP exports it, PKCS#12 or DER; the "
                "content decides. With certificate-source = destination-service, leave it out."),
    ROW("private-key", T(identities[IDENTITY_CURRENT].private_key), .example = "acme.key",
        .set = option_set_path, .file = OPTION_READS, .type = "file",
        .help = "The private key, if it is not in `certificate`."),
    ROW("insecure-key-file", T(allow_readable_key), .set = option_set_bool,
        .choices = "refuse|allow", .fallback = "refuse", .type = "refuse or allow",
        .help = "What happens if every user of the machine may read the private key."),
    ROW("passphrase-file", T(identities[IDENTITY_CURRENT].passphrase_file), .example = "acme.pass",
        .set = option_set_path, .file = OPTION_READS, .type = "file",
        .help = "A file with the passphrase of an encrypted private key. One line end is removed."),
    ROW("passphrase-env", T(identities[IDENTITY_CURRENT].passphrase_env),
        .example = "ACME_PASSPHRASE", .set = option_set_text, .type = "name",
        .help = "The environment variable that holds the passphrase instead."),
    ROW("passphrase-credential", T(identities[IDENTITY_CURRENT].passphrase_credential),
        .example = "acme-passphrase", .set = option_set_text, .type = "name",
        .help = "The systemd credential (LoadCredential=) that holds the passphrase instead."),
    ROW("certificate-next", T(identities[IDENTITY_NEXT].certificate), .example = "acme-next.pem",
        .set = option_set_path, .file = OPTION_READS, .type = "file",
        .help = "A second certificate, for a renewal that the server does not know yet. When the "
                "server refuses the certificate in use and accepts the other one, sfmtls uses the "
                "other one from then on."),
    ROW("private-key-next", T(identities[IDENTITY_NEXT].private_key), .example = "acme-next.key",
        .set = option_set_path, .file = OPTION_READS, .type = "file",
        .help = "The private key of `certificate-next`, if it is not in that file."),
    ROW("passphrase-file-next", T(identities[IDENTITY_NEXT].passphrase_file),
        .example = "acme-next.pass", .set = option_set_path, .file = OPTION_READS, .type = "file",
        .help = "A file with the passphrase of that key."),
    ROW("passphrase-env-next", T(identities[IDENTITY_NEXT].passphrase_env),
        .example = "ACME_NEXT_PASSPHRASE", .set = option_set_text, .type = "name",
        .help = "The environment variable that holds that passphrase instead."),
    ROW("passphrase-credential-next", T(identities[IDENTITY_NEXT].passphrase_credential),
        .example = "acme-next-passphrase", .set = option_set_text, .type = "name",
        .help = "The systemd credential that holds that passphrase instead."),
    ROW("certificate-source", T(fetch.source), .set = option_set_choice,
        .choices = "file|destination-service", .fallback = "file",
        .type = "file or destination-service",
        .help = "destination-service fetches the certificate from SAP BTP into certificate-store, "
                "and again before it ends; `certificate` is not set then. A process of its own "
                "does it, the only one that reads the service key. It starts with sfmtls, so the "
                "first tenant with this option needs a restart."),
    ROW("service-key-file", T(fetch.service_key_file), .example = "/var/lib/sfmtls/btp/key.json",
        .set = option_set_path, .file = OPTION_APART, .type = "file",
        .help = "The JSON of a service key of BTP's Destination service. Its folder must be none "
                "that the process which serves may read: not /etc, and not that of another "
                "configured file."),
    ROW("certificate-name", T(fetch.name), .example = "sfmtls.pem", .set = option_set_text,
        .type = "text", .help = "The name of the certificate in BTP, with its ending."),
    ROW("certificate-level", T(fetch.level), .set = option_set_choice,
        .choices = "subaccount|instance", .fallback = "subaccount",
        .type = "subaccount or instance",
        .help = "Whose certificate it is in BTP: the subaccount's, or the service instance's."),
    ROW("certificate-store", T(fetch.store), .example = "/var/lib/sfmtls/store/acme",
        .set = option_set_path, .type = "folder",
        .help = "The folder, mode 0700 and of this tenant alone, into which the certificate is "
                "fetched."),
    ROW("ca-file", T(ca_file), .example = "corporate-ca.pem", .set = option_set_path,
        .file = OPTION_READS, .type = "file",
        .help = "CA certificates (PEM) that the server's certificate must chain to. They replace "
                "the system's roots."),
    ROW("crl-file", T(crl_file), .example = "corporate-ca.crl", .set = option_set_path,
        .file = OPTION_READS, .type = "file",
        .help = "Certificate revocation lists (CRLs, PEM or DER) for the server's own certificate, "
                "in addition to those in ca-file. A server is refused if its certificate is "
                "listed, or if its CA's list is past its nextUpdate. A certificate that no list "
                "covers is accepted, and the log warns of it."),
    ROW("connect-to", T(connect_to), .example = "127.0.0.1:9443", .set = option_set_connect_to,
        .type = "HOST:PORT",
        .help = "The address to connect to instead of `server`, for tunnels and tests. Host, SNI "
                "and the verification of the certificate still use `server`."),
    PARENT_ROWS(T,
                "The proxy through which the server is reached, and BTP, for this tenant in place "
                "of the one in [proxy]; none connects directly."),
    {.key = "header.*",
     .section = SECTION_TENANT,
     .example = "value",
     .set = option_set_header,
     .type = "text",
     .help = "header.NAME = VALUE adds a field to every request and replaces the caller's."},
    ROW("authorization", T(keep_authorization), .set = option_set_bool, .choices = "strip|keep",
        .fallback = "strip", .type = "strip or keep",
        .help = "What happens to the caller's Authorization field. strip removes it, because the "
                "certificate replaces it and a stale password could only do harm. keep sends it; "
                "credentials that servers could read in different ways are then refused (400)."),
    ROW("callers-file", T(callers_file), .example = "acme.callers", .set = option_set_path,
        .file = OPTION_READS, .type = "file",
        .help = "A file of user:hash lines as `htpasswd -B` writes them. The user is the whole "
                "name as sent (sfadmin@ACME). Every request must then have Basic credentials from "
                "the file, or it gets 401. The credentials are never sent on. Hashes are bcrypt up "
                "to cost 12 (passwords of at most 72 bytes) or yescrypt up to j9T."),
    ROW("allow", T(rules), .example = "GET /odata/v2/*", .set = option_set_allow, .repeats = true,
        .type = "list of METHOD PATH",
        .help = "The requests that may be sent; without a rule, all. METHOD is GET (which includes "
                "HEAD), several methods such as GET|POST, or * for any. A * at the end of PATH "
                "covers any rest; elsewhere, once a segment, it covers anything but '/'. Only a "
                "rule that names $batch covers $batch. A request that no rule covers gets 403. A "
                "path that could be read in two ways gets 400."),
    ROW("rewrite-links", T(rewrite_links), .set = option_set_bool, .choices = "off|on",
        .fallback = "on", .type = "on or off",
        .help = "on rewrites links to the server in answers (JSON, XML, Location and similar "
                "places) so that they lead through the proxy, and does the reverse in requests. "
                "gzip and deflate are decoded for this. off passes everything unchanged."),
    {.key = "listen",
     .section = SECTION_TENANT,
     .example = "localhost:8090",
     .set = option_set_nothing,
     .repeats = true,
     .type = "list of HOST:PORT, [IPV6]:PORT or unix:/path",
     .help = "Listeners of this tenant alone. A request that comes through one of them is for this "
             "tenant."},
    ROW("max-upstream", T(max_upstream), .set = option_set_count, .min = 1, .max = 100000,
        .fallback = "64", .type = "number",
        .help = "Connections to the server at the same time. Further requests wait in the queue."),
    {.key = "rate",
     .section = SECTION_TENANT,
     .set = option_set_rate,
     .repeats = true,
     .fallback = "/rest/iam/scim/v2/* 20/s",
     .type = "list of PATH N/s, or off",
     .help =
         "How many requests the server is sent in any second, over all callers, for paths that "
         "fit PATH: as for `allow`, * is a rest or a part of a segment. Further requests wait in "
         "the queue; callers take turns. The first PATH that fits a request counts. What is set "
         "replaces the default, which is what SuccessFactors permits for SCIM. off means no "
         "limit."},
    ROW("respect-retry-after", T(respect_retry_after), .set = option_set_bool, .choices = "off|on",
        .fallback = "on", .type = "on or off",
        .help = "on heeds a server that answers 429 or 503 with Retry-After: further requests for "
                "the same `rate` path, else for the same first two segments of the path, wait in "
                "the queue that long (at most 15 minutes), or get 503 with Retry-After after "
                "queue-timeout. off sends on."),
    ROW("session-reuse", T(session_reuse), .set = option_set_bool, .choices = "off|on",
        .fallback = "off", .type = "on or off",
        .help = "on keeps the server's session for callers that send no cookies, so that the "
                "server need not log in anew for each request: JSESSIONID, the load balancer's "
                "cookie and X-CSRF-Token, for 10 minutes after the last request. Each user of "
                "callers-file, else each user of this machine, has a session of their own; other "
                "callers have none. A request with cookies of its own is not touched."),
    ROW("require-client-certificate-request", T(require_choice), .set = option_set_choice,
        .choices = "auto|no|yes", .fallback = "auto", .type = "yes, no or auto",
        .help = "yes refuses a server that never asks for the client certificate, because "
                "something in between inspects TLS or `server` is wrong. auto means yes for the "
                "certificate hosts of SuccessFactors and no for others."),

};

_Static_assert(ARRAY_LEN(table) <= OPTIONS_MAX,
               "struct config and struct tenant have a place for each");

const struct option *option_table(size_t *count)
{
    *count = ARRAY_LEN(table);
    return table;
}

bool option_is_prefix(const struct option *o)
{
    return o->key[strlen(o->key) - 1] == '*';
}

static bool key_matches(const struct option *o, const char *key)
{
    if (option_is_prefix(o))
        return strncmp(key, o->key, strlen(o->key) - 1) == 0;
    return strcmp(key, o->key) == 0;
}

const struct option *option_find(enum option_section section, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].section == section && key_matches(&table[i], key))
            return &table[i];
    return NULL;
}

size_t option_index(enum option_section section, const char *key)
{
    return (size_t)(option_find(section, key) - table);
}

static bool is_text(const struct option *o)
{
    return o->set == option_set_text || o->set == option_set_path || o->set == option_set_log ||
           o->set == option_set_company_id || o->set == option_set_parent_proxy ||
           o->set == option_set_ccache;
}

void option_free_texts(enum option_section section, void *values)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].section == section && is_text(&table[i]))
            free(*(char **)(void *)((char *)values + table[i].offset));
}

static void offer_all(enum option_section section, struct similar *s)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].section == section)
            similar_offer(s, table[i].key);
}

const char *option_nearest(enum option_section section, const char *key)
{
    struct similar s = similar_to(key);

    offer_all(section, &s);
    return s.name;
}

const char *option_nearest_of_all(const char *key)
{
    struct similar s = similar_to(key);

    offer_all(SECTION_PROXY, &s);
    offer_all(SECTION_TENANT, &s);
    return s.name;
}
