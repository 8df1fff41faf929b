/* relay.exe CMD ARGS...: gives CMD pipes of Windows for stdout and stderr and copies them to its own, which are pipes of Unix that
   node.exe cannot use; all that CMD starts ends with it. For the Wine rig only. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <wchar.h>

struct lane {
  HANDLE from;
  HANDLE to;
};

static DWORD WINAPI copy(LPVOID argument) {
  struct lane* lane = argument;
  char bytes[65536];
  DWORD count, written;
  while (ReadFile(lane->from, bytes, sizeof bytes, &count, NULL) && count > 0)
    for (DWORD at = 0; at < count; at += written)
      if (!WriteFile(lane->to, bytes + at, count - at, &written, NULL)) return 1;
  return 0;
}

/* What follows our own name. */
static wchar_t* command(void) {
  wchar_t* at = GetCommandLineW();
  for (BOOL quoted = FALSE; *at && (quoted || (*at != L' ' && *at != L'\t')); at++)
    if (*at == L'"') quoted = !quoted;
  while (*at == L' ' || *at == L'\t') at++;
  return at;
}

int wmain(void) {
  wchar_t* line = command();
  if (!*line) return 2;
  HANDLE job = CreateJobObjectW(NULL, NULL);
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK;
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);

  SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
  HANDLE reads[2], writes[2], threads[2];
  for (int i = 0; i < 2; i++) {
    if (!CreatePipe(&reads[i], &writes[i], &inherited, 65536)) return 126;
    SetHandleInformation(reads[i], HANDLE_FLAG_INHERIT, 0);
  }
  STARTUPINFOW startup = {sizeof startup};
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdInput = CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING, 0, NULL);
  startup.hStdOutput = writes[0];
  startup.hStdError = writes[1];
  PROCESS_INFORMATION made;
  if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED | CREATE_NO_WINDOW, NULL, NULL, &startup, &made)) return 127;
  AssignProcessToJobObject(job, made.hProcess);
  ResumeThread(made.hThread);
  CloseHandle(writes[0]);
  CloseHandle(writes[1]);

  struct lane lanes[2] = {{reads[0], GetStdHandle(STD_OUTPUT_HANDLE)}, {reads[1], GetStdHandle(STD_ERROR_HANDLE)}};
  for (int i = 0; i < 2; i++) threads[i] = CreateThread(NULL, 0, copy, &lanes[i], 0, NULL);
  WaitForSingleObject(made.hProcess, INFINITE);
  /* Something left behind may keep a pipe open; it ends with the job. */
  WaitForMultipleObjects(2, threads, TRUE, 2000);
  DWORD code = 1;
  GetExitCodeProcess(made.hProcess, &code);
  return code > 255 ? 255 : (int)code;
}
