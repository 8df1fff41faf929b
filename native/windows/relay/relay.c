/* hsu_relay.exe EVENT PID:STARTED ...
 *
 * Sends a console event (0 Ctrl-C, 1 Ctrl-Break) to everybody on the consoles of these processes, or (2) Ctrl-Break to the process group
 * that each of them is the first of, and to nobody else. A process has one console, and events reach only those who share it: so this is
 * a process of its own, which gives up its console for theirs, one after the other. STARTED is the time of creation in microseconds since
 * 1970, which keeps a reused pid from being asked.
 *
 * Exit code: 0 every process that is alive was asked; 1 some could not be, they have no console; 2 wrong arguments.
 */

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <stdlib.h>

#define MOST_SHARERS 1024

/* Not a number of the system's. */
#define BREAK_GROUP 2

static BOOL WINAPI survive(DWORD event) {
  (void)event;
  return TRUE;
}

/* The process, held so that its pid stays its own; NULL: it is gone. */
static HANDLE hold(DWORD pid, unsigned long long started) {
  const unsigned long long epoch = 116444736000000000ULL;
  FILETIME created, exited, kernel, user;
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
  if (process == NULL) return NULL;
  if (WaitForSingleObject(process, 0) == WAIT_TIMEOUT && GetProcessTimes(process, &created, &exited, &kernel, &user)) {
    unsigned long long ticks = ((unsigned long long)created.dwHighDateTime << 32) | created.dwLowDateTime;
    if (ticks >= epoch && (ticks - epoch) / 10 == started) return process;
  }
  CloseHandle(process);
  return NULL;
}

static int is_among(DWORD pid, const DWORD *pids, DWORD count) {
  for (DWORD at = 0; at < count; at++)
    if (pids[at] == pid) return 1;
  return 0;
}

/* Numbers only, so that no special entry point is needed. */
int main(int argc, char **argv) {
  static DWORD asked[4 * MOST_SHARERS], sharers[MOST_SHARERS];
  DWORD asked_count = 0, event;
  int missed = 0;
  if (argc < 3) return 2;
  event = (DWORD)strtoul(argv[1], NULL, 10);
  if (event > BREAK_GROUP) return 2;
  for (int at = 2; at < argc; at++) {
    char *rest = NULL;
    DWORD pid = (DWORD)strtoul(argv[at], &rest, 10);
    HANDLE process;
    if (pid == 0 || rest == NULL || *rest != ':') return 2;
    if (is_among(pid, asked, asked_count)) continue;
    process = hold(pid, strtoull(rest + 1, NULL, 10));
    if (process == NULL) continue;
    FreeConsole();
    if (AttachConsole(pid)) {
      DWORD count = GetConsoleProcessList(sharers, MOST_SHARERS);
      /* Both ways of not being hit by one's own event; handlers are forgotten with the console. */
      SetConsoleCtrlHandler(NULL, TRUE);
      SetConsoleCtrlHandler(survive, TRUE);
      if (event == BREAK_GROUP) {
        if (!GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, pid)) missed = 1;
        CloseHandle(process);
        continue;
      }
      if (!GenerateConsoleCtrlEvent(event, 0)) missed = 1;
      for (DWORD one = 0; one < count && one < MOST_SHARERS && asked_count < 4 * MOST_SHARERS; one++)
        asked[asked_count++] = sharers[one];
    } else {
      missed = 1;
    }
    CloseHandle(process);
  }
  FreeConsole();
  return missed;
}
