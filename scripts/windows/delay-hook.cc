// node-gyp's own hook is for MSVC only: where node.exe has another name, its functions are found in the program itself.

#include <windows.h>

#include <delayimp.h>
#include <string.h>

static FARPROC WINAPI find_node(unsigned event, PDelayLoadInfo info) {
  if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return nullptr;
  HMODULE module = GetModuleHandleW(L"libnode.dll");
  return reinterpret_cast<FARPROC>(module ? module : GetModuleHandleW(nullptr));
}

extern "C" {
PfnDliHook __pfnDliNotifyHook2 = find_node;
}
