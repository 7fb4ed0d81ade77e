#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "sf/hosts.h"

static int command(int argc, char **argv)
{
    size_t count;
    const struct sf_host *hosts = sf_hosts(&count);

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return cli_help_of(&command_hosts);
    if (argc > 1)
        return cli_usage("hosts", "hosts takes no arguments");
    for (size_t i = 0; i < count; i++)
        (void)printf("%-5s %-11s %-33s %-39s %s\n", hosts[i].data_center, hosts[i].environment,
                     hosts[i].api, hosts[i].certificate, hosts[i].verified ? "documented" : "rule");
    return EXIT_DONE;
}

const struct command command_hosts = {
    "hosts", "", "list the known API servers and their certificate hosts",
    "Columns: data center, environment, API server, certificate host, and the source of the "
    "last:\n"
    "documented (by SAP), or rule (`.cert` follows the first label, as in all documented ones).\n",
    command};
