#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "sf/hosts.h"

int command_hosts(int argc, char **argv)
{
    size_t count;
    const struct sf_host *hosts = sf_hosts(&count);

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return cli_help_of("hosts");
    if (argc > 1)
        return cli_usage("hosts", "hosts takes no arguments");
    for (size_t i = 0; i < count; i++)
        (void)printf("%-5s %-11s %-33s %-39s %s\n", hosts[i].data_center, hosts[i].environment,
                     hosts[i].api, hosts[i].certificate, hosts[i].verified ? "documented" : "rule");
    return EXIT_DONE;
}
