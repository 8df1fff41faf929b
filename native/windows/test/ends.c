/* ends.exe console EVENT PID | service CONTROL NAME
 *
 * Tells a process what the system tells when a console is closed, a user logs off, or the machine goes down: for tests, which can
 * bring about none of that.
 *
 * console: runs the handlers of that process for the event, 0 Ctrl-C, 1 Ctrl-Break, 2 close, 5 log-off, 6 shutdown, in a thread of its
 * own as the system does. Waits for that thread, and exits with 0 when the process has ended or the handlers are through.
 * service: sends the control to the service.
 * Exit code: 0 done; 1 refused, with the error on stdout; 2 wrong arguments.
 */

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refused(const char *call) {
  printf("%s: %lu\n", call, GetLastError());
  return 1;
}

static int console(DWORD event, DWORD pid) {
  HANDLE both[2];
  FARPROC routine = GetProcAddress(GetModuleHandleA("kernelbase.dll"), "CtrlRoutine");
  HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, pid), thread;
  if (routine == NULL) return refused("GetProcAddress");
  if (process == NULL) return refused("OpenProcess");
  thread = CreateRemoteThread(process, NULL, 0, (LPTHREAD_START_ROUTINE)(void *)routine, (void *)(ULONG_PTR)event, 0, NULL);
  if (thread == NULL) return refused("CreateRemoteThread");
  both[0] = process;
  both[1] = thread;
  WaitForMultipleObjects(2, both, FALSE, INFINITE);
  return 0;
}

static int service(DWORD control, const char *name) {
  SERVICE_STATUS status;
  SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
  SC_HANDLE one = OpenServiceA(manager, name, SERVICE_ALL_ACCESS);
  if (one == NULL) return refused("OpenService");
  return ControlService(one, control, &status) ? 0 : refused("ControlService");
}

int main(int argc, char **argv) {
  DWORD number;
  if (argc != 4) return 2;
  number = (DWORD)strtoul(argv[2], NULL, 0);
  if (strcmp(argv[1], "console") == 0) return console(number, (DWORD)strtoul(argv[3], NULL, 10));
  if (strcmp(argv[1], "service") == 0) return service(number, argv[3]);
  return 2;
}
