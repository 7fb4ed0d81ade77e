#include "cli/demo_fault.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#define JSON "application/json;charset=utf-8"
#define HTML "text/html;charset=utf-8"
#define PAGE(title)                                                                                \
    "<html>\r\n<head><title>" title "</title></head>\r\n<body>\r\n<center><h1>" title              \
    "</h1></center>\r\n</body>\r\n</html>\r\n"
#define GATE(text)                                                                                 \
    "{\"error\":{\"code\":\"AuthenticationFailed\",\"message\":\"Authentication service failed "   \
    "to return token.\",\"details\":\"" text "\"}}\n"
#define LOGIN(text)                                                                                \
    "{\"error\":{\"code\":\"LOGIN\",\"message\":{\"lang\":\"en-US\",\"value\":\"" text "\"}}}\n"

static const struct demo_fault faults[] = {
    {.name = "name",
     .summary = "the server's name does not exist",
     .server = "nowhere.invalid",
     .connect_to = ""},
    {.name = "refused",
     .summary = "nothing listens at the server's port",
     .connect_to = "127.0.0.1:1"},
    {.name = "not-tls", .summary = "the server does not speak TLS", .plain = true},
    {.name = "server-self-signed",
     .summary = "the server's certificate is signed by itself",
     .self_signed = true},
    {.name = "server-ca", .summary = "the server's CA is not in ca-file", .of_another_ca = true},
    {.name = "server-expired",
     .summary = "the server's certificate has expired",
     .begins_days = -9,
     .days = -1},
    {.name = "server-not-yet-valid",
     .summary = "the server's certificate is not valid yet",
     .begins_days = 1,
     .days = 9},
    {.name = "server-name",
     .summary = "the server's certificate has another name",
     .alt_names = "DNS:elsewhere.example"},
    {.name = "never-asks",
     .summary = "the server never asks for the client certificate",
     .status = 401,
     .content_type = JSON,
     .never_asks = true,
     .body = LOGIN("[LGN0003]Authentication information is missing. Please use OAuth 2.0 to "
                   "authenticate the user.")},
    {.name = "expired",
     .summary = "the client certificate has expired",
     .client_begins_days = -9,
     .client_days = -1},
    {.name = "not-yet-valid",
     .summary = "the client certificate is not valid yet",
     .client_begins_days = 1,
     .client_days = 9},
    {.name = "no-client-auth",
     .summary = "the client certificate is not made for clients",
     .client_for_server = true},
    {.name = "client-ca",
     .summary = "the server does not accept the CA of the client certificate",
     .client_of_another_ca = true},
    {.name = "edge-error",
     .summary = "the page of the edge that says SSL certificate error",
     .status = 400,
     .content_type = HTML,
     .body = PAGE("400 The SSL certificate error")},
    {.name = "edge-no-certificate",
     .summary = "the page of the edge that saw no certificate",
     .status = 400,
     .content_type = HTML,
     .body = PAGE("400 No required SSL certificate was sent")},
    {.name = "company", .summary = "the company ID is wrong (AUTH0032)", .company_id = "Demo"},
    {.name = "no-mapping",
     .summary = "the certificate has no mapping (AUTH0032)",
     .status = 401,
     .content_type = JSON,
     .body = GATE("[AUTH0032]Invalid client certificate")},
    {.name = "permission",
     .summary = "the mapped user lacks a permission (LGN0002)",
     .status = 403,
     .content_type = JSON,
     .body = LOGIN("[LGN0002]The user does not have the OData Admin access permission.")},
    {.name = "plain-host",
     .summary = "the plain API host was called (LGN0003)",
     .status = 401,
     .content_type = JSON,
     .never_asks = true,
     .more = "require-client-certificate-request = no\n",
     .body = LOGIN("[LGN0003]Authentication information is missing. Please use OAuth 2.0 to "
                   "authenticate the user.")},
    {.name = "ui-host",
     .summary = "a host of the user interface was called (LGN0004)",
     .status = 403,
     .content_type = JSON,
     .body = LOGIN("[LGN0004]Accessing OData API on non-API servers is forbidden.")},
    {.name = "company-not-found",
     .summary = "the company is not on this server (LGN0008)",
     .status = 403,
     .content_type = JSON,
     .body = LOGIN("[LGN0008]Company not found.")},
    {.name = "address",
     .summary = "the user may not call from this address (LGN0013)",
     .status = 403,
     .content_type = JSON,
     .body = LOGIN("[LGN0013]The system prevented login from an unauthorized ip.")},
    {.name = "session",
     .summary = "the SFAPI session is over",
     .status = 500,
     .content_type = "text/xml",
     .body = "<error><errorCode>INVALID_SESSION</errorCode><errorMessage>Invalid SFAPI "
             "session</errorMessage></error>"},
    {.name = "metadata",
     .summary = "the metadata is being generated",
     .status = 500,
     .content_type = JSON,
     .body = LOGIN("OData metadata is being generated in another thread.")},
    {.name = "too-many",
     .summary = "too many requests (429)",
     .status = 429,
     .content_type = JSON,
     .body = "{}\n"},
    {.name = "maintenance",
     .summary = "planned maintenance (503)",
     .status = 503,
     .content_type = HTML,
     .body = PAGE("Scheduled Maintenance")},
    {.name = "bad-gateway",
     .summary = "an error of the gateway (502)",
     .status = 502,
     .content_type = HTML,
     .body = PAGE("We're Sorry...")},
    {.name = "gateway-timeout",
     .summary = "the gateway waited too long (504)",
     .status = 504,
     .content_type = HTML,
     .body = PAGE("We're Sorry...")},
    {.name = "clock",
     .summary = "the clocks differ by two days; see `sfmtls check`",
     .date_days = 2},
};

const struct demo_fault *demo_faults(size_t *count)
{
    *count = sizeof(faults) / sizeof(faults[0]);
    return faults;
}

const struct demo_fault *demo_fault_find(const char *name)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        if (strcmp(faults[i].name, name) == 0)
            return &faults[i];
    return NULL;
}

const struct demo_fault *demo_fault_any(void)
{
    uint32_t chance = 0;

    (void)!getrandom(&chance, sizeof(chance), GRND_NONBLOCK);
    return &faults[chance % (sizeof(faults) / sizeof(faults[0]))];
}
