/** What of a running master can be changed, and when that counts. */
export const CHANGES_SECTION = `## Changing it while it runs

\`hsu-master reload\` has the master read its file anew, \`hsu-master diff\` says before what that would change, and \`hsu-master apply FILE\` takes another file. A master
in the background does the same at SIGHUP. A file that is not valid changes nothing. What is described as before is not touched.

| changed | counts |
| --- | --- |
| command, arguments, environment, directory, user, \`port\`, \`main_process\`, where output goes and its form, group or namespace with limits | the worker restarts: dependents that restart as well end before it, and begin after it |
| \`discovery\` and \`control\` of an unmanaged unit | its process is let go, and looked for anew |
| limits, restart policy, probes, \`stop_signal\`, \`stop_timeout\`, \`depends_on\`, \`process_file\`, limits of groups and namespaces, targets and alerts that come or go | at once, the process runs on |
| rotation and compression of log files, what is done with lines, \`limits.required\` | with the next run of the worker |
| \`enabled\` | at once: it is stopped, or started unless an operator has stopped it |
| \`master.force_shutdown_timeout\`, \`on_master_exit\` | at once |
| \`api\`, \`master.port\`, settings of a target that stays, how long files are kept | with the next start of the master |

An applied text, and workers that were created, replaced or removed over the API, are kept in \`configuration.json\` of the state directory: the next master begins with
them. When the file has been edited since, the file counts; workers that were created over the API and are not in it stay until they are removed.`;
