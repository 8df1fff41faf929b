/*
 * The creature of ../creature-source.ts for Windows: does what its arguments say, one after the other.
 *
 * What is different here: SIGTERM is a console event; there are no sessions to leave, `wipe` forgets HSU_RUN, `stop` suspends
 * itself, `crash` ends it as abort() does, or by an access violation for 11. `args` writes the arguments after it, each as the
 * hexadecimal numbers of its UTF-16 units on a line of its own, and ends. Called true, false or sleep it is that.
 */

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static HANDLE asked;
static volatile LONG ignores = 0, hears = 0;

static BOOL WINAPI on_event(DWORD event) {
  (void)event;
  if (ignores) return TRUE;
  if (!hears) return FALSE;
  SetEvent(asked);
  return TRUE;
}

static void put(DWORD which, const char *data, DWORD size) {
  while (size > 0) {
    DWORD done = 0;
    if (!WriteFile(GetStdHandle(which), data, size, &done, NULL) || done == 0) ExitProcess(120);
    data += done;
    size -= done;
  }
}

static void put_text(DWORD which, const wchar_t *text, const char *end) {
  int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
  char *bytes = malloc((size_t)size + 2);
  WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, size, NULL, NULL);
  strcpy(bytes + size - 1, end);
  put(which, bytes, (DWORD)strlen(bytes));
  free(bytes);
}

static void line(DWORD which, const wchar_t *text) { put_text(which, text, "\n"); }

static void tell(const wchar_t *op, long count, DWORD error) {
  wchar_t text[96];
  if (error == 0) swprintf(text, 96, L"%ls %ld ok", op, count);
  else swprintf(text, 96, L"%ls %ld W%lu", op, count, (unsigned long)error);
  line(STD_OUTPUT_HANDLE, text);
}

/* One word as the C runtime takes it apart. */
static wchar_t *quote(wchar_t *to, const wchar_t *word) {
  size_t slashes = 0;
  *to++ = L' ';
  *to++ = L'"';
  for (; *word != 0; word++) {
    if (*word == L'\\') {
      slashes++;
    } else {
      if (*word == L'"')
        for (size_t at = 0; at < slashes + 1; at++) *to++ = L'\\';
      slashes = 0;
    }
    *to++ = *word;
  }
  for (size_t at = 0; at < slashes; at++) *to++ = L'\\';
  *to++ = L'"';
  *to = 0;
  return to;
}

/* Runs itself with these words, up to the end of their block. */
static HANDLE start(wchar_t **words, wchar_t **end) {
  static wchar_t command[32768], program[32768];
  STARTUPINFOW startup = {0};
  PROCESS_INFORMATION made;
  wchar_t *at;
  startup.cb = sizeof startup;
  GetModuleFileNameW(NULL, program, 32768);
  at = quote(command, program) ;
  for (; words < end; words++) at = quote(at, *words);
  if (!CreateProcessW(program, command + 1, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made)) return NULL;
  CloseHandle(made.hThread);
  return made.hProcess;
}

/* The closing brace of the block that begins here. */
static wchar_t **end_of_block(wchar_t **word) {
  int depth = 0;
  for (; *word != NULL; word++) {
    if (wcscmp(*word, L"{") == 0) depth++;
    if (wcscmp(*word, L"}") == 0 && --depth == 0) return word;
  }
  return word;
}

static void orphan(wchar_t **first, wchar_t **end) {
  static wchar_t *words[512];
  int count = 0;
  HANDLE between;
  words[count++] = L"child";
  words[count++] = L"{";
  for (; first < end && count < 500; first++) words[count++] = *first;
  words[count++] = L"}";
  words[count++] = L"exit";
  words[count++] = L"0";
  between = start(words, words + count);
  if (between == NULL) ExitProcess(121);
  WaitForSingleObject(between, INFINITE);
  CloseHandle(between);
}

static void grow(long mebibytes, long every) {
  long held = 0;
  for (; held < mebibytes; held++) {
    void *one = VirtualAlloc(NULL, 1 << 20, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (one == NULL) break;
    memset(one, 1, 1 << 20);
    Sleep((DWORD)every);
  }
  tell(L"grow", held, held < mebibytes ? GetLastError() : 0);
}

static DWORD hold(long mebibytes, int touch) {
  size_t size = (size_t)mebibytes << 20;
  void *held = VirtualAlloc(NULL, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
  if (held == NULL) return GetLastError();
  if (touch) memset(held, 1, size);
  return 0;
}

static long used_ms(void) {
  FILETIME created, exited, kernel, user;
  GetProcessTimes(GetCurrentProcess(), &created, &exited, &kernel, &user);
  return (long)(((((unsigned long long)user.dwHighDateTime << 32) | user.dwLowDateTime) +
                 (((unsigned long long)kernel.dwHighDateTime << 32) | kernel.dwLowDateTime)) / 10000);
}

static void forks(long count) {
  static wchar_t *words[] = {L"sleep"};
  long made = 0;
  DWORD error = 0;
  for (; made < count; made++) {
    HANDLE child = start(words, words + 1);
    if (child == NULL) { error = GetLastError(); break; }
    CloseHandle(child);
  }
  tell(L"forks", made, error);
}

static void suspend_self(void) {
  typedef LONG(NTAPI * Suspend)(HANDLE);
  Suspend suspend = (Suspend)(void (*)(void))GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtSuspendProcess");
  if (suspend != NULL) suspend(GetCurrentProcess());
}

static void live(wchar_t **word);

static void sleep_on(wchar_t **on_term) {
  for (;;) {
    WaitForSingleObject(asked, INFINITE);
    if (on_term != NULL) live(on_term);
  }
}

static void write_bytes(long size) {
  char text[4096];
  for (long at = 0; at < size;) {
    DWORD count = 0;
    for (; count < sizeof text && at < size; count++, at++) text[count] = (char)(at % 251);
    put(STD_OUTPUT_HANDLE, text, count);
  }
}

static void write_args(wchar_t **word) {
  for (; *word != NULL; word++) {
    char text[8];
    for (const wchar_t *unit = *word; *unit != 0; unit++) {
      snprintf(text, sizeof text, "%04x", (unsigned)*unit);
      put(STD_OUTPUT_HANDLE, text, 4);
    }
    put(STD_OUTPUT_HANDLE, "\n", 1);
  }
  ExitProcess(0);
}

static void live(wchar_t **word) {
  wchar_t **on_term = NULL;
  static wchar_t text[32768];
  while (*word != NULL && wcscmp(*word, L"}") != 0) {
    const wchar_t *op = *word++;
    if (wcscmp(op, L"session") == 0) continue;
    else if (wcscmp(op, L"stop") == 0) suspend_self();
    else if (wcscmp(op, L"wipe") == 0) SetEnvironmentVariableW(L"HSU_RUN", NULL);
    else if (wcscmp(op, L"close") == 0) { CloseHandle(GetStdHandle(STD_OUTPUT_HANDLE)); CloseHandle(GetStdHandle(STD_ERROR_HANDLE)); }
    else if (wcscmp(op, L"sleep") == 0) sleep_on(on_term);
    else if (wcscmp(op, L"spin") == 0) for (volatile unsigned long turn = 0;; turn++) {}
    else if (wcscmp(op, L"pid") == 0) { swprintf(text, 32, L"%lu", (unsigned long)GetCurrentProcessId()); line(STD_OUTPUT_HANDLE, text); }
    else if (wcscmp(op, L"cwd") == 0) { GetCurrentDirectoryW(32768, text); line(STD_OUTPUT_HANDLE, text); }
    else if (wcscmp(op, L"args") == 0) write_args(word);
    else if (wcscmp(op, L"flood") == 0) {
      char bytes[4096];
      memset(bytes, 'x', sizeof bytes);
      for (size_t i = 99; i < sizeof bytes; i += 100) bytes[i] = '\n';
      for (;;) put(STD_OUTPUT_HANDLE, bytes, sizeof bytes);
    } else if (wcscmp(op, L"child") == 0) {
      wchar_t **end = end_of_block(word);
      HANDLE child = start(word + 1, end);
      if (child == NULL) ExitProcess(121);
      CloseHandle(child);
      word = *end == NULL ? end : end + 1;
    } else if (wcscmp(op, L"orphan") == 0) {
      wchar_t **end = end_of_block(word);
      orphan(word + 1, end);
      word = *end == NULL ? end : end + 1;
    } else if (wcscmp(op, L"on-term") == 0) {
      wchar_t **end = end_of_block(word);
      hears = 1;
      on_term = word + 1;
      word = *end == NULL ? end : end + 1;
    } else {
      const wchar_t *with = *word != NULL ? *word++ : L"";
      long number = wcstol(with, NULL, 10);
      if (wcscmp(op, L"print") == 0) line(STD_OUTPUT_HANDLE, with);
      else if (wcscmp(op, L"warn") == 0) line(STD_ERROR_HANDLE, with);
      else if (wcscmp(op, L"partial") == 0) put_text(STD_OUTPUT_HANDLE, with, "");
      else if (wcscmp(op, L"env") == 0) line(STD_OUTPUT_HANDLE, GetEnvironmentVariableW(with, text, 32768) ? text : L"(unset)");
      else if (wcscmp(op, L"ignore") == 0) ignores = 1;
      else if (wcscmp(op, L"pause") == 0) Sleep((DWORD)number);
      else if (wcscmp(op, L"await") == 0) while (GetFileAttributesW(with) == INVALID_FILE_ATTRIBUTES) Sleep(5);
      else if (wcscmp(op, L"exit") == 0) ExitProcess((UINT)number);
      else if (wcscmp(op, L"crash") == 0) {
        if (number == 11) *(volatile int *)NULL = 1;
        ExitProcess(3);
      } else if (wcscmp(op, L"pidfile") == 0) {
        FILE *file = _wfopen(with, L"w");
        if (file == NULL) ExitProcess(122);
        fprintf(file, "%lu\n", (unsigned long)GetCurrentProcessId());
        fclose(file);
      } else if (wcscmp(op, L"hog") == 0) tell(op, number, hold(number, 1));
      else if (wcscmp(op, L"map") == 0) tell(op, number, hold(number, 0));
      else if (wcscmp(op, L"grow") == 0) grow(number, *word != NULL ? wcstol(*word++, NULL, 10) : 0);
      else if (wcscmp(op, L"forks") == 0) forks(number);
      else if (wcscmp(op, L"bytes") == 0) write_bytes(number);
      else if (wcscmp(op, L"burn") == 0) {
        while (used_ms() < number) {}
        tell(op, used_ms(), 0);
      } else { line(STD_ERROR_HANDLE, op); ExitProcess(124); }
    }
  }
}

/* What it is called by the name of, as tests find it in PATH: of a shell's programs, as much as they need. */
static void live_as(const wchar_t *program, wchar_t **words) {
  static wchar_t *as_true[] = {L"exit", L"0", NULL}, *as_false[] = {L"exit", L"1", NULL}, *as_sleep[] = {L"sleep", NULL};
  const wchar_t *slash = wcsrchr(program, L'\\');
  const wchar_t *name = slash == NULL ? program : slash + 1;
  if (_wcsnicmp(name, L"true.", 5) == 0) live(as_true);
  if (_wcsnicmp(name, L"false.", 6) == 0) live(as_false);
  if (_wcsnicmp(name, L"sleep.", 6) == 0) live(as_sleep);
  live(words);
}

int wmain(int argc, wchar_t **argv) {
  static wchar_t program[32768];
  (void)argc;
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  asked = CreateEventW(NULL, FALSE, FALSE, NULL);
  SetConsoleCtrlHandler(on_event, TRUE);
  GetModuleFileNameW(NULL, program, 32768);
  live_as(program, argv + 1);
  return 0;
}
